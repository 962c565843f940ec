//! A person's word.

use domain::{signal::Signal, step::StepKind, task::Direction};

use super::draft::Draft;
use crate::{
    approval::waiting,
    event::Event,
    follow_up::current,
    input::Holder,
    next::{Hold, Next, next},
    rejection::Rejection,
    state::{Deployment, Stage},
};

/// Takes a word, or says why it can't be taken. What is so already is harmless.
pub(super) fn signal(
    draft: &mut Draft,
    who: &str,
    signal: Signal,
    step: Option<u32>,
    comment: Option<&str>,
) -> Result<(), Rejection> {
    let deployment = draft.deployment();
    if signal == Signal::Retry && deployment.is_reopenable() {
        draft.record(Event::Reopened { who: who.to_owned(), at_ms: draft.now_ms });
        return Ok(());
    }
    if let Some(outcome) = deployment.outcome() {
        return Err(Rejection::Finished { outcome: outcome.clone() });
    }
    let hits = match signal {
        Signal::Abort | Signal::RollBack => turn(deployment, signal)?.then_some(None),
        Signal::Pause if deployment.rollback.is_some() => return Err(Rejection::RollingBack),
        Signal::Pause => deployment.paused.is_none().then_some(None),
        Signal::Resume => deployment.paused.is_some().then_some(None),
        Signal::Retry | Signal::Ignore | Signal::Succeed => Some(Some(hit(deployment, signal, step)?)),
        Signal::Approve | Signal::Reject => approval(deployment, who, signal, step)?.map(Some),
    };
    if let Some(step) = hits {
        draft.record(Event::Signalled {
            who: who.to_owned(),
            signal,
            step,
            comment: comment.map(str::to_owned),
            at_ms: draft.now_ms,
        });
    }
    Ok(())
}

/// Which way it goes: the newest word counts, except that an abort is final, because a task that was told to stop for it may end
/// half done.
fn turn(deployment: &Deployment, signal: Signal) -> Result<bool, Rejection> {
    let said = deployment.turn.as_ref().map(|(said, _)| *said);
    match (said, signal) {
        (Some(Signal::Abort), Signal::Abort) => Ok(false),
        (Some(Signal::Abort), _) => Err(Rejection::Aborting),
        (_, Signal::Abort) => Ok(true),
        (said, _) => Ok(said.is_none() && deployment.rollback.is_none()),
    }
}

/// The step that a word about a step hits.
fn hit(deployment: &Deployment, signal: Signal, named: Option<u32>) -> Result<u32, Rejection> {
    let nothing = || Rejection::NothingToAnswer { signal, held: deployment.held().map(|(_, holder, _): (_, Holder, _)| holder) };
    if deployment.turn.is_some() {
        return Err(nothing());
    }
    let (step, direction) = current(deployment).ok_or_else(nothing)?;
    if named.is_some_and(|named| named != step) {
        return Err(Rejection::OtherStep { step });
    }
    let (planned, course) =
        (deployment.planned(step).ok_or_else(nothing)?, deployment.course(step, direction).ok_or_else(nothing)?);
    let asked = matches!(next(deployment), Next::Outstanding { hold: Some(Hold::Asked { .. }), .. });
    let waits = planned.action.kind() == StepKind::Wait && course.stage == Stage::Ready && direction == Direction::Perform;
    match signal {
        Signal::Retry if asked || matches!(course.stage, Stage::Retrying { .. }) => Ok(step),
        // What later steps build on, or what has to be undone, is not passed over: traffic could go to what is not there.
        Signal::Ignore | Signal::Succeed if asked && planned.undo_title().is_some() => {
            Err(Rejection::NotPassedOver { step: planned.name.clone() })
        }
        Signal::Ignore if asked => Ok(step),
        Signal::Succeed if asked || waits => Ok(step),
        Signal::Pause
        | Signal::Resume
        | Signal::Abort
        | Signal::RollBack
        | Signal::Retry
        | Signal::Ignore
        | Signal::Succeed
        | Signal::Approve
        | Signal::Reject => Err(nothing()),
    }
}

/// The approval that a yes or no hits; none when this person said yes before, which counts once.
fn approval(deployment: &Deployment, who: &str, signal: Signal, named: Option<u32>) -> Result<Option<u32>, Rejection> {
    let nothing = || Rejection::NothingToApprove { signal };
    if deployment.turn.is_some() {
        return Err(nothing());
    }
    let (step, direction) = current(deployment).ok_or_else(nothing)?;
    if named.is_some_and(|named| named != step) {
        return Err(Rejection::OtherStep { step });
    }
    let (planned, course) = deployment.planned(step).zip(deployment.course(step, direction)).ok_or_else(nothing)?;
    let asked = waiting(planned, course).filter(|_| course.rejected.is_none() && !course.limit_passed).ok_or_else(nothing)?;
    if !asked.may_answer(who) {
        return Err(Rejection::NotAnApprover { who: who.to_owned(), approvers: asked.approvers.clone() });
    }
    let before = signal == Signal::Approve && course.approved_by.iter().any(|name| name == who);
    Ok((!before).then_some(step))
}
