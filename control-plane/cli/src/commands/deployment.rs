//! `segue deployment`.

use domain::{
    console::visible,
    deployment::{DeploymentStatus, DeploymentView},
    error::Error,
    signal::Signal,
};
use proto::api;
use serde::Serialize;
use tokio_stream::StreamExt as _;

use super::{follow, goal::Goal};
use crate::{
    args::{AnswerArguments, DeploymentCommand, Output},
    client::{Client, deployment},
    error::is_passing,
    render::{self, Screen},
};

/// An entry of the log, as `-o json` prints it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogEntry {
    sequence: u64,
    step: u32,
    step_name: String,
    direction: String,
    attempt: u32,
    number: u64,
    at_ms: i64,
    level: String,
    text: String,
}

impl From<api::LogEntry> for LogEntry {
    fn from(wire: api::LogEntry) -> Self {
        Self {
            sequence: wire.sequence,
            step: wire.step,
            step_name: wire.step_name,
            direction: wire.direction,
            attempt: wire.attempt,
            number: wire.number,
            at_ms: wire.at_ms,
            level: wire.level,
            text: wire.text,
        }
    }
}

pub(super) async fn run(client: &Client, screen: &mut Screen, command: DeploymentCommand) -> Result<u8, Error> {
    match command {
        DeploymentCommand::List { application, limit, output } => {
            let request = api::ListDeploymentsRequest { application: application.unwrap_or_default(), limit };
            let listed = client.read(|client| {
                let request = request.clone();
                async move { client.deployments().list(request).await }
            });
            let views: Vec<DeploymentView> = listed.await?.deployments.into_iter().map(deployment).collect::<Result<_, _>>()?;
            render::print(screen, output, &views, |look| render::deployments(&views, look))?;
            Ok(0)
        }
        DeploymentCommand::Show { id, output } => {
            let view = client.read(|client| {
                let request = api::GetDeploymentRequest { deployment_id: id.clone() };
                async move { client.deployments().get(request).await }
            });
            let view = deployment(view.await?)?;
            render::print(screen, output, &view, |_| render::show(&view))?;
            Ok(0)
        }
        DeploymentCommand::Logs { id, follow, output } => logs(client, screen, &id, follow, output).await,
        DeploymentCommand::Watch { id, wait_for, output } => {
            follow::until(client, screen, &id, Goal::parse(&wait_for), output).await
        }
        DeploymentCommand::Pause(of) => signal(client, screen, of.id, None, Signal::Pause).await,
        DeploymentCommand::Resume(of) => signal(client, screen, of.id, None, Signal::Resume).await,
        DeploymentCommand::Abort(of) => signal(client, screen, of.id, None, Signal::Abort).await,
        DeploymentCommand::Rollback(of) => signal(client, screen, of.id, None, Signal::RollBack).await,
        DeploymentCommand::Retry(of) => signal(client, screen, of.id, of.step, Signal::Retry).await,
        DeploymentCommand::Ignore(of) => signal(client, screen, of.id, of.step, Signal::Ignore).await,
        DeploymentCommand::Succeed(of) => signal(client, screen, of.id, of.step, Signal::Succeed).await,
        DeploymentCommand::Approve(of) => answer(client, screen, of, Signal::Approve).await,
        DeploymentCommand::Reject(of) => answer(client, screen, of, Signal::Reject).await,
    }
}

async fn logs(client: &Client, screen: &mut Screen, id: &str, follow: bool, output: Output) -> Result<u8, Error> {
    let (mut cursor, mut heading) = (0, None);
    loop {
        let opened = client.read(|client| {
            let request = api::LogsRequest { deployment_id: id.to_owned(), after: cursor, follow };
            async move { client.deployments().logs(request).await }
        });
        let mut lines = opened.await?;
        loop {
            match lines.next().await {
                None => return Ok(0),
                Some(Ok(entry)) => {
                    cursor = entry.sequence;
                    one_line(screen, output, entry, &mut heading)?;
                    if screen.is_closed() {
                        return Ok(0);
                    }
                }
                Some(Err(status)) => {
                    // A server that restarts: what was printed is not printed again.
                    let error = client.explained(&status);
                    if !is_passing(&error) {
                        return Err(error);
                    }
                    screen.note(&format!("{} Connecting again ...\n", visible(&error.message)));
                    break;
                }
            }
        }
    }
}

/// A step and attempt whose lines are under one heading.
type Heading = (String, String, u32);

fn one_line(screen: &mut Screen, output: Output, entry: api::LogEntry, heading: &mut Option<Heading>) -> Result<(), Error> {
    if output != Output::Table {
        if output == Output::Yaml {
            screen.data("---\n")?;
        }
        return render::print(screen, output, &LogEntry::from(entry), |_| String::new());
    }
    let of = (entry.step_name, entry.direction, entry.attempt);
    let mut text = String::new();
    if heading.as_ref() != Some(&of) {
        let again = if of.2 > 1 { format!(" (attempt {})", of.2) } else { String::new() };
        text = format!("{}{again}\n", visible(&of.0));
        *heading = Some(of);
    }
    screen.data(&format!("{text}    {}\n", visible(entry.text.trim_end())))
}

async fn signal(client: &Client, screen: &mut Screen, id: String, step: Option<String>, signal: Signal) -> Result<u8, Error> {
    let view = say(client, id.clone(), step, signal, None).await?;
    screen.note(&format!("Deployment {id}: {signal} was asked for; it is {}.\n", render::status_word(&view.status)));
    screen.note(&format!("\nFollow it: segue deployment watch {id}\n"));
    Ok(0)
}

async fn answer(client: &Client, screen: &mut Screen, of: AnswerArguments, signal: Signal) -> Result<u8, Error> {
    let AnswerArguments { id, step, comment } = of;
    let view = say(client, id.clone(), step, signal, comment).await?;
    let told = if signal == Signal::Approve { "your approval is recorded" } else { "your rejection is recorded" };
    let so_far = match &view.status {
        DeploymentStatus::WaitingForApproval { count, approved_by, .. } => {
            format!("{} of {count} approvals so far ({})", approved_by.len(), visible(&approved_by.join(", ")))
        }
        status => format!("it is {}", render::status_word(status)),
    };
    screen.note(&format!("Deployment {id}: {told}; {so_far}.\n"));
    screen.note(&format!("\nFollow it: segue deployment watch {id}\n"));
    Ok(0)
}

async fn say(
    client: &Client,
    deployment_id: String,
    step: Option<String>,
    signal: Signal,
    comment: Option<String>,
) -> Result<DeploymentView, Error> {
    let mut deployments = client.deployments();
    let request = api::SignalRequest {
        deployment_id,
        signal: signal.as_str().to_owned(),
        step: step.unwrap_or_default(),
        comment: comment.unwrap_or_default(),
    };
    deployment(client.call(deployments.signal(request)).await?)
}
