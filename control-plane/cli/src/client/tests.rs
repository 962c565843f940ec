//! The client against a control plane of its own, over real TLS on loopback.

use std::path::Path;

use control_plane::server::{Running, Settings, start};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::exit::of_code;

async fn server(folder: &Path, stop: &CancellationToken) -> (Running, Context) {
    runtime::tls::install_provider();
    let mut settings = Settings::new(folder.to_owned());
    settings.api_listen = ([127, 0, 0, 1], 0).into();
    settings.delegate_listen = ([127, 0, 0, 1], 0).into();
    settings.drain = Duration::from_secs(5);
    settings.shutdown = stop.clone();
    let running = start(settings).await.expect("the control plane starts");
    let context = Context::read(&running.context_file).expect("its first start wrote a context");
    (running, context)
}

async fn info(context: &Context) -> Result<api::InfoResponse, Error> {
    let client = Client::new(context)?;
    client.call(client.server().info(api::InfoRequest {})).await
}

#[tokio::test]
async fn each_way_not_to_be_let_in_has_its_words_and_its_status() {
    let folder = tempfile::tempdir().expect("a folder");
    let stop = CancellationToken::new();
    let (one, context) = server(&folder.path().join("one"), &stop).await;
    let (two, stranger) = server(&folder.path().join("two"), &stop).await;
    assert!(info(&context).await.expect("answers").writable);

    let refused = async |context: &Context| info(context).await.expect_err("is not let in");
    for token in ["tok_00000000000000000000000000000001.guess", ""] {
        let error = refused(&Context { token: token.into(), ..context.clone() }).await;
        assert_eq!(of_code(error.code), 5, "{error}");
    }
    let error = refused(&Context { server: context.server.clone(), ..stranger }).await;
    assert_eq!(of_code(error.code), 5, "another authority: {error}");
    assert!(error.message.contains(&context.server) && error.message.contains("certificate"), "{error}");
    for address in ["http://127.0.0.1:1", "nonsense", "https://"] {
        let error = refused(&Context { server: address.into(), ..context.clone() }).await;
        assert_eq!(of_code(error.code), 3, "{address}: {error}");
    }

    stop.cancel();
    one.stopped().await.expect("ends");
    two.stopped().await.expect("ends");
    let error = refused(&context).await;
    assert_eq!((error.code, of_code(error.code)), (ErrorCode::Unavailable, 4), "{error}");
    assert!(error.message.contains(&context.server) && error.hint.is_some(), "{error}");
}

#[tokio::test]
async fn the_application_may_be_left_out_while_there_is_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let stop = CancellationToken::new();
    let (running, context) = server(folder.path(), &stop).await;
    let client = Client::new(&context).expect("the context is good");
    assert_eq!(client.application(None).await.expect_err("there is none").code, ErrorCode::NotFound);
    for (name, expected) in [("shop", Ok("shop")), ("bank", Err(ErrorCode::Invalid))] {
        let text = format!("kind: Application\nname: {name}\nspec: {{}}\n");
        let documents = vec![api::Document { file: format!("{name}.yaml"), text }];
        let answer = client.call(client.resources().apply(api::ApplyRequest { documents, dry_run: false })).await;
        assert!(answer.expect("answers").diagnostics.is_empty());
        let found = client.application(None).await;
        assert_eq!(found.as_deref().map_err(|error| error.code), expected);
    }
    assert_eq!(client.application(Some("bank".to_owned())).await.as_deref(), Ok("bank"));
    stop.cancel();
    running.stopped().await.expect("ends");
}
