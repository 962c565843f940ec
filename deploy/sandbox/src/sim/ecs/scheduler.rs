//! The scheduler: makes desired counts come true, a small step each time it looks. It changes state only; sockets follow the state
//! (see `dataplane`).

use std::collections::BTreeMap;

use super::{
    breaker, events,
    life::{self, Launch},
    placement,
    render::{is_of, shared_by_tasks, tags_for_tasks},
    state::{Phase, ServiceStatus},
};
use crate::sim::{context::Context, elbv2::TargetState};

type Key = (String, String);

/// Tasks that one look launches at most for a service, and that a service has at most.
const BATCH: usize = 100;
const MOST_TASKS: usize = 5_000;
/// Deployments that are remembered once they are over.
const HISTORY: usize = 100;

/// One look at everything.
pub fn tick(context: &mut Context<'_>) {
    let ids: Vec<String> = context.ecs.tasks.keys().cloned().collect();
    for id in ids {
        life::age(context, &id);
    }
    let keys: Vec<Key> = context.ecs.services.keys().cloned().collect();
    for key in keys {
        reconcile(context, &key);
    }
    forget(context);
}

fn reconcile(context: &mut Context<'_>, key: &Key) {
    register(context, key);
    replace_unhealthy(context, key);
    if !matches!(context.ecs.services[key].status, ServiceStatus::Inactive(_)) {
        scale(context, key);
        settle(context, key);
    }
}

/// Registers the targets of tasks that are being activated.
fn register(context: &mut Context<'_>, key: &Key) {
    let targets = context.ecs.services[key].targets();
    let mut registered: BTreeMap<String, usize> = BTreeMap::new();
    let now = context.clock.now();
    for task in context.ecs.tasks.values_mut().filter(|task| is_of(task, key)) {
        if !matches!(task.phase, Phase::Activating(_)) || !task.registered.is_empty() {
            continue;
        }
        for (group, _, port) in &targets {
            if context.elb.register(group, task.address, *port, now) {
                task.registered.push((group.clone(), *port));
                *registered.entry(group.clone()).or_default() += 1;
            }
        }
    }
    for (group, count) in registered {
        events::say(context, key, &format!("registered {count} targets in (target-group {group})"));
    }
}

/// Stops tasks whose targets are unhealthy after the grace period.
fn replace_unhealthy(context: &mut Context<'_>, key: &Key) {
    let grace = context.ecs.services[key].grace();
    let now = context.clock.now();
    let mut sick = Vec::new();
    for task in context.ecs.tasks.values().filter(|task| is_of(task, key) && task.phase == Phase::Running) {
        if task.running_since.is_some_and(|since| now - since < grace) {
            continue;
        }
        for (group, port) in &task.registered {
            if let Some(TargetState::Unhealthy { description, .. }) = context.elb.target(group, task.address, *port) {
                sick.push((task.id.clone(), task.started_by.clone(), group.clone(), *port, description.clone()));
                break;
            }
        }
    }
    for (id, deployment, group, port, description) in sick {
        let text = format!("(task {id}) (port {port}) is unhealthy in (target-group {group}) due to (reason {description})");
        events::say(context, key, &text);
        life::stop(context, &id, "ServiceSchedulerInitiated", format!("Task failed ELB health checks in (target-group {group})"));
        breaker::failed(context, key, &deployment);
    }
}

/// Tasks of a service that are meant to go on, newest first: those of its PRIMARY deployment, or all the others.
fn wanted(context: &Context<'_>, key: &Key, primary: &str, current: bool) -> Vec<String> {
    let tasks = context.ecs.tasks.values().filter(|task| is_of(task, key) && task.is_wanted());
    let mut tasks: Vec<_> = tasks.filter(|task| (task.started_by == primary) == current).collect();
    tasks.sort_by(|a, b| b.created_at.total_cmp(&a.created_at));
    tasks.into_iter().map(|task| task.id.clone()).collect()
}

/// Starts what is missing and stops what is too many, within the deployment configuration's percentages.
fn scale(context: &mut Context<'_>, key: &Key) {
    let service = &context.ecs.services[key];
    let Some(primary) = service.deployments.first().cloned() else { return };
    let desired = usize::try_from(service.desired).unwrap_or(usize::MAX).min(MOST_TASKS);
    let (most, fewest) = (service.most_tasks(), service.fewest_healthy());
    let current = wanted(context, key, &primary.id, true);
    let older = wanted(context, key, &primary.id, false);

    let missing = desired.saturating_sub(current.len());
    let room = most.saturating_sub(current.len() + older.len());
    let start = missing.min(if older.is_empty() { missing } else { room }).min(BATCH);
    if start > 0 && primary.rollout_state != "FAILED" && !breaker::throttled(context, key, &primary) {
        launch(context, key, &primary.id, &primary.task_definition, start);
    }

    let mut surplus: Vec<String> = current.iter().take(current.len().saturating_sub(desired)).cloned().collect();
    let (serving, still) = (healthy(context, key, Some(&primary.id)), healthy(context, key, None));
    // Tasks of older deployments go as the new ones serve; those that do not serve anyway go first.
    let spare = if serving >= desired { older.len() } else { still.saturating_sub(fewest).min(older.len()) };
    let mut leaving = older;
    leaving.sort_by_key(|id| context.ecs.tasks.get(id).is_some_and(|task| serves(context, task)));
    surplus.extend(leaving.into_iter().take(if primary.rollout_state == "FAILED" { 0 } else { spare }));
    if !surplus.is_empty() {
        retire(context, key, &primary.id, &surplus);
    }
}

