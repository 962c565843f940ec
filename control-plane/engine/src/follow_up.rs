//! What the engine itself owes after an event: opening the next step, a retry or giving up, the rollback, the end.
//!
//! [`follow_up`] names the next such event, derived from nothing but the state. [`crate::decide`] adds all of them to every batch,
//! so a batch leaves a settled state. Should only a part of a batch have become durable, the state says so: [`crate::next()`]
//! asks for a timer at once, and its firing adds what is missing.

use domain::{
    failure::{Effect, Failure, FailureKind},
    outcome::Outcome,
    retry::RetryPolicy,
    signal::Signal,
    step::StepKind,
    strategy::{FailureAction, action_for},
    task::Direction,
};

use crate::{
    approval,
    event::Event,
    plan::PlannedStep,
    planted::{Planted, is_planted},
    state::{Asked, Course, Deployment, Stage, StepRecord},
    timing,
};

/// The next event that follows from the state alone; none when it is settled. `now_ms` only dates the event.
pub(crate) fn follow_up(deployment: &Deployment, now_ms: i64) -> Option<Event> {
    if deployment.finished.is_some() || deployment.held().is_some() {
        return None;
    }
    let finished = |outcome| Some(Event::Finished { outcome, at_ms: now_ms });
    match (&deployment.turn, &deployment.rollback) {
        (Some((Signal::Abort, _)), _) => finished(Outcome::Aborted),
        (_, Some(_)) => back(deployment, now_ms),
        (Some((Signal::RollBack, who)), None) => {
            Some(Event::RollbackStarted { reason: format!("{who} asked for it"), at_ms: now_ms })
        }
        (Some(_) | None, None) if deployment.started_at_ms.is_none() => None,
        (Some(_) | None, None) => forward(deployment, now_ms),
    }
}

/// Whether a step's undo is owed: it has one, and a delegate may have written. That is so from the first claim, which is durable
/// before anything is sent, and not only from success; until every attempt has reported that it certainly changed nothing.
pub(crate) fn undo_owed(planned: &PlannedStep, record: &StepRecord) -> bool {
    if is_planted(Planted::UndoOnlySucceeded) && record.perform.output().is_none() {
        return false;
    }
    planned.undo_title().is_some() && !record.perform.changed_nothing()
}

/// The step, or undo, whose turn it is: the first forward that is not done, or the last back that is owed and not over.
pub(crate) fn current(deployment: &Deployment) -> Option<(u32, Direction)> {
    match deployment.rollback {
        None => {
            deployment.numbered().find(|(_, _, record)| !record.perform.is_done()).map(|(step, ..)| (step, Direction::Perform))
        }
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
            let action = action_for(&planned.strategies, failure.kind).after_retries();
            match (action, course.asked) {
                (FailureAction::ManualIntervention { timeout_seconds, .. }, Asked::No) => {
                    let until_ms = timing::plus_seconds(now_ms, *timeout_seconds);
                    Some(Event::PersonAsked { step, until_ms, at_ms: now_ms })
                }
                (FailureAction::ManualIntervention { .. }, Asked::Until(_)) => None,
                (action, _) => given_up(deployment, step, planned, failure, action.last(), now_ms),
            }
        }
        Stage::Pending if deployment.paused.is_some() => None,
        Stage::Pending
        | Stage::Ready
        | Stage::Held
        | Stage::Failed(_)
        | Stage::Retrying { .. }
        | Stage::Succeeded { .. }
        | Stage::Passed { .. } => verdict(step, direction, planned, course, now_ms),
    }
}

/// What a step that nothing more is tried for comes to, by the last word of its failure strategy.
fn given_up(
    deployment: &Deployment,
    step: u32,
    planned: &PlannedStep,
    failure: &Failure,
    action: &FailureAction,
    now_ms: i64,
) -> Option<Event> {
    let reason = || format!("step {:?} failed: {}", planned.name, failure.message);
    let finished = |outcome| Some(Event::Finished { outcome, at_ms: now_ms });
    match action {
        FailureAction::Ignore if planned.undo_title().is_none() => Some(Event::Ignored { step, at_ms: now_ms }),
        FailureAction::Abort => finished(Outcome::Aborted),
        FailureAction::Fail => {
            let mut remains = vec![format!("{}; its failure strategy is to stop and undo nothing", reason())];
            remains.extend(standing(deployment));
            finished(Outcome::NeedsOperator(remains))
        }
        // A step that changes something is never passed over, whatever a plan says.
        FailureAction::Ignore
        | FailureAction::RollBack
        | FailureAction::Retry { .. }
        | FailureAction::ManualIntervention { .. } => Some(Event::RollbackStarted { reason: reason(), at_ms: now_ms }),
    }
}

