//! How a deployment ended: for people, never calling a success what is none; for programs, one object.

use std::fmt::Write as _;

use console::Style;
use domain::{
    console::visible,
    deployment::{DeploymentStatus, DeploymentView, StepState},
    failure::Failure,
    outcome::Outcome,
};
use serde::Serialize;

use super::{
    Look,
    failure::failure,
    status_word,
    time::{milliseconds, seconds},
};

/// The end, as `-o json` prints it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ending<'a> {
    id: String,
    /// `succeeded`, `rolledBack`, `needsOperator`, `aborted`, `rejected`; `running` if it has not ended.
    outcome: &'a str,
    /// What could not be undone.
    remains: &'a [String],
    seconds: f64,
    application: &'a str,
    workflow: &'a str,
    service: &'a str,
    environment: &'a str,
    infrastructure: &'a str,
    image: &'a str,
    tag: &'a str,
    /// The deployment that it rolls back, if it is a rollback after success.
    #[serde(skip_serializing_if = "Option::is_none")]
    rolls_back: Option<String>,
    /// How long production's switch took, if it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    switch_ms: Option<u64>,
    steps: Vec<EndedStep<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndedStep<'a> {
    name: &'a str,
    phase: &'a str,
    kind: &'a str,
    state: &'a str,
    seconds: f64,
    attempts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<&'a str>,
}

impl<'a> Ending<'a> {
    /// Of this deployment.
    pub fn of(view: &'a DeploymentView) -> Self {
        let (outcome, remains) = match &view.status {
            DeploymentStatus::Finished { outcome: Outcome::NeedsOperator(remains) } => ("needsOperator", remains.as_slice()),
            DeploymentStatus::Finished { outcome } => (outcome.as_str(), [].as_slice()),
            _ => ("running", [].as_slice()),
        };
        let steps = view.steps.iter().map(|step| EndedStep {
            name: &step.name,
            phase: &step.phase,
            kind: step.kind.as_str(),
            state: step.state.as_str(),
            seconds: in_seconds(step.started_at_ms, step.ended_at_ms),
            attempts: step.attempts.len(),
            failure: step.failure.as_ref().filter(|_| step.state == StepState::Failed),
            undo: step.undo.as_ref().map(|undo| undo.state.as_str()),
        });
        Self {
            id: view.id.to_string(),
            outcome,
            remains,
            seconds: in_seconds(Some(view.created_at_ms), view.finished_at_ms),
            application: &view.application,
            workflow: &view.workflow,
            service: &view.service,
            environment: &view.environment,
            infrastructure: &view.infrastructure,
            image: &view.image,
            tag: &view.tag,
            rolls_back: view.rolls_back.map(|id| id.to_string()),
            switch_ms: view.shifted.map(|shift| shift.switch_ms),
            steps: steps.collect(),
        }
    }
}

fn in_seconds(from_ms: Option<i64>, to_ms: Option<i64>) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a deployment does not last 285,000 years")]
    from_ms.zip(to_ms).map_or(0.0, |(from, to)| (to - from) as f64 / 1_000.0)
}

/// The end for a person: what it came to, what failed, what to do.
pub fn ending(view: &DeploymentView, look: Look) -> String {
    let outcome = match &view.status {
        DeploymentStatus::Finished { outcome } => outcome,
        _ => return format!("\nDeployment {} is {}.\n", view.id, status_word(&view.status)),
    };
    let (good, bad, warn) = (Style::new().green().bold(), Style::new().red().bold(), Style::new().yellow().bold());
    let (style, mark, means) = match outcome {
        Outcome::Succeeded => (good, "✓", "."),
        Outcome::RolledBack => (warn, "↩", ": everything is as it was before."),
        Outcome::NeedsOperator(_) if is_reopenable(view) => (bad, "✗", ": this could not be undone, a person has to look:"),
        Outcome::NeedsOperator(_) => (bad, "✗", ": nothing was undone, a person has to look:"),
        Outcome::Aborted => (warn, "✗", ": everything was left as it stood."),
        Outcome::Rejected => (bad, "✗", ": nothing was run."),
    };
    let took = view.finished_at_ms.map_or_else(String::new, |end| format!(" after {}", seconds(end - view.created_at_ms)));
    let mut text = format!(
        "\n{} {} {} of {} to {} {}{took}{means}\n",
        look.paint(style.clone(), mark),
        if view.rolls_back.is_some() { "Rollback" } else { "Deployment" },
        view.id,
        visible(&view.image),
        visible(&view.infrastructure),
        look.paint(style, was(outcome)),
    );
    if let (Outcome::Succeeded, Some(of)) = (outcome, view.rolls_back) {
        let _ = writeln!(text, "  {} serves production again; {of} is rolled back.", visible(&view.image));
    }
    if let (Outcome::Succeeded, Some(shift)) = (outcome, view.shifted) {
        let _ = writeln!(text, "  The switch of traffic took {}.", milliseconds(shift.switch_ms));
    }
    if let Outcome::NeedsOperator(remains) = outcome {
        for sentence in remains {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "  - {}", visible(sentence));
        }
    }
    for step in view.steps.iter().filter(|step| step.state == StepState::Failed) {
        if let Some(why) = &step.failure {
            let _ = write!(text, "\n{} failed:\n{}", visible(&step.name), failure(why, "  "));
        }
    }
    if is_reopenable(view) {
        let _ = writeln!(text, "\nWhen that is mended, let it be undone: segue deployment retry {}", view.id);
    }
    if *outcome != Outcome::Succeeded {
        let _ = writeln!(text, "\nhint: segue deployment logs {}", view.id);
    }
    text
}

/// Whether it needs an operator for what could not be undone: then that can be tried again.
pub(super) fn is_reopenable(view: &DeploymentView) -> bool {
    let needs_operator = matches!(view.status, DeploymentStatus::Finished { outcome: Outcome::NeedsOperator(_) });
    needs_operator && view.steps.iter().any(|step| step.undo.as_ref().is_some_and(|undo| undo.state == StepState::Failed))
}

/// The outcome as the verb of a sentence.
fn was(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::RolledBack => "was rolled back",
        Outcome::NeedsOperator(_) => "needs an operator",
        Outcome::Aborted => "was aborted",
        Outcome::Rejected => "was rejected",
    }
}
