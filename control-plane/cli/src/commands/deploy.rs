//! `segue deploy`.

use domain::error::{Error, ErrorCode};
use proto::api;

use super::{follow, goal::Goal};
use crate::{
    args::{DeployArguments, Output},
    client::Client,
    exit,
    render::{self, Look, Screen},
};

pub(super) async fn run(client: &Client, screen: &mut Screen, arguments: DeployArguments) -> Result<u8, Error> {
    let application = client.application(arguments.application).await?;
    let request = api::StartRequest {
        application,
        workflow: arguments.workflow,
        artifact_tag: arguments.artifact_tag,
        variables: arguments.variables.into_iter().collect(),
        // A lost answer must not become a second deployment.
        idempotency_key: follow::random_key(),
    };
    let started = client.read(|client| {
        let request = request.clone();
        async move { client.deployments().start(request).await }
    });
    let started = started.await?;
    if !started.diagnostics.is_empty() {
        screen.note(&render::diagnostics(&started.diagnostics, &[], Look::PLAIN));
        return Ok(exit::of_code(ErrorCode::Invalid));
    }
    let id = started.deployment_id;
    if arguments.detach {
        render::print(screen, arguments.output, &serde_json::json!({"id": id}), |_| format!("{id}\n"))?;
        if arguments.output == Output::Table {
            screen.note(&format!("\nFollow it: segue deployment watch {id}\n"));
        }
        return Ok(0);
    }
    follow::until(client, screen, &id, Goal::parse(&arguments.wait_for), arguments.output).await
}
