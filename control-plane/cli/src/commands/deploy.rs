//! `segue deploy`.

use domain::error::{Error, ErrorCode};
use proto::api;

use super::follow;
use crate::{
    args::{DeployArguments, Output},
    client::Client,
    exit, render,
};

pub(super) async fn run(client: &Client, arguments: DeployArguments) -> Result<u8, Error> {
    let application = client.application(arguments.application).await?;
    let request = api::StartRequest {
        application,
        workflow: arguments.workflow,
        artifact_tag: arguments.artifact_tag,
        variables: arguments.variables.into_iter().collect(),
        // A lost answer must not become a second deployment.
        idempotency_key: follow::random_key(),
    };
    let away = |error: &Error| eprintln!("{} Trying again ...", domain::console::visible(&error.message));
    let started = client
        .patiently(away, || {
            let (mut deployments, request) = (client.deployments(), request.clone());
            async move { deployments.start(request).await }
        })
        .await?;
    if !started.diagnostics.is_empty() {
        eprint!("{}", render::diagnostics(&started.diagnostics, &[], false));
        return Ok(exit::of_code(ErrorCode::Invalid));
    }
    let id = started.deployment_id;
    if arguments.detach {
        let accepted = serde_json::json!({"id": id});
        render::print(arguments.output, &accepted, || format!("Deployment {id} is accepted.\n\nFollow it: segue deployment watch {id}\n"))?;
        return Ok(0);
    }
    if arguments.output == Output::Table {
        println!("Deployment {id}");
    }
    follow::to_the_end(client, &id, arguments.output).await
}
