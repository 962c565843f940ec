//! What the engine itself owes after an event: opening the next step, a retry or giving up, the rollback, the end.
//!
//! [`follow_up`] names the next such event, derived from nothing but the state. [`crate::decide`] adds all of them to every batch,
//! so a batch leaves a settled state. Should only a part of a batch have become durable, the state says so: [`crate::next()`]
//! asks for a timer at once, and its firing adds what is missing.

use domain::{
    failure::{Effect, Failure, FailureKind},
    outcome::Outcome,
    retry::RetryPolicy,
    task::Direction,
};

use crate::{
    event::Event,
    input::Signal,
    plan::PlannedStep,
    planted::{Planted, is_planted},
    state::{Course, Deployment, Stage, StepRecord},
    timing,
};

/// The next event that follows from the state alone; none when it is settled. `now_ms` only dates the event.
pub(crate) fn follow_up(deployment: &Deployment, now_ms: i64) -> Option<Event> {
    if deployment.finished.is_some() || deployment.held().is_some() {
        return None;
    }
    let finished = |outcome| Some(Event::Finished { outcome, at_ms: now_ms });
    match (&deployment.signal, &deployment.rollback) {
        (Some((Signal::Abort, _)), _) => finished(Outcome::Aborted),
        (_, Some(_)) => back(deployment, now_ms),
        (Some((Signal::RollBack, who)), None) => {
            Some(Event::RollbackStarted { reason: format!("{who} asked for it"), at_ms: now_ms })
        }
        (None, None) if deployment.started_at_ms.is_none() => None,
        (None, None) => forward(deployment, now_ms),
    }
}

/// Whether a step's undo is owed: it has one, and a delegate may have written. That is so from the first claim, which is durable
/// before anything is sent, and not only from success.
pub(crate) fn undo_owed(planned: &PlannedStep, record: &StepRecord) -> bool {
    if is_planted(Planted::UndoOnlySucceeded) && record.perform.output().is_none() {
        return false;
    }
    planned.undo_title().is_some() && !record.perform.attempts.is_empty()
}

/// The step, or undo, whose turn it is: the first forward that did not succeed, or the last back that is owed and not over.
pub(crate) fn current(deployment: &Deployment) -> Option<(u32, Direction)> {
    match deployment.rollback {
        None => deployment
            .numbered()
            .find(|(_, _, record)| record.perform.output().is_none())
            .map(|(step, ..)| (step, Direction::Perform)),
        Some(_) => deployment
            .numbered()
            .rev()
            .find(|(_, planned, record)| undo_owed(planned, record) && !record.undo.is_over())
            .map(|(step, ..)| (step, Direction::Undo)),
    }
}

fn forward(deployment: &Deployment, now_ms: i64) -> Option<Event> {
    let Some((step, direction)) = current(deployment) else {
        return Some(Event::Finished { outcome: Outcome::Succeeded, at_ms: now_ms });
    };
    let (planned, course) = (deployment.planned(step)?, deployment.course(step, direction)?);
    match &course.stage {
        Stage::GivenUp { failure, .. } => {
            let reason = format!("step {:?} failed: {}", planned.name, failure.message);
            Some(Event::RollbackStarted { reason, at_ms: now_ms })
        }
        Stage::Pending | Stage::Ready | Stage::Held | Stage::Failed(_) | Stage::Retrying { .. } | Stage::Succeeded { .. } => {
            verdict(step, direction, planned, course, now_ms)
        }
    }
}

fn back(deployment: &Deployment, now_ms: i64) -> Option<Event> {
    if let Some((step, direction)) = current(deployment) {
        return verdict(step, direction, deployment.planned(step)?, deployment.course(step, direction)?, now_ms);
    }
    let remains: Vec<String> = deployment.numbered().filter_map(|(_, planned, record)| remains(planned, record)).collect();
    let outcome = if remains.is_empty() { Outcome::RolledBack } else { Outcome::NeedsOperator(remains) };
    Some(Event::Finished { outcome, at_ms: now_ms })
}

