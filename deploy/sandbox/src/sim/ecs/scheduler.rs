//! The scheduler: makes desired counts come true, a small step each time it looks. It changes state only; sockets follow the state
//! (see `dataplane`).

use std::collections::BTreeMap;

use super::{
    events,
    render::{definition, is_of},
    state::{Phase, ServiceStatus, Task},
};
use crate::sim::{context::Context, elbv2::TargetState};

type Key = (String, String);

/// One look at everything.
pub fn tick(context: &mut Context<'_>) {
    let ids: Vec<String> = context.ecs.tasks.keys().cloned().collect();
    for id in ids {
        age(context, &id);
    }
    let keys: Vec<Key> = context.ecs.services.keys().cloned().collect();
    for key in keys {
        reconcile(context, &key);
    }
    forget(context);
}

/// Starts a task and gives its id.
pub(super) fn launch(
    context: &mut Context<'_>,
    cluster: &str,
    service: Option<&str>,
    by: &str,
    task_definition: &str,
    jitter: f64,
) -> String {
    let id = context.hex(32);
    let until = context.clock.now() + context.delays.provisioning * jitter;
    let task = Task {
        id: id.clone(),
        cluster: cluster.to_owned(),
        service: service.map(str::to_owned),
        started_by: by.to_owned(),
        task_definition: task_definition.to_owned(),
        phase: Phase::Provisioning(until),
        jitter,
        address: context.addresses.take(),
        created_at: context.clock.epoch(),
        started_at: None,
        running_since: None,
        stopped_at: None,
        stop: None,
        exit_code: None,
        registered: Vec::new(),
    };
    context.ecs.tasks.insert(id.clone(), task);
    id
}

/// Moves one task along its life.
fn age(context: &mut Context<'_>, id: &str) {
    let now = context.clock.now();
    let task = &context.ecs.tasks[id];
    let next = match task.phase {
        Phase::Provisioning(until) if now >= until => {
            let extra = environment(context, &task.task_definition, "SANDBOX_START_SECONDS").and_then(|text| text.parse().ok());
            let pending = context.delays.pending + extra.unwrap_or(0.0_f64).max(0.0);
            Phase::Pending(now + pending * task.jitter)
        }
        Phase::Pending(until) if now >= until => {
            let crash = environment(context, &task.task_definition, "SANDBOX_CRASH").and_then(|text| text.parse().ok());
            if let Some(code) = crash {
                crashed(context, id, code);
                return;
            }
            Phase::Activating(now + context.delays.activating * task.jitter)
        }
        Phase::Activating(until) if now >= until => Phase::Running,
        Phase::Draining if drained(context, task) => Phase::Stopping(now + context.jittered(context.delays.stopping)),
        Phase::Stopping(until) if now >= until => Phase::Stopped(now),
        _ => return,
    };
    let epoch = context.clock.epoch();
    let Some(task) = context.ecs.tasks.get_mut(id) else { return };
    task.phase = next;
    match next {
        Phase::Running => {
            task.started_at = Some(epoch);
            task.running_since = Some(now);
        }
        Phase::Stopped(_) => {
            task.stopped_at = Some(epoch);
            task.exit_code.get_or_insert(0);
        }
        _ => {}
    }
}

/// A container that ends as soon as it is started.
fn crashed(context: &mut Context<'_>, id: &str, code: i32) {
    let (now, epoch) = (context.clock.now(), context.clock.epoch());
    let Some(task) = context.ecs.tasks.get_mut(id) else { return };
    task.phase = Phase::Stopped(now);
    task.stopped_at = Some(epoch);
    task.stop = Some(("EssentialContainerExited", "Essential container in task exited".to_owned()));
    task.exit_code = Some(code);
    let (deployment, key) = (task.started_by.clone(), task.service.clone().map(|service| (task.cluster.clone(), service)));
    if let Some(key) = key {
        failed(context, &key, &deployment);
    }
}

