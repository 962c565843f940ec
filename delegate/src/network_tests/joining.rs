//! Joining, coming back, renewing.

use std::{os::unix::fs::PermissionsExt, sync::atomic::Ordering, time::Duration};

use rand::{SeedableRng, rngs::StdRng};
use runtime::tls::Authority;

use super::{
    gateway::in_time,
    world::{Scripted, World, done},
};
use crate::{
    enrol::{join::JoinError, state::StateError},
    program::ProgramError,
    settings::Settings,
};

#[tokio::test]
async fn a_token_is_needed_once_and_the_identity_stays() {
    let mut world = World::new().await;
    let delegate = world.joining(|_, _| Box::pin(async { done() }));
    let mut session = world.gateway.session().await;
    let hello = session.welcome(10_000, 100, &[]).await;
    assert_eq!(
        (hello.selectors.as_slice(), hello.step_kinds.as_slice()),
        (["test".into()].as_slice(), ["note".into()].as_slice())
    );
    let (first, instance) = (session.delegate, hello.instance_id);

    // Nobody else can act under this identity meanwhile.
    let second = world.run(world.settings(), Scripted::idle());
    assert!(matches!(second.ended().await, Err(ProgramError::State(StateError::InUse(_)))));
    delegate.stop.cancel();
    while session.hear_or_end().await.is_some() {}
    drop(session);
    delegate.ended().await.expect("ends well");

    let identity = world.state_dir().join("identity.json");
    assert_eq!(std::fs::metadata(identity).expect("kept").permissions().mode() & 0o777, 0o600);
    let again = world.run(world.settings(), Scripted::idle());
    let mut session = world.gateway.session().await;
    let hello = session.welcome(10_000, 100, &[]).await;
    assert_eq!((session.delegate, world.gateway.memory.enrolled.load(Ordering::SeqCst)), (first, 1));
    assert_ne!(hello.instance_id, instance);
    drop(session);
    again.stopped().await;
}

#[tokio::test]
async fn a_token_that_is_used_or_missing_is_said_with_what_to_do() {
    let world = World::new().await;
    let used = world.run(Settings { join_token: Some("t0p-s3cret".to_owned().into()), ..world.settings() }, Scripted::idle());
    let error = used.ended().await.expect_err("refused");
    assert!(matches!(error, ProgramError::Join(JoinError::Refused(_))), "{error:?}");
    assert!(
        error.to_string().contains("segue delegate token create") && !format!("{error} {error:?}").contains("t0p-s3cret"),
        "{error}"
    );
    let none = world.run(world.settings(), Scripted::idle());
    assert!(matches!(none.ended().await, Err(ProgramError::Join(JoinError::NoToken))));
}

#[tokio::test]
async fn a_token_in_a_file_is_as_good() {
    let mut world = World::new().await;
    world.gateway.memory.tokens.lock().expect("whole").push("from-a-file".into());
    let file = world.folder.path().join("token");
    std::fs::write(&file, "from-a-file\n").expect("written");
    let delegate = world.run(Settings { join_token_file: Some(file), ..world.settings() }, Scripted::idle());
    let session = world.gateway.connected().await;
    drop(session);
    delegate.stopped().await;
}

#[tokio::test]
async fn a_server_of_another_authority_never_sees_the_token() {
    let world = World::new().await;
    let mut rng = StdRng::seed_from_u64(1);
    let (stranger, _) = Authority::create(1_800_000_000_000, &mut rng).expect("an authority");
    std::fs::write(world.folder.path().join("authorities.pem"), stranger.certificate_pem()).expect("written");
    world.gateway.memory.tokens.lock().expect("whole").push("one-time".into());
    let settings = Settings { join_token: Some("one-time".to_owned().into()), ..world.settings() };
    let delegate = world.run(settings, Scripted::idle());
    // It goes on trying: the server may yet get the right certificate. So this ends by the test's will.
    tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>()).await.expect_err("waits");
    delegate.stopped().await;
    assert_eq!(*world.gateway.memory.tokens.lock().expect("whole"), ["one-time"]);
    assert!(!world.state_dir().join("identity.json").exists());
}

#[tokio::test]
async fn the_certificate_is_renewed_in_time_and_shown_from_then_on() {
    let mut world = World::with_certificates_for(Duration::from_secs(3)).await;
    let mut renewals = world.gateway.memory.renewals.subscribe();
    let delegate = world.joining(|_, _| Box::pin(async { done() }));
    let session = world.gateway.connected().await;
    let before = std::fs::read_to_string(world.state_dir().join("identity.json")).expect("kept");
    drop(in_time("renewals", renewals.wait_for(|count| *count >= 2)).await.expect("the server runs"));
    // The first certificate has ended by now: only a renewed one opens another session.
    let first = session.delegate;
    drop(session);
    let session = world.gateway.connected().await;
    assert_eq!(session.delegate, first);
    assert_ne!(std::fs::read_to_string(world.state_dir().join("identity.json")).expect("kept"), before);
    drop(session);
    delegate.stopped().await;
}
