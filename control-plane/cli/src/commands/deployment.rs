//! `segue deployment`.

use domain::{deployment::DeploymentView, error::Error};
use proto::api;
use serde::Serialize;
use tokio_stream::StreamExt as _;

use super::follow;
use crate::{
    args::{DeploymentCommand, Output},
    client::{Client, deployment},
    render,
};

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

pub(super) async fn run(client: &Client, command: DeploymentCommand) -> Result<u8, Error> {
    match command {
        DeploymentCommand::List { application, limit, output } => {
            let request = api::ListDeploymentsRequest { application: application.unwrap_or_default(), limit };
            let mut deployments = client.deployments();
            let listed = client.call(deployments.list(request)).await?.deployments;
            let views: Vec<DeploymentView> = listed.into_iter().map(deployment).collect::<Result<_, _>>()?;
            render::print(output, &views, || render::deployments(&views))?;
            Ok(0)
        }
        DeploymentCommand::Show { id, output } => {
            let mut deployments = client.deployments();
            let view = deployment(client.call(deployments.get(api::GetDeploymentRequest { deployment_id: id })).await?)?;
            render::print(output, &view, || render::show(&view))?;
            Ok(0)
        }
        DeploymentCommand::Logs { id, follow, output } => logs(client, id, follow, output).await,
        DeploymentCommand::Watch { id, output } => follow::to_the_end(client, &id, output).await,
        DeploymentCommand::Abort { id } => signal(client, id, "abort").await,
        DeploymentCommand::Rollback { id } => signal(client, id, "rollback").await,
    }
}

async fn logs(client: &Client, id: String, follow: bool, output: Output) -> Result<u8, Error> {
    let mut deployments = client.deployments();
    let mut lines = client.call(deployments.logs(api::LogsRequest { deployment_id: id, after: 0, follow })).await?;
    let mut heading = None;
    while let Some(entry) = lines.next().await {
        let entry = entry.map_err(|status| client.explained(&status))?;
        if output == Output::Table {
            let attempt = (entry.step_name.clone(), entry.direction.clone(), entry.attempt);
            if heading.as_ref() != Some(&attempt) {
                let again = if entry.attempt > 1 { format!(" (attempt {})", entry.attempt) } else { String::new() };
                println!("{}{again}", domain::console::visible(&entry.step_name));
                heading = Some(attempt);
            }
            println!("    {}", domain::console::visible(&entry.text));
        } else {
            let entry = LogEntry {
                sequence: entry.sequence,
                step: entry.step,
                step_name: entry.step_name,
                direction: entry.direction,
                attempt: entry.attempt,
                number: entry.number,
                at_ms: entry.at_ms,
                level: entry.level,
                text: entry.text,
            };
            if output == Output::Yaml {
                println!("---");
            }
            render::print(output, &entry, String::new)?;
        }
    }
    Ok(0)
}

async fn signal(client: &Client, id: String, signal: &str) -> Result<u8, Error> {
    let mut deployments = client.deployments();
    let request = api::SignalRequest { deployment_id: id.clone(), signal: signal.to_owned() };
    let view = deployment(client.call(deployments.signal(request)).await?)?;
    println!("Deployment {id}: {} was asked for; it is {}.", signal, render::status_word(&view.status));
    eprintln!("\nFollow it: segue deployment watch {id}");
    Ok(0)
}
