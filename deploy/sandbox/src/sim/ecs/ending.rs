//! Tasks that end by themselves: those that never start, and those one of whose essential containers exits.

use super::{
    awslogs, breaker,
    conduct::Health,
    events,
    obstacle::{Place, Told},
    render::definition,
    render_task::launch_type,
    state::{Container, ContainerEnd, Phase, Task},
};
use crate::sim::context::Context;

/// What becomes of a task whose containers are to be started now: true if it ended instead.
pub(super) fn befalls_start(context: &mut Context<'_>, id: &str) -> bool {
    let Some(task) = context.ecs.tasks.get(id) else { return false };
    let kept = task.containers.iter().find_map(|container| Some((container.name.clone(), container.conduct.obstacle?)));
    if let Some((name, obstacle)) = kept {
        let request = context.uuid();
        let told = told(context, id, &name, &request, |place| obstacle.told(place));
        if let Some(told) = told {
            let end = ContainerEnd { exit_code: None, reason: told.container };
            end_task(context, id, "TaskFailedToStart", told.task, (name, end));
            return true;
        }
    }
    if let Some((name, told)) = unlogged(context, id) {
        let end = ContainerEnd { exit_code: None, reason: told.container };
        end_task(context, id, "TaskFailedToStart", told.task, (name, end));
        return true;
    }
    say_start(context, id);
    let Some(task) = context.ecs.tasks.get_mut(id) else { return false };
    let crashed = exiting(task, 0.0);
    if let Some((name, code)) = crashed {
        task.started_at = Some(context.clock.epoch());
        exit(context, id, name, code);
        return true;
    }
    false
}

/// Ends a running task one of whose essential containers exits by now.
pub(super) fn befalls_running(context: &mut Context<'_>, id: &str) {
    let now = context.clock.now();
    say_sick(context, id);
    let Some(task) = context.ecs.tasks.get(id) else { return };
    let exiting = task.running_since.and_then(|since| exiting(task, now - since));
    if let Some((name, code)) = exiting {
        exit(context, id, name, code);
    }
}

/// Counts a task that has stopped without ever having run.
pub(super) fn count(context: &mut Context<'_>, id: &str) {
    let Some(task) = context.ecs.tasks.get(id).filter(|task| task.running_since.is_none()) else { return };
    if !matches!(task.stop, Some(("TaskFailedToStart" | "EssentialContainerExited", _))) {
        return;
    }
    if let Some(service) = task.service.clone() {
        let (key, deployment) = ((task.cluster.clone(), service), task.started_by.clone());
        breaker::failed(context, &key, &deployment);
    }
}

/// The essential container that exits before the task has run for longer than `ran`, and its code.
fn exiting(task: &Task, ran: f64) -> Option<(String, i32)> {
    let essential = task.containers.iter().filter(|container| container.essential);
    let exits = essential.filter_map(|container| Some((&container.name, container.conduct.exit?)));
    let first = exits.min_by(|(_, a), (_, b)| a.after.total_cmp(&b.after))?;
    (first.1.after <= ran).then(|| (first.0.clone(), i32::from(first.1.code)))
}

fn exit(context: &mut Context<'_>, id: &str, name: String, code: i32) {
    awslogs::write(context, id, &name, format!("FATAL: this version crashes on purpose, exit code {code}"));
    let end = ContainerEnd { exit_code: Some(code), reason: None };
    end_task(context, id, "EssentialContainerExited", "Essential container in task exited".to_owned(), (name, end));
    let Some(task) = context.ecs.tasks.get_mut(id) else { return };
    // The others were told to stop, and do as they are told.
    task.exit_code = Some(0);
}

/// The container whose log can't be opened, and what AWS says of it.
fn unlogged(context: &mut Context<'_>, id: &str) -> Option<(String, Told)> {
    let task = context.ecs.tasks.get(id)?;
    let fargate = launch_type(task) == "FARGATE";
    let places: Vec<_> =
        task.containers.iter().filter_map(|container| Some((container.name.clone(), container.log.clone()?))).collect();
    places.into_iter().find_map(|(name, place)| Some((name, place.open(context, fargate).err()?)))
}

/// What containers write as they start.
fn say_start(context: &mut Context<'_>, id: &str) {
    let Some(task) = context.ecs.tasks.get(id) else { return };
    for container in task.containers.clone() {
        awslogs::write(context, id, &container.name, format!("{} {} starts", container.name, container.version));
        if container.conduct.exit.is_some_and(|exit| exit.after <= 0.0) {
            continue;
        }
        for port in &container.ports {
            awslogs::write(context, id, &container.name, format!("listening on port {port}"));
        }
        if container.conduct.health == Health::Bad {
            awslogs::write(context, id, &container.name, "WARN: this version fails its health checks on purpose");
        }
        if container.conduct.failing_share > 0.0 {
            let share = container.conduct.failing_share * 100.0;
            awslogs::write(context, id, &container.name, format!("WARN: this version fails {share:.0} % of requests on purpose"));
        }
    }
}

/// What containers write once they are sick.
fn say_sick(context: &mut Context<'_>, id: &str) {
    let now = context.clock.now();
    let Some(task) = context.ecs.tasks.get_mut(id) else { return };
    let ran = task.running_since.map_or(0.0, |since| now - since);
    let sick = |container: &&mut Container| {
        !container.told_sick && matches!(container.conduct.health, Health::SickAfter(after) if ran >= after)
    };
    let mut names = Vec::new();
    for container in task.containers.iter_mut().filter(sick) {
        container.told_sick = true;
        names.push(container.name.clone());
    }
    for name in names {
        awslogs::write(context, id, &name, "ERROR: this version gets sick on purpose, health checks fail from now on");
    }
}

fn told(
    context: &Context<'_>,
    id: &str,
    name: &str,
    request: &str,
    say: impl FnOnce(&Place<'_>) -> Option<Told>,
) -> Option<Told> {
    let task = context.ecs.tasks.get(id)?;
    let document = definition(context, &task.task_definition)?;
    let container = document.get("containerDefinitions")?.as_array()?.iter().find(|container| container["name"] == name)?;
    let fargate = launch_type(task) == "FARGATE";
    say(&Place { account: context.account, region: context.region, fargate, task: id, request, document, container })
}

fn end_task(context: &mut Context<'_>, id: &str, code: &'static str, reason: String, end: (String, ContainerEnd)) {
    let (now, epoch) = (context.clock.now(), context.clock.epoch());
    let until = now + context.jittered(context.delays.deprovisioning);
    let Some(task) = context.ecs.tasks.get_mut(id) else { return };
    task.phase = Phase::Deprovisioning(until);
    task.stopping_at = Some(epoch);
    task.stop = Some((code, reason));
    task.ends.insert(end.0, end.1);
    let (address, registered) = (task.address, task.registered.clone());
    let key = task.service.clone().map(|service| (task.cluster.clone(), service));
    for (group, port) in registered {
        context.elb.deregister(&group, address, port, now);
        if let Some(key) = &key {
            events::say(context, key, &format!("deregistered 1 targets in (target-group {group})"));
        }
    }
}
