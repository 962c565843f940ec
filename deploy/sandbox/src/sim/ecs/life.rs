//! A task's life: launched, provisioned, running, told to stop, stopped. One step each time the scheduler looks.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    awslogs::{self, LogPlace},
    conduct::{Conduct, version},
    ending,
    render::definition,
    state::{Container, Phase, Tags, Task},
};
use crate::sim::context::Context;

/// What a well-behaved container writes when it is told to stop.
const SIGNALLED: &str = "SIGTERM: no new requests";

/// What a task is to be.
pub(super) struct Launch<'a> {
    /// Its cluster.
    pub cluster: &'a str,
    /// Its service; none for a task of its own.
    pub service: Option<&'a str>,
    /// The deployment or caller that starts it.
    pub by: &'a str,
    /// Full ARN of its task definition.
    pub task_definition: &'a str,
    /// What it shares with its request or service.
    pub document: Map<String, Value>,
    /// Its tags.
    pub tags: Tags,
    /// How much slower or faster than usual its start is; tasks launched together share it.
    pub jitter: f64,
}

/// Starts a task and gives its id.
pub(super) fn launch(context: &mut Context<'_>, wanted: Launch<'_>) -> String {
    let id = context.hex(32);
    let task = Task {
        id: id.clone(),
        cluster: wanted.cluster.to_owned(),
        service: wanted.service.map(str::to_owned),
        started_by: wanted.by.to_owned(),
        task_definition: wanted.task_definition.to_owned(),
        document: wanted.document,
        tags: wanted.tags,
        phase: Phase::Provisioning(context.clock.now() + context.delays.provisioning * wanted.jitter),
        jitter: wanted.jitter,
        address: context.addresses.take(),
        created_at: context.clock.epoch(),
        started_at: None,
        running_since: None,
        stopping_at: None,
        stopped_at: None,
        stop: None,
        containers: containers(context, wanted.task_definition, &id),
        exit_code: None,
        ends: BTreeMap::new(),
        served: false,
        registered: Vec::new(),
    };
    context.ecs.tasks.insert(id.clone(), task);
    id
}

/// Moves one task along.
pub(super) fn age(context: &mut Context<'_>, id: &str) {
    let now = context.clock.now();
    let Some(task) = context.ecs.tasks.get(id) else { return };
    let jitter = task.jitter;
    let next = match task.phase {
        Phase::Provisioning(until) if now >= until => {
            let slow = task.containers.iter().map(|container| container.conduct.start_seconds).fold(0.0, f64::max);
            let pending = context.delays.pending + slow;
            Phase::Pending(now + pending * jitter)
        }
        Phase::Pending(until) if now >= until => {
            if ending::befalls_start(context, id) {
                return;
            }
            Phase::Activating(now + context.delays.activating * jitter)
        }
        Phase::Activating(until) if now >= until => Phase::Running,
        Phase::Running => {
            ending::befalls_running(context, id);
            return;
        }
        Phase::Draining if drained(context, task) => Phase::Stopping(now + context.jittered(context.delays.stopping)),
        Phase::Stopping(until) if now >= until => Phase::Deprovisioning(now + context.jittered(context.delays.deprovisioning)),
        Phase::Deprovisioning(until) if now >= until => Phase::Stopped(now),
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
        Phase::Stopping(_) => awslogs::write_all(context, id, SIGNALLED),
        Phase::Deprovisioning(_) => {
            task.exit_code.get_or_insert(0);
            awslogs::write_all(context, id, "all requests are answered, exit code 0");
        }
        Phase::Stopped(_) => {
            task.stopped_at = Some(epoch);
            ending::count(context, id);
        }
        _ => {}
    }
}

/// Whether all of a task's targets have left.
fn drained(context: &Context<'_>, task: &Task) -> bool {
    task.registered.iter().all(|(group, port)| context.elb.target(group, task.address, *port).is_none())
}

/// Tells one task to stop; its targets drain first.
pub(super) fn stop(context: &mut Context<'_>, id: &str, code: &'static str, reason: String) {
    let until = context.clock.now() + context.jittered(context.delays.stopping);
    end(context, id, code, reason, |task| if task.registered.is_empty() { Phase::Stopping(until) } else { Phase::Draining });
}

/// Signals one task at once, its targets leaving meanwhile: what a bare `StopTask` does (draining first is a long-standing request,
/// aws/containers-roadmap issue 576).
pub(super) fn signal(context: &mut Context<'_>, id: &str, code: &'static str, reason: String) {
    let until = context.clock.now() + context.jittered(context.delays.stopping);
    end(context, id, code, reason, |_| Phase::Stopping(until));
}

fn end(context: &mut Context<'_>, id: &str, code: &'static str, reason: String, next: impl Fn(&Task) -> Phase) {
    let (now, epoch) = (context.clock.now(), context.clock.epoch());
    let Some(task) = context.ecs.tasks.get_mut(id) else { return };
    task.stop.get_or_insert((code, reason));
    task.stopping_at.get_or_insert(epoch);
    task.phase = next(task);
    let signalled = matches!(task.phase, Phase::Stopping(_));
    let (address, registered) = (task.address, task.registered.clone());
    if signalled {
        awslogs::write_all(context, id, SIGNALLED);
    }
    for (group, port) in registered {
        context.elb.deregister(&group, address, port, now);
    }
}

/// A task definition's containers, and how they behave. What can't be read was refused when it was registered.
pub(super) fn containers(context: &Context<'_>, task_definition: &str, task: &str) -> Vec<Container> {
    let listed = definition(context, task_definition).and_then(|document| document.get("containerDefinitions")?.as_array());
    let ports = |container: &Value| {
        let mappings = container["portMappings"].as_array().into_iter().flatten();
        mappings.filter_map(|mapping| mapping["containerPort"].as_u64()).collect()
    };
    let container = |(number, container): (usize, &Value)| Container {
        name: container["name"].as_str().unwrap_or_default().to_owned(),
        essential: container.get("essential").and_then(Value::as_bool) != Some(false),
        conduct: Conduct::of(container).unwrap_or_default(),
        version: version(container).to_owned(),
        ports: ports(container),
        log: LogPlace::of(container, task, number),
        told_sick: false,
    };
    listed.into_iter().flatten().enumerate().map(container).collect()
}
