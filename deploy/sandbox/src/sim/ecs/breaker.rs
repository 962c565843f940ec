//! Tasks that fail: they are counted, launched ever more slowly, and with the circuit breaker on they fail the deployment, which may
//! go back to the last one that was completed.

use super::{
    events,
    render::is_of,
    services,
    state::{Deployment, Phase},
};
use crate::sim::context::Context;

type Key = (String, String);

/// How often a service repeats that its tasks do not start, in AWS's seconds.
const COMPLAINT: f64 = 300.0;

/// Counts a failed task of a deployment.
pub(super) fn failed(context: &mut Context<'_>, key: &Key, deployment: &str) {
    let now = context.clock.now();
    let Some(service) = context.ecs.services.get_mut(key) else { return };
    let (enabled, threshold) = (service.breaker("enable"), service.breaker_threshold());
    let Some(found) = service.deployments.iter_mut().find(|found| found.id == deployment) else { return };
    found.failed_tasks = found.failed_tasks.saturating_add(1);
    let failures = found.failed_tasks;
    if enabled && failures >= threshold && found.rollout_state == "IN_PROGRESS" {
        found.rollout_state = "FAILED";
        events::say(context, key, &format!("(deployment {deployment}) deployment failed: tasks failed to start."));
        roll_back(context, key, deployment);
    } else if failures >= 3 && service.complained_at.is_none_or(|at| now - at >= COMPLAINT) {
        service.complained_at = Some(now);
        events::say(context, key, "is unable to consistently start tasks successfully.");
    }
}

/// Goes back to the last completed deployment, if rolling back is on and there is one. Without one, as with a fresh service, the failed
/// deployment stalls.
fn roll_back(context: &mut Context<'_>, key: &Key, failed: &str) {
    let Some(service) = context.ecs.services.get(key) else { return };
    if !service.breaker("rollback") {
        return;
    }
    let completed = |deployment: &Deployment| deployment.rollout_state == "COMPLETED";
    let now = context.clock.epoch();
    if let Some(position) = service.deployments.iter().position(completed) {
        // Its tasks are still there: it becomes the primary one again, and they count as its own.
        let Some(service) = context.ecs.services.get_mut(key) else { return };
        let mut good = service.deployments.remove(position);
        good.rollout_state = "IN_PROGRESS";
        good.undoes = Some(failed.to_owned());
        good.updated_at = now;
        service.task_definition = good.task_definition.clone();
        service.steady = None;
        service.deployments.insert(0, good);
    } else if let Some(good) = service.history.iter().find(|deployment| completed(deployment)).cloned() {
        let undoing = services::deployment(context, good.task_definition.clone(), Some(failed.to_owned()));
        let Some(service) = context.ecs.services.get_mut(key) else { return };
        service.task_definition = good.task_definition;
        service.steady = None;
        service.deployments.insert(0, undoing);
    }
}

/// Whether a deployment has to wait before it launches again: launches that keep failing are put further and further apart, up to 27
/// minutes, and never given up.
pub(super) fn throttled(context: &Context<'_>, key: &Key, deployment: &Deployment) -> bool {
    let unplaced = context.ecs.services.get(key).and_then(|service| service.unplaced_at);
    if deployment.failed_tasks < 3 && unplaced.is_none() {
        return false;
    }
    let last = context.ecs.tasks.values().filter(|task| is_of(task, key)).filter_map(|task| match task.phase {
        Phase::Stopped(at) => Some(at),
        _ => None,
    });
    let pause = (10.0 * f64::from(deployment.failed_tasks)).min(27.0 * 60.0);
    last.fold(unplaced.unwrap_or(f64::NEG_INFINITY), f64::max) + pause > context.clock.now()
}
