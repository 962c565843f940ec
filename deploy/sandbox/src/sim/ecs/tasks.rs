//! Tasks: listed, described, run on their own, stopped.

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, invalid, page, required, text, texts},
    clusters, render, scheduler,
    state::{Phase, short},
    validate,
};
use crate::sim::context::Context;

pub(super) fn list(input: &Input, context: &mut Context<'_>) -> Answer {
    let cluster = clusters::name_of(input, context)?;
    let service = text(input, "serviceName").map(|name| short(name).to_owned());
    if let Some(service) = &service {
        let known = context.ecs.services.contains_key(&(cluster.clone(), service.clone()));
        if !known {
            return Err(super::services::not_found());
        }
    }
    let family = text(input, "family");
    let started_by = text(input, "startedBy");
    let stopped = text(input, "desiredStatus") == Some("STOPPED");
    let pending = text(input, "desiredStatus") == Some("PENDING");
    let matching = context.ecs.tasks.values().filter(|task| {
        task.cluster == cluster
            && !pending
            && stopped != task.is_wanted()
            && service.as_ref().is_none_or(|service| task.service.as_ref() == Some(service))
            && family.is_none_or(|family| super::state::parse_task_definition(&task.task_definition).0 == family)
            && started_by.is_none_or(|by| task.started_by == by)
    });
    let arns = matching.map(|task| context.arn("ecs", &format!("task/{cluster}/{}", task.id))).collect();
    page(input, arns, 100, "taskArns")
}

pub(super) fn describe(input: &Input, context: &mut Context<'_>) -> Answer {
    let cluster = clusters::name_of(input, context)?;
    let named = texts(input, "tasks");
    if named.is_empty() {
        return Err(invalid("Tasks cannot be empty."));
    }
    if named.len() > 100 {
        return Err(invalid("Tasks can have at most 100 items."));
    }
    let mut tasks = Vec::new();
    let mut failures = Vec::new();
    for name in named {
        match context.ecs.tasks.get(short(&name)).filter(|task| task.cluster == cluster) {
            Some(task) => tasks.push(render::task(context, task)),
            None => {
                let arn = context.arn("ecs", &format!("task/{cluster}/{}", short(&name)));
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(json!({"tasks": tasks, "failures": failures}))
}

pub(super) fn run(input: &Input, context: &mut Context<'_>) -> Answer {
    let cluster = clusters::name_of(input, context)?;
    let count = input.get("count").and_then(Value::as_u64).unwrap_or(1);
    if !(1..=10).contains(&count) {
        return Err(invalid("count must be between 1 and 10."));
    }
    let (.., arn) = validate::task_definition(context, required(input, "taskDefinition")?)?;
    let started_by = text(input, "startedBy").unwrap_or_default().to_owned();
    let mut tasks = Vec::new();
    let jitter = context.jittered(1.0);
    for _ in 0..count {
        let id = scheduler::launch(context, &cluster, None, &started_by, &arn, jitter);
        tasks.push(render::task(context, &context.ecs.tasks[&id]));
    }
    Ok(json!({"tasks": tasks, "failures": []}))
}

pub(super) fn stop(input: &Input, context: &mut Context<'_>) -> Answer {
    let cluster = clusters::name_of(input, context)?;
    let id = short(required(input, "task")?).to_owned();
    let reason = text(input, "reason").unwrap_or("Task stopped by user").to_owned();
    if context.ecs.tasks.get(&id).is_none_or(|task| task.cluster != cluster) {
        return Err(invalid("The referenced task was not found."));
    }
    // A bare StopTask sends the signal at once; draining first is a long-standing request (aws/containers-roadmap issue 576).
    let until = context.clock.now() + context.jittered(context.delays.stopping);
    if let Some(task) = context.ecs.tasks.get_mut(&id) {
        if task.is_wanted() || task.phase == Phase::Draining {
            task.phase = Phase::Stopping(until);
            task.stop = Some(("UserInitiated", reason));
        }
    }
    Ok(json!({"task": render::task(context, &context.ecs.tasks[&id])}))
}
