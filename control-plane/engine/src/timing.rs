//! Time limits: when an attempt has to be done, and when the engine stops waiting for it.
//!
//! The delegate enforces the limit itself and reports; the engine's own timer comes a grace later, for the case that no report
//! does.

use domain::{step::StepAction, task::Direction};

use crate::{plan::PlannedStep, state::Course};

/// How much later than a step's limit the engine's own timer fires, in seconds.
pub const GRACE_SECONDS: u64 = 60;

/// `at_ms` plus so many seconds, without overflow.
pub(crate) fn plus_seconds(at_ms: i64, seconds: u64) -> i64 {
    plus_ms(at_ms, seconds.saturating_mul(1_000))
}

/// `at_ms` plus so many milliseconds, without overflow.
pub(crate) fn plus_ms(at_ms: i64, ms: u64) -> i64 {
    at_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// From when the limit counts. Forward: from the step's turn, over all attempts (anew for each where a
/// failure strategy asks for the retry). Back: from the newest attempt's claim, since an
/// undo rather waits for a delegate than not happen.
pub(crate) fn limit_counts_from(course: &Course, direction: Direction) -> Option<i64> {
    match direction {
        Direction::Perform => course.limit_from_ms,
        Direction::Undo => course.attempts.last().map(|attempt| attempt.claimed_at_ms),
    }
}

/// When the engine stops waiting; none while no limit runs.
pub(crate) fn limit_due_ms(course: &Course, step: &PlannedStep, direction: Direction) -> Option<i64> {
    let from = limit_counts_from(course, direction)?;
    // No delegate reports the end of what the engine keeps itself.
    let grace = if step.action.kind().is_engines_own() { 0 } else { GRACE_SECONDS };
    Some(plus_seconds(from, step.timeout_seconds.saturating_add(grace)))
}

/// Until when a forward step may begin another attempt.
pub(crate) fn last_start_ms(course: &Course, step: &PlannedStep) -> i64 {
    course.limit_from_ms.map_or(i64::MAX, |at| plus_seconds(at, step.timeout_seconds))
}

/// When a *Wait* is over; none for other kinds or before its turn.
pub(crate) fn wait_due_ms(course: &Course, step: &PlannedStep) -> Option<i64> {
    match &step.action {
        StepAction::Wait(wait) => course.opened_at_ms.map(|at| plus_seconds(at, wait.seconds)),
        StepAction::BlueGreenLoadBalancerSetup(_)
        | StepAction::BlueGreenRoute53Setup(_)
        | StepAction::PreviousVersionSetup(_)
        | StepAction::UpgradeContainers(_)
        | StepAction::SwapTargetGroups(_)
        | StepAction::ShiftTraffic(_)
        | StepAction::ChangeRoute53Weights(_)
        | StepAction::HttpCheck(_)
        | StepAction::Note(_)
        | StepAction::PrometheusCheck(_)
        | StepAction::CloudWatchAlarms(_)
        | StepAction::ShellScript(_)
        | StepAction::Notify(_)
        | StepAction::Approval(_) => None,
    }
}