/// What stands, or may stand, because nothing is undone.
fn standing(deployment: &Deployment) -> impl Iterator<Item = String> {
    deployment.numbered().filter(|(_, planned, record)| undo_owed(planned, record)).map(|(_, planned, record)| {
        let how = if record.perform.output().is_some() { "stands" } else { "may stand in part" };
        format!("what step {:?} did {how}", planned.name)
    })
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
        Stage::Pending
        | Stage::Ready
        | Stage::Held
        | Stage::Failed(_)
        | Stage::Retrying { .. }
        | Stage::Succeeded { .. }
        | Stage::Passed { .. } => None,
    }
}

/// What follows for one direction of a step that is not over.
fn verdict(step: u32, direction: Direction, planned: &PlannedStep, course: &Course, now_ms: i64) -> Option<Event> {
    let given_up = |failure| Some(Event::GivenUp { step, direction, failure, at_ms: now_ms });
    match (&course.stage, direction) {
        (Stage::Pending, _) => Some(Event::Opened { step, direction, at_ms: now_ms }),
        (Stage::Held | Stage::Succeeded { .. } | Stage::GivenUp { .. } | Stage::Passed { .. }, _) => None,
        (Stage::Ready | Stage::Retrying { .. } | Stage::Failed(_), Direction::Perform) if course.limit_passed => {
            let failure = timed_out(planned, course, direction);
            by_strategy(step, planned, course, &failure, now_ms).or_else(|| given_up(failure))
        }
        // An undo's attempt that took too long is tried again like one that failed for a passing reason.
        (Stage::Ready | Stage::Failed(_), Direction::Undo) if course.limit_passed => {
            retry(step, direction, planned, course).or_else(|| given_up(timed_out(planned, course, direction)))
        }
        (Stage::Ready, Direction::Perform) if planned.action.kind() == StepKind::Approval => match approval::rejection(course) {
            Some(failure) => by_strategy(step, planned, course, &failure, now_ms).or_else(|| given_up(failure)),
            None => approval::waiting(planned, course)
                .filter(|asked| approval::is_given(asked, course))
                .map(|_| Event::Approved { step, at_ms: now_ms }),
        },
        (Stage::Ready, Direction::Perform) if course.lost > planned.hand_overs => {
            let failure = lost(planned, course);
            by_strategy(step, planned, course, &failure, now_ms).or_else(|| given_up(failure))
        }
        (Stage::Ready, Direction::Undo) if course.lost > planned.hand_overs => given_up(lost(planned, course)),
        (Stage::Ready | Stage::Retrying { .. }, _) => None,
        (Stage::Failed(failure), Direction::Perform) if is_retried(planned, failure) => {
            by_strategy(step, planned, course, failure, now_ms).or_else(|| given_up(failure.as_ref().clone()))
        }
        (Stage::Failed(failure), _) => failure
            .transient
            .then(|| retry(step, direction, planned, course))
            .flatten()
            .or_else(|| given_up(failure.as_ref().clone())),
    }
}

/// Whether a failure strategy speaks of retries, instead of the step's own for failures that pass by themselves.
fn is_retried(planned: &PlannedStep, failure: &Failure) -> bool {
    matches!(action_for(&planned.strategies, failure.kind), FailureAction::Retry { .. })
}

/// The retry that a failure strategy asks for, if it has one left: each gets the step's whole time limit.
fn by_strategy(step: u32, planned: &PlannedStep, course: &Course, failure: &Failure, now_ms: i64) -> Option<Event> {
    let FailureAction::Retry { policy, .. } = action_for(&planned.strategies, failure.kind) else { return None };
    let delay_ms = policy.delay_ms(course.retries)?;
    let ended_at_ms = course.attempts.last().and_then(|attempt| attempt.ended.as_ref()).map_or(now_ms, |(_, at_ms)| *at_ms);
    let due_ms = timing::plus_ms(ended_at_ms, delay_ms);
    Some(Event::RetryScheduled { step, direction: Direction::Perform, due_ms, fresh_limit: true })
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
    in_time.then_some(Event::RetryScheduled { step, direction, due_ms, fresh_limit: false })
}

fn timed_out(planned: &PlannedStep, course: &Course, direction: Direction) -> Failure {
    if let Some(failure) = approval::timed_out(planned, course) {
        return failure;
    }
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
