//! A person's word.

use super::draft::Draft;
use crate::{event::Event, input::Signal, rejection::Rejection};

/// The newest word counts, except that an abort is final: a task that was told to stop for it may end half done.
pub(super) fn signal(draft: &mut Draft, who: &str, signal: Signal) -> Result<(), Rejection> {
    let deployment = draft.deployment();
    if let Some(outcome) = deployment.outcome() {
        return Err(Rejection::Finished { outcome: outcome.clone() });
    }
    let said = deployment.signal.as_ref().map(|(said, _)| *said);
    match (said, signal, deployment.rollback.is_some()) {
        (Some(Signal::Abort), Signal::Abort, _) => Ok(()),
        (Some(Signal::Abort), Signal::RollBack, _) => Err(Rejection::Aborting),
        (Some(Signal::RollBack), Signal::RollBack, _) | (None, Signal::RollBack, true) => Ok(()),
        (None, Signal::RollBack, false) | (None | Some(Signal::RollBack), Signal::Abort, _) => {
            draft.record(Event::Signalled { who: who.to_owned(), signal, at_ms: draft.now_ms });
            Ok(())
        }
    }
}