/// Counts a failed task; with the circuit breaker on, enough of them fail the deployment.
fn failed(context: &mut Context<'_>, key: &Key, deployment: &str) {
    let Some(service) = context.ecs.services.get_mut(key) else { return };
    let breaker = service.document.get("deploymentConfiguration").and_then(|c| c.get("deploymentCircuitBreaker"));
    let breaker = breaker.and_then(|breaker| breaker.get("enable")).and_then(serde_json::Value::as_bool) == Some(true);
    let threshold = service.desired.div_ceil(2).clamp(3, 200);
    let Some(found) = service.deployments.iter_mut().find(|found| found.id == deployment) else { return };
    found.failed_tasks += 1;
    if breaker && found.failed_tasks >= threshold && found.rollout_state == "IN_PROGRESS" {
        found.rollout_state = "FAILED";
        let text = format!("(deployment {deployment}) deployment failed: tasks failed to start.");
        events::say(context, key, &text);
    }
}

/// Whether all of a task's targets have left.
fn drained(context: &Context<'_>, task: &Task) -> bool {
    task.registered.iter().all(|(group, port)| context.elb.target(group, task.address, *port).is_none())
}

fn reconcile(context: &mut Context<'_>, key: &Key) {
    register(context, key);
    replace_unhealthy(context, key);
    let service = &context.ecs.services[key];
    if matches!(service.status, ServiceStatus::Inactive(_)) {
        return;
    }
    scale(context, key);
    settle(context, key);
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
        let noun = if count == 1 { "target" } else { "targets" };
        events::say(context, key, &format!("registered {count} {noun} in (target-group {group})"));
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
        stop(context, &id, "ServiceSchedulerInitiated", format!("Task failed ELB health checks in (target-group {group})"));
        failed(context, key, &deployment);
    }
}

/// Starts what is missing and stops what is too many.
fn scale(context: &mut Context<'_>, key: &Key) {
    let service = &context.ecs.services[key];
    let Some(primary) = service.deployments.first().cloned() else { return };
    let desired = usize::try_from(service.desired).unwrap_or(usize::MAX);
    let of = |context: &Context<'_>, current: bool| -> Vec<String> {
        let tasks = context.ecs.tasks.values().filter(|task| is_of(task, key) && task.is_wanted());
        let mut tasks: Vec<_> = tasks.filter(|task| (task.started_by == primary.id) == current).collect();
        tasks.sort_by(|a, b| b.created_at.total_cmp(&a.created_at));
        tasks.into_iter().map(|task| task.id.clone()).collect()
    };
    let current = of(context, true);
    if current.len() < desired && primary.rollout_state != "FAILED" && !throttled(context, key, &primary.id) {
        let jitter = context.jittered(1.0);
        let started: Vec<String> = (current.len()..desired)
            .map(|_| launch(context, &key.0, Some(&key.1), &primary.id, &primary.task_definition, jitter))
            .collect();
        let text = format!("has started {} tasks: {}.", started.len(), events::tasks(&started));
        events::say(context, key, &text);
    }
    let reason = format!("Scaling activity initiated by (deployment {})", primary.id);
    let mut surplus: Vec<String> = current.into_iter().take(of(context, true).len().saturating_sub(desired)).collect();
    // Tasks of older deployments go when the new ones serve.
    if healthy(context, key, &primary.id) >= desired {
        surplus.extend(of(context, false));
    }
    if surplus.is_empty() {
        return;
    }
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for id in &surplus {
        for (group, _) in &context.ecs.tasks[id].registered {
            *groups.entry(group.clone()).or_default() += 1;
        }
        stop(context, id, "ServiceSchedulerInitiated", reason.clone());
    }
    events::say(context, key, &format!("has stopped {} running tasks: {}.", surplus.len(), events::tasks(&surplus)));
    for (group, count) in groups {
        events::say(context, key, &format!("deregistered {count} targets in (target-group {group})"));
        events::say(context, key, &format!("has begun draining connections on {count} tasks."));
    }
}

/// A service whose tasks keep failing is given time between launches.
fn throttled(context: &Context<'_>, key: &Key, deployment: &str) -> bool {
    let Some(service) = context.ecs.services.get(key) else { return true };
    let failures = service.deployments.iter().find(|found| found.id == deployment).map_or(0, |found| found.failed_tasks);
    if failures < 3 {
        return false;
    }
    let last = context.ecs.tasks.values().filter(|task| is_of(task, key)).filter_map(|task| match task.phase {
        Phase::Stopped(at) => Some(at),
        _ => None,
    });
    let pause = 10.0 * f64::from(failures.min(12));
    last.fold(f64::NEG_INFINITY, f64::max) + pause > context.clock.now()
}

