//! P2: six steps that each go to a delegate and do nothing there.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use cli::client::Client;
use proto::api;
use sandbox::world::World;
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;

use super::table::{Row, quantile};

const LINES: usize = 100;
const SEQUENTIAL: usize = 300;
const ROUNDS: usize = 10;
const STEPS: usize = 6;

/// Measures it.
pub async fn measure(world: &World, client: &Client) -> anyhow::Result<Vec<Row>> {
    let manifests = world.dir.join("notes.yaml");
    std::fs::write(&manifests, documents())?;
    world.segue(&["apply", "-f", &manifests.to_string_lossy()]).await?;

    let mut millis = Vec::with_capacity(SEQUENTIAL);
    for run in 0..SEQUENTIAL {
        let begun = Instant::now();
        let id = start(client, "notes-0", &run.to_string()).await?;
        let outcome = finished(client, &id).await?;
        if outcome != "succeeded" {
            bail!("a workflow of notes ended as {outcome}");
        }
        millis.push(begun.elapsed().as_secs_f64() * 1e3);
    }

    let mut rates = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let begun = Instant::now();
        let mut all = JoinSet::new();
        for line in 0..LINES {
            let client = client.clone();
            all.spawn(async move {
                let id = start(&client, &format!("notes-{line}"), &round.to_string()).await?;
                finished(&client, &id).await
            });
        }
        while let Some(done) = all.join_next().await {
            let outcome = done??;
            if outcome != "succeeded" {
                bail!("a workflow of notes ended as {outcome}");
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "600")]
        rates.push((LINES * STEPS) as f64 / begun.elapsed().as_secs_f64());
    }
    Ok(vec![
        Row::at_most("P2", "six steps one after another, p50", quantile(&millis, 0.5), 20.0, "ms"),
        Row::at_most("P2", "six steps one after another, p99", quantile(&millis, 0.99), 150.0, "ms"),
        Row::at_least("P2", "durable steps, 100 workflows at once, median", quantile(&rates, 0.5), 3_000.0, "/s"),
    ])
}

/// Workflows of notes, each with an infrastructure of its own: deployments of one service and infrastructure wait for each other.
fn documents() -> String {
    let mut text = String::new();
    for line in 0..LINES {
        // Writing into a String cannot fail.
        let _ = write!(
            text,
            "---\nkind: Infrastructure\nname: nowhere-{line}\napplication: shop\nspec:\n  environment: prod\n  region: us-west-1\n  \
             cluster: none\n---\nkind: Workflow\nname: notes-{line}\napplication: shop\nspec:\n  type: blueGreen\n  switch: \
             loadBalancer\n  service: todolist\n  environment: prod\n  infrastructure: nowhere-{line}\n  phases:\n    - name: Notes\n      \
             steps:\n"
        );
        for step in 0..STEPS {
            let _ = writeln!(text, "        - name: Note {step}\n          note: step {step}");
        }
    }
    text
}

/// Starts a deployment.
pub async fn start(client: &Client, workflow: &str, tag: &str) -> anyhow::Result<String> {
    let request = api::StartRequest {
        application: "shop".to_owned(),
        workflow: workflow.to_owned(),
        artifact_tag: tag.to_owned(),
        ..api::StartRequest::default()
    };
    let started = client.deployments().start(request).await?.into_inner();
    if let Some(finding) = started.diagnostics.first() {
        bail!("{}: {}", finding.field, finding.message);
    }
    Ok(started.deployment_id)
}

/// Waits for its end; how it ended.
pub async fn finished(client: &Client, id: &str) -> anyhow::Result<String> {
    let request = api::GetDeploymentRequest { deployment_id: id.to_owned() };
    let watching = async {
        let mut views = client.deployments().watch(request).await?.into_inner();
        while let Some(view) = views.next().await {
            if let Some(api::status::State::Finished(finished)) = view?.status.and_then(|status| status.state) {
                return Ok(finished.outcome);
            }
        }
        bail!("the watch ended before {id}")
    };
    tokio::time::timeout(Duration::from_secs(60), watching).await.context("a deployment did not end")?
}
