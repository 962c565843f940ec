//! Tasks for which there is no room: none is made, an event says so, and it is tried again ever later.

use super::{breaker, conduct::Conduct, events, life, obstacle::Obstacle, render_task::on_fargate};
use crate::sim::context::Context;

/// Whether a version finds room nowhere.
pub(super) fn is_refused(context: &Context<'_>, task_definition: &str) -> bool {
    let refused = |conduct: &Conduct| conduct.obstacle == Some(Obstacle::NoCapacity);
    life::containers(context, task_definition, "").iter().any(|container| refused(&container.conduct))
}

/// Notes that a service's task can't be placed.
pub(super) fn refuse(context: &mut Context<'_>, key: &(String, String), deployment: &str) {
    let now = context.clock.now();
    let instance = context.hex(32);
    let Some(service) = context.ecs.services.get_mut(key) else { return };
    service.unplaced_at = Some(now);
    let text = Obstacle::unplaced(on_fargate(&service.document), &instance);
    events::say(context, key, &text);
    breaker::failed(context, key, deployment);
}
