//! Tasks: listed, described, run on their own, stopped.

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, invalid, page, required, text, texts, wants_tags},
    clusters,
    life::{self, Launch},
    obstacle::Obstacle,
    placement, render, render_task,
    state::{Phase, short},
    tags, validate,
};
use crate::sim::{context::Context, error::ApiError};

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
    let launch_type = text(input, "launchType");
    let matching = context.ecs.tasks.values().filter(|task| {
        task.cluster == cluster
            && !pending
            && stopped != task.is_wanted()
            && service.as_ref().is_none_or(|service| task.service.as_ref() == Some(service))
            && family.is_none_or(|family| super::state::parse_task_definition(&task.task_definition).0 == family)
            && started_by.is_none_or(|by| task.started_by == by)
            && launch_type.is_none_or(|wanted| render::launch_type(task) == wanted)
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
            Some(task) => tasks.push(render::task(context, task, wants_tags(input))),
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
    let token = text(input, "clientToken").map(|token| format!("{cluster}/{token}"));
    if let Some((asked, ids)) = token.as_ref().and_then(|token| context.ecs.runs.get(token)) {
        if asked != input {
            let text = "The client token was used before, with other parameters.";
            return Err(ApiError::new("ConflictException", text));
        }
        let tasks: Vec<Value> =
            ids.iter().filter_map(|id| context.ecs.tasks.get(id)).map(|task| render::task(context, task, true)).collect();
        return Ok(json!({"tasks": tasks, "failures": []}));
    }
    let (family, revision, arn) = validate::task_definition(context, required(input, "taskDefinition")?)?;
    let definition = &context.ecs.families[&family][revision - 1];
    if definition.status != "ACTIVE" {
        return Err(invalid("TaskDefinition is inactive"));
    }
    validate::network(input, &definition.document)?;
    validate::launch_type(input, &definition.document)?;
    let tags = tags::given(input)?;
    let mut document = input.clone();
    document.entry("group").or_insert_with(|| format!("family:{family}").into());
    if placement::is_refused(context, &arn) {
        let failure = json!({"reason": Obstacle::unplaced_run(render_task::on_fargate(input))});
        return Ok(json!({"tasks": [], "failures": vec![failure; usize::try_from(count).unwrap_or(1)]}));
    }
    let started_by = text(input, "startedBy").unwrap_or_default().to_owned();
    let jitter = context.jittered(1.0);
    let mut ids = Vec::new();
    for _ in 0..count {
        let (document, tags) = (document.clone(), tags.clone());
        let wanted = Launch { cluster: &cluster, service: None, by: &started_by, task_definition: &arn, document, tags, jitter };
        ids.push(life::launch(context, wanted));
    }
    let tasks: Vec<Value> = ids.iter().map(|id| render::task(context, &context.ecs.tasks[id], true)).collect();
    if let Some(token) = token {
        context.ecs.runs.insert(token, (input.clone(), ids));
    }
    Ok(json!({"tasks": tasks, "failures": []}))
}

pub(super) fn stop(input: &Input, context: &mut Context<'_>) -> Answer {
    let cluster = clusters::name_of(input, context)?;
    let id = short(required(input, "task")?).to_owned();
    let reason = text(input, "reason").unwrap_or("Task stopped by user").to_owned();
    let found = context.ecs.tasks.get(&id).filter(|task| task.cluster == cluster);
    let phase = found.ok_or_else(|| invalid("The referenced task was not found."))?.phase;
    let ends = matches!(phase, Phase::Stopping(_) | Phase::Deprovisioning(_) | Phase::Stopped(_));
    if !ends {
        life::signal(context, &id, "UserInitiated", reason);
    }
    Ok(json!({"task": render::task(context, &context.ecs.tasks[&id], true)}))
}
