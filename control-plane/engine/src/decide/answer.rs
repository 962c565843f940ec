//! The one place where an input meets a deployment.

use super::{checkpoint, claim, create, draft::Draft, report, signal, timer};
use crate::{event::Event, input::Input, rejection::Rejection, state::Deployment};

/// The events that an input leads to; none when it is a harmless repeat or comes too late to matter. `now_ms` is the control
/// plane's clock, in milliseconds since 1970-01-01 UTC.
///
/// # Errors
/// Why the input is refused: it changes nothing then.
pub fn decide(deployment: &Deployment, input: &Input, now_ms: i64) -> Result<Vec<Event>, Rejection> {
    let mut draft = Draft::new(deployment, now_ms);
    match input {
        Input::Create(plan) => create::repeat(&draft, plan)?,
        Input::Start => create::start(&mut draft),
        Input::Claim { task, holder } => claim::claim(&mut draft, *task, *holder)?,
        Input::Checkpoint { task, holder, number, checkpoint } => {
            checkpoint::record(&mut draft, *task, *holder, *number, checkpoint)?;
        }
        Input::Report { task, holder, report } => report::report(&mut draft, *task, *holder, report)?,
        Input::TaskLost { task, why } => report::lost(&mut draft, *task, *why)?,
        Input::TimerFired(id) => timer::fired(&mut draft, *id)?,
        Input::Signal { who, signal, step, comment } => {
            signal::signal(&mut draft, who, *signal, *step, comment.as_deref())?;
        }
    }
    Ok(draft.settled())
}
