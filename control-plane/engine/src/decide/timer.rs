//! A timer is due.

use domain::task::Direction;

use super::draft::Draft;
use crate::{
    event::Event,
    next::{Next, TimerId, next},
    rejection::Rejection,
};

/// A timer that is not wanted any more comes too late and changes nothing; one that is not due yet is refused, so that the caller
/// sets it again.
pub(super) fn fired(draft: &mut Draft, id: TimerId) -> Result<(), Rejection> {
    let timers = match next(draft.deployment()) {
        Next::Finished(_) | Next::Queued => return Ok(()),
        Next::Outstanding { wanted: _, held: _, cancel: _, timers, hold: _ } => timers,
    };
    let Some(timer) = timers.into_iter().find(|timer| timer.id == id) else { return Ok(()) };
    if draft.now_ms < timer.due_ms {
        return Err(Rejection::TooEarly { due_ms: timer.due_ms });
    }
    let at_ms = draft.now_ms;
    match id {
        // The draft began by settling.
        TimerId::Settle => {}
        TimerId::Wait { step } => draft.record(Event::WaitEnded { step, at_ms }),
        TimerId::Retry { step, direction } => draft.record(Event::RetryDue { step, direction, at_ms }),
        TimerId::Answer { step } => draft.record(Event::NobodyAnswered { step, at_ms }),
        TimerId::Limit { step, direction: direction @ (Direction::Perform | Direction::Undo) } => {
            draft.record(Event::LimitPassed { step, direction, at_ms });
        }
    }
    Ok(())
}
