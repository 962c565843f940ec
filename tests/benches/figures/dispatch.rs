//! P1: from the client's request until the delegate's first AWS call arrives, everything durable in between. One after another.

use std::time::{Duration, Instant};

use anyhow::Context;
use cli::client::Client;

use super::{
    fake_aws::FakeAws,
    table::{Row, quantile},
    workflow::{finished, start},
};

const RUNS: usize = 500;

/// Measures it.
pub async fn measure(client: &Client, aws: &FakeAws) -> anyhow::Result<Vec<Row>> {
    let millis = latencies(client, aws, RUNS).await?;
    Ok(vec![
        Row::at_most("P1", "dispatch latency, p50", quantile(&millis, 0.5), 5.0, "ms"),
        Row::at_most("P1", "dispatch latency, p99", quantile(&millis, 0.99), 30.0, "ms"),
    ])
}

/// So many latencies, in milliseconds.
pub async fn latencies(client: &Client, aws: &FakeAws, runs: usize) -> anyhow::Result<Vec<f64>> {
    let mut asked = aws.asked();
    let mut millis = Vec::with_capacity(runs);
    for run in 0..runs {
        asked.mark_unchanged();
        let begun = Instant::now();
        let id = start(client, "todolist-blue-green", &format!("{run}")).await?;
        tokio::time::timeout(Duration::from_secs(20), asked.changed()).await.context("AWS was never asked")??;
        let at = (*asked.borrow_and_update()).context("a time")?;
        millis.push((at - begun).as_secs_f64() * 1e3);
        finished(client, &id).await?;
    }
    Ok(millis)
}