fn remains(planned: &PlannedStep, record: &StepRecord) -> Option<String> {
    match &record.undo.stage {
        Stage::GivenUp { failure, .. } => {
            let title = planned.undo_title().unwrap_or("undo");
            Some(format!("{title} of step {:?} did not succeed: {}", planned.name, failure.message))
        }
        Stage::Pending | Stage::Ready | Stage::Held | Stage::Failed(_) | Stage::Retrying { .. } | Stage::Succeeded { .. } => None,
    }
}

/// What follows for one direction of a step that is not over.
fn verdict(step: u32, direction: Direction, planned: &PlannedStep, course: &Course, now_ms: i64) -> Option<Event> {
    let given_up = |failure| Some(Event::GivenUp { step, direction, failure, at_ms: now_ms });
    match (&course.stage, direction) {
        (Stage::Pending, _) => Some(Event::Opened { step, direction, at_ms: now_ms }),
        (Stage::Held | Stage::Succeeded { .. } | Stage::GivenUp { .. }, _) => None,
        (Stage::Ready | Stage::Retrying { .. } | Stage::Failed(_), Direction::Perform) if course.limit_passed => {
            given_up(timed_out(planned, course, direction))
        }
        // An undo's attempt that took too long is tried again like one that failed for a passing reason.
        (Stage::Ready | Stage::Failed(_), Direction::Undo) if course.limit_passed => {
            retry(step, direction, planned, course).or_else(|| given_up(timed_out(planned, course, direction)))
        }
        (Stage::Ready, _) if course.lost > planned.hand_overs => given_up(lost(planned, course)),
        (Stage::Ready | Stage::Retrying { .. }, _) => None,
        (Stage::Failed(failure), _) => failure
            .transient
            .then(|| retry(step, direction, planned, course))
            .flatten()
            .or_else(|| given_up(failure.as_ref().clone())),
    }
}

/// The retry, if the policy has one left and the limit leaves time for it.
fn retry(step: u32, direction: Direction, planned: &PlannedStep, course: &Course) -> Option<Event> {
    let (_, ended_at_ms) = course.attempts.last()?.ended.as_ref()?;
    let delay_ms = match direction {
        Direction::Perform => planned.retry.delay_ms(course.retries),
        // However the step is set, an undo gets five tries: what it leaves behind is an operator's.
        Direction::Undo => planned.retry.delay_ms(course.retries).or_else(|| RetryPolicy::transient().delay_ms(course.retries)),
    }?;
    let due_ms = timing::plus_ms(*ended_at_ms, delay_ms);
    let in_time = direction == Direction::Undo || due_ms < timing::last_start_ms(course, planned);
    in_time.then_some(Event::RetryScheduled { step, direction, due_ms })
}

fn timed_out(planned: &PlannedStep, course: &Course, direction: Direction) -> Failure {
    let seconds = planned.timeout_seconds;
    let limit = match direction {
        Direction::Perform => format!("not done within its limit of {seconds} s"),
        Direction::Undo => format!("an attempt was not done within its limit of {seconds} s"),
    };
    let (message, effect) = match (&course.stage, course.attempts.is_empty()) {
        (Stage::Failed(last), _) => (format!("{limit}; the last attempt failed: {}", last.message), last.effect),
        (_, true) => (format!("{limit}: no delegate took it"), Effect::DidNotHappen),
        (_, false) => (limit, Effect::MayHaveHappened),
    };
    Failure { effect, ..Failure::refused(FailureKind::Timeout, message) }
}

fn lost(planned: &PlannedStep, course: &Course) -> Failure {
    let message = format!("lost {} times with the delegate that worked on it, {} are allowed", course.lost, planned.hand_overs);
    Failure::uncertain(FailureKind::Connectivity, message)
        .hint("Look at the delegates: they vanish or lose their connection while they work.")
}