/// Tasks of a deployment that run and whose targets are all healthy.
fn healthy(context: &Context<'_>, key: &Key, deployment: &str) -> usize {
    let running = context.ecs.tasks.values().filter(|task| is_of(task, key) && task.started_by == deployment);
    running
        .filter(|task| task.phase == Phase::Running)
        .filter(|task| {
            task.registered
                .iter()
                .all(|(group, port)| context.elb.target(group, task.address, *port).is_some_and(TargetState::is_healthy))
        })
        .count()
}

/// Tells a service to stop one task, targets first.
fn stop(context: &mut Context<'_>, id: &str, code: &'static str, reason: String) {
    let now = context.clock.now();
    let until = now + context.jittered(context.delays.stopping);
    let Some(task) = context.ecs.tasks.get_mut(id) else { return };
    task.stop = Some((code, reason));
    task.phase = if task.registered.is_empty() { Phase::Stopping(until) } else { Phase::Draining };
    let (address, registered) = (task.address, task.registered.clone());
    for (group, port) in registered {
        context.elb.deregister(&group, address, port, now);
    }
}

/// Notices steady states, the end of deployments and the end of a service.
fn settle(context: &mut Context<'_>, key: &Key) {
    let service = &context.ecs.services[key];
    let Some(primary) = service.deployments.first().cloned() else { return };
    let desired = usize::try_from(service.desired).unwrap_or(usize::MAX);
    let all = || context.ecs.tasks.values().filter(|task| is_of(task, key) && !matches!(task.phase, Phase::Stopped(_)));
    let (alive, older) = (all().count(), all().filter(|task| task.started_by != primary.id).count());
    let now = context.clock.now();
    if let ServiceStatus::Draining(since) = service.status {
        if alive == 0 && now - since >= context.delays.draining_name {
            if let Some(service) = context.ecs.services.get_mut(key) {
                service.status = ServiceStatus::Inactive(now);
            }
        }
        return;
    }
    let steady = alive == desired && older == 0 && healthy(context, key, &primary.id) == desired;
    let rested = now - service.changed_at >= context.delays.scheduler;
    if !steady || !rested || service.steady {
        if !steady {
            if let Some(service) = context.ecs.services.get_mut(key) {
                service.steady = false;
            }
        }
        return;
    }
    let epoch = context.clock.epoch();
    let mut completed = false;
    if let Some(service) = context.ecs.services.get_mut(key) {
        service.steady = true;
        service.deployments.truncate(1);
        if let Some(primary) = service.deployments.first_mut() {
            if primary.rollout_state == "IN_PROGRESS" {
                primary.rollout_state = "COMPLETED";
                primary.updated_at = epoch;
                completed = true;
            }
            primary.failed_tasks = 0;
        }
    }
    if completed {
        events::say(context, key, &format!("(deployment {}) deployment completed.", primary.id));
    }
    events::say(context, key, "has reached a steady state.");
}

/// Services long gone are described no more; stopped tasks stay visible for an hour.
fn forget(context: &mut Context<'_>) {
    let now = context.clock.now();
    let inactive = context.delays.inactive;
    context.ecs.services.retain(|_, service| !matches!(service.status, ServiceStatus::Inactive(since) if now - since > inactive));
    context.ecs.tasks.retain(|_, task| !matches!(task.phase, Phase::Stopped(at) if now - at > 3_600.0));
}

/// A variable of any container of a task definition: how a version says how it behaves here.
fn environment(context: &Context<'_>, task_definition: &str, name: &str) -> Option<String> {
    let containers = definition(context, task_definition)?.get("containerDefinitions")?.as_array()?;
    let variables = containers.iter().filter_map(|container| container.get("environment")?.as_array());
    let found = variables.flatten().find(|variable| variable["name"] == name)?;
    found["value"].as_str().map(str::to_owned)
}
