//! The rows: every call to AWS that a scenario makes, taken from the simulated AWS's journal of a run without faults. Of calls that
//! change something each one is a row; of reads, which waits repeat as often as they like, the first of each kind in each step.

use std::collections::BTreeMap;

use sandbox::world::World;
use serde_json::Value;
use tests::deployments::log;

use super::scenario::Scenario;

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) scenario: Scenario,
    /// The step, or its undo, that made it.
    pub(super) step: String,
    /// `ecs:CreateService`.
    pub(super) operation: String,
    /// How many calls of the operation came before it in the scenario.
    pub(super) after: usize,
    pub(super) is_write: bool,
}

impl Call {
    /// The row's title.
    pub(super) fn title(&self) -> String {
        format!("{} | {} | {} #{}", self.scenario.title(), self.step, self.operation, self.after + 1)
    }
}

/// The calls of a deployment that has just run in a journal that was empty before it.
pub(super) async fn calls(world: &World, scenario: Scenario, id: &str) -> anyhow::Result<Vec<Call>> {
    let begins = begins(world, id).await?;
    let journal = world.aws.calls().await?;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut calls: Vec<Call> = Vec::new();
    for entry in journal["log"].as_array().into_iter().flatten() {
        let (service, name) = (text(entry, "service"), text(entry, "operation"));
        let operation = format!("{service}:{name}");
        let after = seen.entry(operation.clone()).or_default();
        let at = entry["at"].as_f64().unwrap_or_default();
        let step = begins.iter().rev().find(|(begun, _)| *begun <= at).or(begins.first()).map(|(_, step)| step.clone());
        let step = step.unwrap_or_default();
        let is_write = !["Describe", "List", "Get"].iter().any(|read| name.starts_with(read));
        let told = calls.iter().any(|call| call.operation == operation && call.step == step);
        // Who one is, and which log to read, is asked once for a long time, or only of a failure's evidence.
        if (is_write || !told) && service != "sts" {
            calls.push(Call { scenario, step, operation: operation.clone(), after: *after, is_write });
        }
        *after += 1;
    }
    Ok(calls)
}

/// When each step, or undo, said its first line, in seconds since 1970, in that order.
async fn begins(world: &World, id: &str) -> anyhow::Result<Vec<(f64, String)>> {
    let mut begins: Vec<(f64, String)> = Vec::new();
    for line in log(world, id).await? {
        let step = if line.direction == "undo" { format!("{} (undo)", line.step) } else { line.step };
        if !begins.iter().any(|(_, known)| *known == step) {
            begins.push((line.at, step));
        }
    }
    Ok(begins)
}

fn text<'v>(entry: &'v Value, name: &str) -> &'v str {
    entry[name].as_str().unwrap_or_default()
}
