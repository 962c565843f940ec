//! `segue rollback`: production back to the version before, after a deployment had succeeded.

use std::io::{self, BufRead as _, IsTerminal as _};

use domain::error::{Error, ErrorCode};
use proto::api;

use super::{follow, goal::Goal};
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
        confirm(screen)?;
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

/// Asks on a terminal; without one, somebody has to have said yes before.
fn confirm(screen: &mut Screen) -> Result<(), Error> {
    let not_confirmed = |text: &str| Error::new(ErrorCode::Refused, text).hint("nothing was changed");
    if !io::stdin().is_terminal() {
        return Err(Error::new(ErrorCode::Invalid, "there is no terminal to ask on").hint("add --yes"));
    }
    screen.note("Go back to it? [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|error| not_confirmed(&format!("no answer could be read: {error}")))?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(not_confirmed("not confirmed")),
    }
}
