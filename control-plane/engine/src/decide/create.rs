//! How a deployment begins: accepted into the queue, and started when its turn comes.

use std::sync::Arc;

use super::draft::Draft;
use crate::{event::Event, plan::Plan, rejection::Rejection};

/// The first events of a deployment: replaying them gives one that waits for its turn.
///
/// # Errors
/// [`Rejection::InvalidPlan`] when the plan can't be carried out.
pub fn create(plan: Arc<Plan>, now_ms: i64) -> Result<Vec<Event>, Rejection> {
    plan.validate()?;
    Ok(vec![Event::Created { plan, at_ms: now_ms }])
}

/// The start request came again.
pub(super) fn repeat(draft: &Draft, plan: &Arc<Plan>) -> Result<(), Rejection> {
    if draft.deployment().plan == *plan { Ok(()) } else { Err(Rejection::AlreadyCreated) }
}

/// Its turn came. Repeated, or after it was aborted in the queue: nothing.
pub(super) fn start(draft: &mut Draft) {
    let deployment = draft.deployment();
    if deployment.started_at_ms.is_none() && deployment.finished.is_none() {
        draft.record(Event::Started { at_ms: draft.now_ms });
    }
}