fn launch(context: &mut Context<'_>, key: &Key, deployment: &str, task_definition: &str, count: usize) {
    if placement::is_refused(context, task_definition) {
        placement::refuse(context, key, deployment);
        return;
    }
    let jitter = context.jittered(1.0);
    let started: Vec<String> = (0..count)
        .map(|_| {
            let service = &context.ecs.services[key];
            let (document, tags) = (shared_by_tasks(service), tags_for_tasks(context, service));
            let wanted =
                Launch { cluster: &key.0, service: Some(&key.1), by: deployment, task_definition, document, tags, jitter };
            life::launch(context, wanted)
        })
        .collect();
    events::say(context, key, &format!("has started {} tasks: {}.", started.len(), events::tasks(&started)));
}

fn retire(context: &mut Context<'_>, key: &Key, deployment: &str, surplus: &[String]) {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for id in surplus {
        for (group, _) in context.ecs.tasks.get(id).into_iter().flat_map(|task| &task.registered) {
            *groups.entry(group.clone()).or_default() += 1;
        }
        let reason = format!("Scaling activity initiated by (deployment {deployment})");
        life::stop(context, id, "ServiceSchedulerInitiated", reason);
    }
    events::say(context, key, &format!("has stopped {} running tasks: {}.", surplus.len(), events::tasks(surplus)));
    for (group, count) in groups {
        events::say(context, key, &format!("deregistered {count} targets in (target-group {group})"));
        events::say_of(context, key, deployment, &format!("has begun draining connections on {count} tasks."));
    }
}

/// Tasks that run and whose targets are all healthy, of one deployment or of all.
fn healthy(context: &Context<'_>, key: &Key, deployment: Option<&str>) -> usize {
    let tasks = context.ecs.tasks.values().filter(|task| is_of(task, key));
    tasks.filter(|task| deployment.is_none_or(|deployment| task.started_by == deployment) && serves(context, task)).count()
}

fn serves(context: &Context<'_>, task: &super::state::Task) -> bool {
    let healthy = |group: &str, port: u16| context.elb.target(group, task.address, port).is_some_and(TargetState::is_healthy);
    task.phase == Phase::Running && task.registered.iter().all(|(group, port)| healthy(group, *port))
}

/// Notices steady states, the end of deployments and the end of a service.
fn settle(context: &mut Context<'_>, key: &Key) {
    let service = &context.ecs.services[key];
    let Some(primary) = service.deployments.first().cloned() else { return };
    let desired = usize::try_from(service.desired).unwrap_or(usize::MAX);
    let all = || context.ecs.tasks.values().filter(|task| is_of(task, key) && !matches!(task.phase, Phase::Stopped(_)));
    let (alive, older) = (all().count(), all().filter(|task| task.started_by != primary.id).count());
    let (now, epoch) = (context.clock.now(), context.clock.epoch());
    if let ServiceStatus::Draining(since) = service.status {
        if alive == 0
            && now - since >= context.delays.draining_name
            && let Some(service) = context.ecs.services.get_mut(key)
        {
            service.status = ServiceStatus::Inactive(now);
        }
        return;
    }
    let serving = healthy(context, key, Some(&primary.id));
    notice_success(context, key, &primary.id);
    let service = &context.ecs.services[key];
    let steady = alive == desired && older == 0 && serving == desired && (primary.rollout_state != "FAILED" || desired == 0);
    let rested = now - service.changed_at >= context.delays.scheduler;
    let repeat = service.steady.is_none_or(|since| now - since >= context.delays.steady_repeat);
    let Some(service) = context.ecs.services.get_mut(key) else { return };
    if !steady {
        service.steady = None;
        return;
    }
    if !rested || !repeat {
        return;
    }
    service.steady = Some(now);
    let over = service.deployments.split_off(1);
    over.into_iter().rev().for_each(|deployment| service.history.push_front(deployment));
    service.history.truncate(HISTORY);
    let completed = primary.rollout_state == "IN_PROGRESS";
    if let Some(primary) = service.deployments.first_mut().filter(|_| completed) {
        primary.rollout_state = "COMPLETED";
        primary.updated_at = epoch;
    }
    if completed {
        events::say(context, key, &format!("(deployment {}) deployment completed.", primary.id));
    }
    events::say(context, key, "has reached a steady state.");
}

/// A task that serves for the first time ends a row of failures.
fn notice_success(context: &mut Context<'_>, key: &Key, deployment: &str) {
    let own = context.ecs.tasks.values().filter(|task| is_of(task, key) && task.started_by == deployment && !task.served);
    let fresh: Vec<String> = own.filter(|task| serves(context, task)).map(|task| task.id.clone()).collect();
    if fresh.is_empty() {
        return;
    }
    for id in fresh {
        if let Some(task) = context.ecs.tasks.get_mut(&id) {
            task.served = true;
        }
    }
    if let Some(service) = context.ecs.services.get_mut(key) {
        service.complained_at = None;
        if let Some(primary) = service.deployments.first_mut().filter(|primary| primary.rollout_state != "FAILED") {
            primary.failed_tasks = 0;
        }
    }
}

/// Services long gone are described no more; stopped tasks stay visible for an hour.
fn forget(context: &mut Context<'_>) {
    let now = context.clock.now();
    let inactive = context.delays.inactive;
    context.ecs.services.retain(|_, service| !matches!(service.status, ServiceStatus::Inactive(since) if now - since > inactive));
    context.ecs.tasks.retain(|_, task| !matches!(task.phase, Phase::Stopped(at) if now - at > 3_600.0));
}
