//! How a task ended: by its holder's report, or because the holder is gone.

use domain::{
    step::StepOutput,
    task::{TaskKey, TaskReport},
};

use super::{draft::Draft, task};
use crate::{
    event::{Event, Loss},
    input::Holder,
    planted::{Planted, is_planted},
    rejection::Rejection,
    state::{AttemptEnd, Course},
};

/// The holder's own report. The same again is harmless; a different one, or one for an older attempt, is refused.
pub(super) fn report(draft: &mut Draft, task: TaskKey, holder: Holder, report: &TaskReport) -> Result<(), Rejection> {
    let newest = draft.deployment().held().map(|(held, ..)| held);
    if let Some(held) = newest.filter(|held| is_planted(Planted::AcceptStale) && same_course(*held, task)) {
        draft.record(ended(held, report, draft.now_ms));
        return Ok(());
    }
    let (course, attempt) = task::newest(draft.deployment(), task, holder)?;
    match (&attempt.ended, report) {
        (None, _) => {
            draft.record(ended(task, report, draft.now_ms));
            Ok(())
        }
        (Some((AttemptEnd::Succeeded, _)), TaskReport::Succeeded { output }) => repeated(has_output(course, output)),
        (Some((AttemptEnd::Failed(known), _)), TaskReport::Failed { failure }) => repeated(known.as_ref() == failure),
        (Some((AttemptEnd::Lost(Loss::HandedBack), _)), TaskReport::HandedBack) => Ok(()),
        (Some((AttemptEnd::Lost(Loss::HandedBack), _)), TaskReport::Succeeded { .. } | TaskReport::Failed { .. }) => {
            Err(Rejection::AlreadyDone)
        }
        (
            Some((AttemptEnd::Lost(Loss::LeaseEnded | Loss::DelegateRestarted | Loss::Disowned), _)),
            TaskReport::Succeeded { .. } | TaskReport::Failed { .. } | TaskReport::HandedBack,
        ) => Err(Rejection::Lost),
        (Some((AttemptEnd::Succeeded, _)), TaskReport::Failed { .. } | TaskReport::HandedBack)
        | (Some((AttemptEnd::Failed(_), _)), TaskReport::Succeeded { .. } | TaskReport::HandedBack) => {
            Err(Rejection::AlreadyDone)
        }
    }
}

/// The holder is gone, and its lease with it. Of a task that ended before, or was handed on since, there is nothing to lose.
pub(super) fn lost(draft: &mut Draft, task: TaskKey, why: Loss) -> Result<(), Rejection> {
    let (_, attempt) = task::known(draft.deployment(), task)?;
    if attempt.ended.is_none() {
        draft.record(Event::TaskLost { task, why, at_ms: draft.now_ms });
    }
    Ok(())
}

fn ended(task: TaskKey, report: &TaskReport, at_ms: i64) -> Event {
    match report {
        TaskReport::Succeeded { output } => Event::Succeeded { task, output: output.clone(), at_ms },
        TaskReport::Failed { failure } => Event::AttemptFailed { task, failure: failure.clone(), at_ms },
        TaskReport::HandedBack => Event::TaskLost { task, why: Loss::HandedBack, at_ms },
    }
}

fn same_course(one: TaskKey, other: TaskKey) -> bool {
    (one.step, one.direction) == (other.step, other.direction)
}

fn has_output(course: &Course, output: &StepOutput) -> bool {
    course.output().is_some_and(|known| known.as_ref() == output)
}

fn repeated(same: bool) -> Result<(), Rejection> {
    if same { Ok(()) } else { Err(Rejection::AlreadyDone) }
}
