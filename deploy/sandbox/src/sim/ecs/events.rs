//! Service events, in AWS's words.

use super::state::Event;
use crate::sim::context::Context;

/// Adds an event to a service's list, which keeps the newest hundred.
pub(super) fn say(context: &mut Context<'_>, key: &(String, String), text: &str) {
    let event = Event { id: context.uuid(), at: context.clock.epoch(), message: format!("(service {}) {text}", key.1) };
    if let Some(service) = context.ecs.services.get_mut(key) {
        service.events.push_front(event);
        service.events.truncate(100);
    }
}

/// `(task a) (task b)`.
pub(super) fn tasks(ids: &[String]) -> String {
    ids.iter().map(|id| format!("(task {id})")).collect::<Vec<_>>().join(" ")
}
