//! What must hold for every state of every deployment, as plain functions.
//!
//! They are written against the journal's facts, not against the code that decides, so that a mistake there is found here. The
//! explorer calls them in every reachable state, the running control plane after every event.

use std::collections::BTreeSet;

use domain::{
    outcome::Outcome,
    signal::Signal,
    step::{StepAction, StepKind},
    strategy::{FailureAction, action_for},
    task::Direction,
};

use crate::{
    event::Event,
    next::{Next, next},
    state::{Course, Deployment, Stage, StepRecord},
};

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invariant broken: {0}")]
pub struct Breach(pub String);

/// Everything that must hold of one state.
///
/// # Errors
/// The first invariant that does not hold.
pub fn check(deployment: &Deployment) -> Result<(), Breach> {
    one_writer(deployment)?;
    attempts_in_order(deployment)?;
    forward_in_order(deployment)?;
    back_in_order(deployment)?;
    outcome_is_true(deployment)?;
    approvals_count(deployment)?;
    something_outstanding(deployment)
}

/// At most one attempt may write to AWS, and none once it is over.
///
/// # Errors
/// When there are more.
pub fn one_writer(deployment: &Deployment) -> Result<(), Breach> {
    let open = courses(deployment).flat_map(|(_, _, course)| &course.attempts).filter(|attempt| attempt.ended.is_none()).count();
    require(open <= 1, || format!("{open} attempts are held at once"))?;
    require(open == 0 || deployment.finished.is_none(), || "a task is held though the deployment is over".to_owned())
}

/// Only the newest attempt of a step and direction can be held, and no attempt was made before the step's turn.
///
/// # Errors
/// When an older one is.
pub fn attempts_in_order(deployment: &Deployment) -> Result<(), Breach> {
    for (step, direction, course) in courses(deployment) {
        let held = course.attempts.last().is_some_and(|attempt| attempt.ended.is_none());
        let older_held = course.attempts.iter().rev().skip(1).any(|attempt| attempt.ended.is_none());
        let place = || format!("step {step}, {}", direction.as_str());
        require(!older_held, || format!("{}: an older attempt is held", place()))?;
        require(held == (course.stage == Stage::Held), || format!("{}: stage and attempts differ", place()))?;
        require(course.attempts.is_empty() || course.opened_at_ms.is_some(), || format!("{}: claimed, never opened", place()))?;
        let in_order = course.attempts.windows(2).all(|pair| pair[0].first_checkpoint <= pair[1].first_checkpoint);
        require(in_order, || format!("{}: checkpoints shrink", place()))?;
    }
    Ok(())
}

/// A step's turn comes only when every step before it is done.
///
/// # Errors
/// When one was opened early.
pub fn forward_in_order(deployment: &Deployment) -> Result<(), Breach> {
    let mut all_done = true;
    for (step, _, record) in deployment.numbered() {
        let opened = record.perform.opened_at_ms.is_some();
        require(!opened || all_done, || format!("step {step} was opened before its turn"))?;
        all_done &= record.perform.is_done();
    }
    Ok(())
}

/// Undo begins only in a rollback, only for steps that ever ran, and in reverse.
///
/// # Errors
/// When it is otherwise.
pub fn back_in_order(deployment: &Deployment) -> Result<(), Breach> {
    let mut later_over = true;
    for (step, planned, record) in deployment.numbered().rev() {
        let owed = is_owed(planned.action.kind(), record);
        let opened = record.undo.stage != Stage::Pending;
        require(!opened || deployment.rollback.is_some(), || format!("step {step} is undone outside a rollback"))?;
        require(!opened || owed, || format!("step {step} is undone though nothing ran"))?;
        // What was undone before a person had the rest tried again came first with good reason.
        let earlier = record.undo.is_over() && was_reopened(deployment);
        require(!opened || later_over || earlier, || format!("step {step} is undone before a later one"))?;
        later_over &= !owed || record.undo.is_over();
    }
    Ok(())
}

