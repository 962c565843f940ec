//! What came of the demonstration: for people as tables, for programs as one JSON object.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::Context;
use domain::deployment::{DeploymentStatus, DeploymentView};
use serde::Serialize;

use super::Traffic;

/// One step of a deployment.
#[derive(Debug, Clone, Serialize)]
pub struct StepSummary {
    /// Its name.
    pub name: String,
    /// How long it took; 0 if it never started.
    pub seconds: f64,
}

/// One deployment.
#[derive(Debug, Clone, Serialize)]
pub struct DeploymentSummary {
    /// Its id.
    pub id: String,
    /// `succeeded`, `rolledBack` ...; `running` if it never ended.
    pub outcome: String,
    /// How long it took.
    pub seconds: f64,
    /// Its steps.
    pub steps: Vec<StepSummary>,
    /// What it deployed.
    #[serde(skip)]
    tag: String,
}

impl DeploymentSummary {
    /// Reads the view that the CLI printed.
    ///
    /// # Errors
    /// When it is not one.
    pub fn of(view: &serde_json::Value) -> anyhow::Result<Self> {
        let view: DeploymentView = serde_json::from_value(view.clone()).context("segue printed a deployment of another shape")?;
        let outcome = match &view.status {
            DeploymentStatus::Finished { outcome } => outcome.as_str(),
            _ => "running",
        };
        let steps = view
            .steps
            .iter()
            .map(|step| StepSummary { name: step.name.clone(), seconds: seconds(step.started_at_ms, step.ended_at_ms) });
        Ok(Self {
            id: view.id.to_string(),
            outcome: outcome.to_owned(),
            seconds: seconds(Some(view.created_at_ms), view.finished_at_ms),
            steps: steps.collect(),
            tag: view.tag,
        })
    }
}

fn seconds(from_ms: Option<i64>, to_ms: Option<i64>) -> f64 {
    match (from_ms, to_ms) {
        #[expect(clippy::cast_precision_loss, reason = "a deployment does not last 285,000 years")]
        (Some(from), Some(to)) => (to - from) as f64 / 1_000.0,
        _ => 0.0,
    }
}

/// All of it. Its JSON is the demonstration's `--json` output.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// In the order in which they were started.
    pub deployments: Vec<DeploymentSummary>,
    /// The load generator's count.
    pub traffic: Traffic,
    /// Calls per AWS operation, as `ecs:CreateService`.
    pub aws_calls: BTreeMap<String, u64>,
}

impl Summary {
    /// Whether every deployment succeeded, traffic flowed, and no request failed.
    pub fn is_good(&self) -> bool {
        self.deployments.iter().all(|deployment| deployment.outcome == "succeeded")
            && self.traffic.requests > 0
            && self.traffic.failed == 0
    }

    /// The summary for a person.
    pub fn table(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = writeln!(text, "\nDeployments");
        for deployment in &self.deployments {
            let _ = writeln!(
                text,
                "  version {:<3} {:<12} {:>6.1} s   {}",
                deployment.tag, deployment.outcome, deployment.seconds, deployment.id
            );
            for step in &deployment.steps {
                let _ = writeln!(text, "      {:<38} {:>6.1} s", step.name, step.seconds);
            }
        }
        let traffic = &self.traffic;
        let _ = writeln!(text, "\nTraffic through the production listener");
        let _ = writeln!(text, "  {} requests, {} failed", traffic.requests, traffic.failed);
        for (version, count) in &traffic.by_version {
            let _ = writeln!(text, "  version {version:<3} answered {count:>7}");
        }
        for (reason, count) in &traffic.failures {
            let _ = writeln!(text, "  failed, {reason}: {count}");
        }
        if let (Some(p50), Some(p99)) = (traffic.latency(0.5), traffic.latency(0.99)) {
            let _ = writeln!(text, "  latency p50 {:.1} ms, p99 {:.1} ms", p50.as_secs_f64() * 1e3, p99.as_secs_f64() * 1e3);
        }
        let _ = writeln!(text, "\nAWS calls");
        for (operation, count) in &self.aws_calls {
            let _ = writeln!(text, "  {count:>5}  {operation}");
        }
        text
    }
}
