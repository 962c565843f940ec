//! A delegate gets the task that is wanted.

use domain::task::TaskKey;

use super::draft::Draft;
use crate::{
    event::Event,
    input::Holder,
    next::{Next, next},
    rejection::Rejection,
};

/// The wanted task is claimed. The same claim again is harmless; any other is refused, and the refusal says why.
pub(super) fn claim(draft: &mut Draft, task: TaskKey, holder: Holder) -> Result<(), Rejection> {
    let deployment = draft.deployment();
    if task.deployment != deployment.id() {
        return Err(Rejection::OtherDeployment);
    }
    let course = deployment.course(task.step, task.direction).ok_or(Rejection::UnknownTask)?;
    let (wanted, held) = match next(deployment) {
        Next::Finished(outcome) => return Err(Rejection::Finished { outcome }),
        Next::Queued => return Err(Rejection::NotWanted),
        Next::Outstanding { wanted, held, cancel: _, timers: _, hold: _ } => (wanted, held),
    };
    match (wanted, held) {
        (Some(wanted), _) if wanted.task == task => {
            let Holder { delegate, instance } = holder;
            draft.record(Event::Claimed { task, delegate, instance, at_ms: draft.now_ms });
            Ok(())
        }
        (_, Some(held)) if held.task == task && held.holder == holder => Ok(()),
        (_, Some(held)) if held.task == task => Err(Rejection::NotHeldBy { holder: held.holder }),
        (Some(_) | None, _) if task.attempt <= course.newest_attempt() => {
            Err(Rejection::Stale { newest_attempt: course.newest_attempt() })
        }
        (Some(_) | None, _) => Err(Rejection::NotWanted),
    }
}