/// The outcome says what was done.
///
/// # Errors
/// When it does not.
pub fn outcome_is_true(deployment: &Deployment) -> Result<(), Breach> {
    let Some(outcome) = deployment.outcome() else { return Ok(()) };
    let owed = || deployment.numbered().filter(|(_, planned, record)| is_owed(planned.action.kind(), record));
    match outcome {
        Outcome::Succeeded => {
            let done = deployment.steps.iter().all(|record| record.perform.is_done());
            let passed = owed().all(|(_, _, record)| record.perform.output().is_some());
            require(passed, || "succeeded, but a step that changes something was passed over".to_owned())?;
            require(done && deployment.rollback.is_none(), || "succeeded, but not every step did".to_owned())
        }
        Outcome::RolledBack => {
            let undone = owed().all(|(_, _, record)| record.undo.output().is_some());
            require(undone && deployment.rollback.is_some(), || "rolled back, but an undo is owed".to_owned())
        }
        Outcome::NeedsOperator(remains) if deployment.rollback.is_none() => {
            require(strategy_ends(deployment, &FailureAction::Fail), || "stopped on nobody's word".to_owned())?;
            require(remains.len() > owed().count(), || "needs an operator, and does not tell everything that stands".to_owned())
        }
        Outcome::NeedsOperator(remains) => {
            let tried = owed().all(|(_, _, record)| record.undo.is_over());
            let failed = owed().filter(|(_, _, record)| matches!(record.undo.stage, Stage::GivenUp { .. })).count();
            require(tried, || "needs an operator, but an undo was never tried".to_owned())?;
            require(failed > 0 && failed == remains.len(), || "needs an operator, but not for what remains".to_owned())
        }
        Outcome::Aborted => require(is_aborted(deployment), || "aborted on nobody's word".to_owned()),
        Outcome::Rejected => Err(Breach("what was rejected has no journal".to_owned())),
    }
}

/// An approval that is given was given by as many different people as it asks for, and by nobody else.
///
/// # Errors
/// When it was not.
pub fn approvals_count(deployment: &Deployment) -> Result<(), Breach> {
    for (step, planned, record) in deployment.numbered() {
        let StepAction::Approval(approval) = &planned.action else { continue };
        let people: BTreeSet<&String> = record.perform.approved_by.iter().collect();
        require(people.len() == record.perform.approved_by.len(), || format!("step {step}: one person counts twice"))?;
        let asked = people.iter().all(|who| approval.may_answer(who));
        require(asked, || format!("step {step}: somebody counts who was not asked"))?;
        let enough = u32::try_from(people.len()).is_ok_and(|people| people >= approval.count);
        require(record.perform.output().is_none() || enough, || format!("step {step} went on with too few approvals"))?;
    }
    Ok(())
}

/// Not over means something is outstanding: its turn in the queue, a task, a timer, or a person's word.
///
/// # Errors
/// When nothing is.
pub fn something_outstanding(deployment: &Deployment) -> Result<(), Breach> {
    match next(deployment) {
        Next::Finished(_) => require(deployment.finished.is_some(), || "over without an end".to_owned()),
        Next::Queued => require(deployment.started_at_ms.is_none(), || "queued, though it started".to_owned()),
        Next::Outstanding { wanted, held, cancel, timers, hold } => {
            let something = wanted.is_some() || held.is_some() || hold.is_some() || !timers.is_empty();
            require(something, || "nothing is outstanding".to_owned())?;
            require(wanted.is_none() || held.is_none(), || "a task is wanted while one is held".to_owned())?;
            require(cancel.is_none() || cancel == held.map(|held| held.task), || "cancels what is not held".to_owned())
        }
    }
}

/// A journal read again gives this state.
///
/// # Errors
/// When it gives another one, or none.
pub fn replays_to(journal: &[Event], deployment: &Deployment) -> Result<(), Breach> {
    match Deployment::replay(journal) {
        Ok(replayed) => require(replayed == *deployment, || "the journal gives another state".to_owned()),
        Err(error) => Err(Breach(format!("the journal can't be replayed: {error}"))),
    }
}

fn was_reopened(deployment: &Deployment) -> bool {
    deployment.signals.iter().any(|taken| taken.signal == Signal::Retry && taken.step.is_none())
}

fn is_aborted(deployment: &Deployment) -> bool {
    matches!(deployment.turn, Some((Signal::Abort, _))) || strategy_ends(deployment, &FailureAction::Abort)
}

/// Whether a step was given up whose failure strategy comes to that.
fn strategy_ends(deployment: &Deployment, action: &FailureAction) -> bool {
    deployment.numbered().any(|(_, planned, record)| match &record.perform.stage {
        Stage::GivenUp { failure, .. } => action_for(&planned.strategies, failure.kind).last() == action,
        Stage::Pending
        | Stage::Ready
        | Stage::Held
        | Stage::Failed(_)
        | Stage::Retrying { .. }
        | Stage::Succeeded { .. }
        | Stage::Passed { .. } => false,
    })
}

/// From the first claim on, whoever held the task may have written, unless each of them reported that it did not.
fn is_owed(kind: StepKind, record: &StepRecord) -> bool {
    kind.undo_title().is_some() && !(record.perform.attempts.is_empty() || record.perform.changed_nothing())
}

fn courses(deployment: &Deployment) -> impl Iterator<Item = (u32, Direction, &Course)> {
    deployment
        .numbered()
        .flat_map(|(step, _, record)| [(step, Direction::Perform, &record.perform), (step, Direction::Undo, &record.undo)])
}

fn require(holds: bool, breach: impl FnOnce() -> String) -> Result<(), Breach> {
    if holds { Ok(()) } else { Err(Breach(breach())) }
}
