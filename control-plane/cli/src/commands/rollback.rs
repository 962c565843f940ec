//! `segue rollback`: production back to the version before, after a deployment had succeeded.

use domain::error::Error;
use proto::api;

use super::{confirm::confirm, follow, goal::Goal};
use crate::{
    args::{Output, RollbackArguments},
    client::Client,
    render::{self, Screen},
};

pub(super) async fn run(client: &Client, screen: &mut Screen, arguments: RollbackArguments) -> Result<u8, Error> {
    let look = api::RollbackRequest {
        deployment_id: arguments.id.unwrap_or_default(),
        application: arguments.application.unwrap_or_default(),
        infrastructure: arguments.infrastructure.unwrap_or_default(),
        service: arguments.service.unwrap_or_default(),
        preview: true,
        idempotency_key: String::new(),
    };
    let seen = ask(client, &look).await?.preview.unwrap_or_default();
    screen.note(&render::rollback_preview(&seen));
    if arguments.preview {
        return Ok(0);
    }
    if !arguments.yes {
        confirm(screen, "Go back to it?")?;
    }
    // The very deployment that was shown, and a key: a lost answer must not become a second rollback.
    let request = api::RollbackRequest {
        deployment_id: seen.rolls_back.clone(),
        preview: false,
        idempotency_key: follow::random_key(),
        ..look
    };
    let id = ask(client, &request).await?.deployment_id;
    if arguments.detach {
        render::print(screen, arguments.output, &serde_json::json!({"id": id}), |_| format!("{id}\n"))?;
        if arguments.output == Output::Table {
            screen.note(&format!("\nFollow it: segue deployment watch {id}\n"));
        }
        return Ok(0);
    }
    follow::until(client, screen, &id, Goal::Finished, arguments.output).await
}

async fn ask(client: &Client, request: &api::RollbackRequest) -> Result<api::RollbackResponse, Error> {
    let answered = client.read(|client| {
        let request = request.clone();
        async move { client.deployments().rollback(request).await }
    });
    answered.await
}
