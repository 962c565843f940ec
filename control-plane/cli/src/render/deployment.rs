//! Deployments: in a row of a table, and one in full.

use std::fmt::Write as _;

use domain::{
    console::visible,
    deployment::{DeploymentStatus, DeploymentView, StepState, StepView},
    outcome::Outcome,
};

use super::{
    Look,
    ending::is_reopenable,
    failure::with_evidence,
    plain::standing,
    table::table,
    time::{between, milliseconds, time},
};

/// Columns below which a row holds only what tells deployments apart: an id that is broken over lines can't be copied.
const WIDE: u16 = 130;

/// Where a deployment stands, in a word or two.
pub fn status_word(status: &DeploymentStatus) -> String {
    match status {
        DeploymentStatus::Queued { .. } => "queued".to_owned(),
        DeploymentStatus::Running => "running".to_owned(),
        DeploymentStatus::WaitingForDelegate { .. } => "waiting for a delegate".to_owned(),
        DeploymentStatus::Paused { .. } => "paused".to_owned(),
        DeploymentStatus::WaitingForPerson { .. } => "waiting for a person".to_owned(),
        DeploymentStatus::WaitingForApproval { .. } => "waiting for approval".to_owned(),
        DeploymentStatus::RollingBack => "rolling back".to_owned(),
        DeploymentStatus::Finished { outcome } => outcome.to_string(),
    }
}

/// Deployments as a table, in the order given.
pub fn deployments(views: &[DeploymentView], look: Look) -> String {
    if views.is_empty() {
        return "No deployments yet.\n".to_owned();
    }
    if look.width.is_some_and(|width| width < WIDE) {
        let row = |view: &DeploymentView| vec![view.id.to_string(), view.tag.clone(), standing_word(view), took(view)];
        return table(&["ID", "TAG", "STATUS", "TOOK"], views.iter().map(row), look.width);
    }
    let row = |view: &DeploymentView| {
        vec![
            view.id.to_string(),
            view.workflow.clone(),
            view.tag.clone(),
            view.infrastructure.clone(),
            standing_word(view),
            took(view),
            time(view.created_at_ms),
            view.triggered_by.clone(),
        ]
    };
    let header = ["ID", "WORKFLOW", "TAG", "INFRASTRUCTURE", "STATUS", "TOOK", "STARTED", "BY"];
    table(&header, views.iter().map(row), look.width)
}

/// The status in a table: a success that was taken back later is no longer called one.
fn standing_word(view: &DeploymentView) -> String {
    match (view.rolled_back_by, view.rolls_back, &view.status) {
        (Some(_), _, _) => "succeeded, rolled back later".to_owned(),
        (None, Some(_), status) => format!("rollback: {}", status_word(status)),
        (None, None, status) => status_word(status),
    }
}

fn took(view: &DeploymentView) -> String {
    between(Some(view.created_at_ms), view.finished_at_ms)
}

/// One deployment in full.
pub fn show(view: &DeploymentView) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{}  {}", view.id, status_word(&view.status));
    let _ = writeln!(text, "  workflow        {}/{}", visible(&view.application), visible(&view.workflow));
    let _ = writeln!(text, "  image           {}", visible(&view.image));
    let _ = writeln!(text, "  infrastructure  {} ({})", visible(&view.infrastructure), visible(&view.environment));
    let _ = writeln!(text, "  started         {} by {}", time(view.created_at_ms), visible(&view.triggered_by));
    if let Some(id) = view.rolls_back {
        let _ = writeln!(text, "  rolls back      {id}");
    }
    if let Some(id) = view.rolled_back_by {
        let _ = writeln!(text, "  rolled back by  {id}");
    }
    if let Some(shift) = view.shifted {
        let _ = writeln!(text, "  traffic         switched {} in {}", time(shift.at_ms), milliseconds(shift.switch_ms));
    }
    if view.finished_at_ms.is_some() {
        let _ = writeln!(text, "  took            {}", between(Some(view.created_at_ms), view.finished_at_ms));
    }
    if let Some(standing) = standing(&view.status, view.id) {
        let _ = write!(text, "\n{standing}");
    }
    for taken in &view.signals {
        let step = taken.step.and_then(|step| view.steps.iter().find(|known| known.index == step));
        let about = step.map_or_else(String::new, |step| format!(" {:?}", visible(&step.name)));
        let comment = taken.comment.as_ref().map_or_else(String::new, |comment| format!(": {}", visible(comment)));
        let what = format!("{}{about}", taken.signal);
        let _ = writeln!(text, "  {what:<14}  {} by {}{comment}", time(taken.at_ms), visible(&taken.who));
    }
    if let DeploymentStatus::Finished { outcome: Outcome::NeedsOperator(remains) } = &view.status {
        let undone = if is_reopenable(view) { "This could not be undone" } else { "Nothing was undone" };
        let _ = writeln!(text, "\n{undone}, a person has to look:");
        for sentence in remains {
            let _ = writeln!(text, "  - {}", visible(sentence));
        }
        if is_reopenable(view) {
            let _ = writeln!(text, "When that is mended, let it be undone: segue deployment retry {}", view.id);
        }
    }
    let mut phase = "";
    for step in &view.steps {
        if step.phase != phase {
            phase = &step.phase;
            let _ = writeln!(text, "\n{}", visible(phase));
        }
        let _ = write!(text, "{}", one_step(step));
    }
    text
}

fn one_step(step: &StepView) -> String {
    let took = between(step.started_at_ms, step.ended_at_ms);
    let mut text = format!("  {} {:<40} {:<10} {took}", mark(step.state), visible(&step.name), word(step.state));
    text.truncate(text.trim_end().len());
    text.push('\n');
    for attempt in step.attempts.iter().filter(|_| step.attempts.len() > 1) {
        let ended = attempt.ended.as_deref().unwrap_or("running");
        let _ = writeln!(
            text,
            "      {} attempt {} on {}: {}",
            attempt.direction.as_str(),
            attempt.attempt,
            attempt.delegate,
            visible(ended)
        );
    }
    if let Some(failed) = step.failure.as_ref().filter(|_| step.state != StepState::Succeeded) {
        text += &with_evidence(failed, "      ");
    }
    if let Some(undo) = &step.undo {
        let _ = writeln!(text, "  {} {:<40} {}", mark(undo.state), visible(&undo.name), word(undo.state));
        if let Some(failed) = &undo.failure {
            text += &with_evidence(failed, "      ");
        }
    }
    text
}

fn mark(state: StepState) -> &'static str {
    match state {
        StepState::Succeeded => "✓",
        StepState::Ignored => "–",
        StepState::Failed => "✗",
        StepState::Running | StepState::Wanted | StepState::WaitingToRetry | StepState::WaitingForPerson => "…",
        StepState::Pending | StepState::Skipped => " ",
    }
}

fn word(state: StepState) -> &'static str {
    match state {
        StepState::Succeeded => "done",
        StepState::Failed => "failed",
        StepState::Running => "running",
        StepState::Wanted => "waiting",
        StepState::WaitingToRetry => "retrying",
        StepState::WaitingForPerson => "waiting for a person",
        StepState::Ignored => "failed, ignored",
        StepState::Pending => "pending",
        StepState::Skipped => "skipped",
    }
}
