//! A fact from the holder of a task.

use domain::{step::Checkpoint, task::TaskKey};

use super::{draft::Draft, task};
use crate::{
    event::Event,
    input::Holder,
    rejection::Rejection,
    state::{AttemptEnd, Course},
};

/// A fact is recorded once. The same again, also after the task has ended, is acknowledged without an event.
pub(super) fn record(
    draft: &mut Draft,
    task: TaskKey,
    holder: Holder,
    number: u32,
    checkpoint: &Checkpoint,
) -> Result<(), Rejection> {
    let (course, attempt) = task::newest(draft.deployment(), task, holder)?;
    let repeated = is_repeated(course, number, checkpoint);
    match (&attempt.ended, repeated) {
        // Whoever lost its task must hear of it, also when this fact is known.
        (Some((AttemptEnd::Lost(_), _)), _) => Err(Rejection::Lost),
        (_, Some(true)) => Ok(()),
        (_, Some(false)) => Err(Rejection::CheckpointDiffers { number }),
        (Some((AttemptEnd::Succeeded | AttemptEnd::Failed(_), _)), None) => Err(Rejection::AlreadyDone),
        (None, None) => {
            let expected = u32::try_from(course.newest_checkpoints().len()).unwrap_or(u32::MAX);
            if number != expected {
                return Err(Rejection::CheckpointGap { expected });
            }
            draft.record(Event::CheckpointRecorded { task, number, checkpoint: checkpoint.clone() });
            Ok(())
        }
    }
}

/// Whether this number is recorded, and if so, with the same content.
fn is_repeated(course: &Course, number: u32, checkpoint: &Checkpoint) -> Option<bool> {
    let recorded = course.newest_checkpoints().get(usize::try_from(number).ok()?)?;
    Some(recorded.as_ref() == checkpoint)
}
