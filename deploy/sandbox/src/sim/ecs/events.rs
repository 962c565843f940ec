//! Service events, in AWS's words.

use super::state::Event;
use crate::sim::context::Context;

/// Adds an event to a service's list, which keeps the newest hundred.
pub(super) fn say(context: &mut Context<'_>, key: &(String, String), text: &str) {
    add(context, key, format!("(service {}) {text}", key.1));
}

/// Adds an event that names a deployment beside the service.
pub(super) fn say_of(context: &mut Context<'_>, key: &(String, String), deployment: &str, text: &str) {
    add(context, key, format!("(service {}, taskSet {deployment}) {text}", key.1));
}

fn add(context: &mut Context<'_>, key: &(String, String), message: String) {
    let event = Event { id: context.uuid(), at: context.clock.epoch(), message };
    if let Some(service) = context.ecs.services.get_mut(key) {
        service.events.push_front(event);
        service.events.truncate(100);
    }
}

/// `(task a) (task b)`.
pub(super) fn tasks(ids: &[String]) -> String {
    ids.iter().map(|id| format!("(task {id})")).collect::<Vec<_>>().join(" ")
}
