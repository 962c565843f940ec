//! Services: created, updated, deleted, described.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, invalid, page, required, text, texts, wants_tags},
    clusters, render,
    state::{Deployment, Service, ServiceStatus, short},
    tags, validate,
};
use crate::sim::{context::Context, error::ApiError};

/// Members that are kept beside the document.
const KEPT_BESIDE: [&str; 6] = ["clientToken", "cluster", "desiredCount", "serviceName", "tags", "taskDefinition"];
/// Members of an update that start a deployment; the others change nothing of running tasks.
const STARTS_DEPLOYMENT: [&str; 8] = [
    "taskDefinition",
    "loadBalancers",
    "serviceRegistries",
    "networkConfiguration",
    "platformVersion",
    "capacityProviderStrategy",
    "serviceConnectConfiguration",
    "volumeConfigurations",
];
/// The most tasks a service can have (AWS's quota).
const MOST_TASKS: u32 = 5_000;

pub(super) fn create(input: &Input, context: &mut Context<'_>) -> Answer {
    let cluster = clusters::name_of(input, context)?;
    let name = required(input, "serviceName")?.to_owned();
    if name.len() > 255 || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(invalid("Invalid service name: up to 255 letters, numbers, underscores, and hyphens are allowed."));
    }
    if text(input, "clientToken").is_some_and(|token| token.len() > 36) {
        return Err(invalid("clientToken must be at most 36 characters."));
    }
    let key = (cluster.clone(), name.clone());
    match context.ecs.services.get(&key) {
        Some(service) if service.status == ServiceStatus::Active => {
            if text(input, "clientToken").is_none() || service.asked != *input {
                return Err(invalid("Creation of service was not idempotent."));
            }
            return Ok(json!({"service": render::service(context, &key, true)}));
        }
        Some(service) if matches!(service.status, ServiceStatus::Draining(_)) => {
            return Err(invalid("Unable to Start a service that is still Draining."));
        }
        _ => {}
    }
    let (family, revision, task_definition) = validate::task_definition(context, required(input, "taskDefinition")?)?;
    validate::service(context, input, &family, revision)?;
    let desired = count(input)?.ok_or_else(|| invalid("DesiredCount cannot be null for a REPLICA service."))?;

    let now = context.clock.epoch();
    let mut document = input.clone();
    document.retain(|member, _| !KEPT_BESIDE.contains(&member.as_str()));
    let tags = tags::given(input)?;
    let service = Service {
        arn: context.arn("ecs", &format!("service/{cluster}/{name}")),
        cluster_arn: context.arn("ecs", &format!("cluster/{cluster}")),
        document,
        task_definition: task_definition.clone(),
        desired,
        status: ServiceStatus::Active,
        asked: input.clone(),
        deployments: vec![deployment(context, task_definition, None)],
        history: VecDeque::new(),
        events: VecDeque::new(),
        tags,
        created_at: now,
        steady: None,
        complained_at: None,
        unplaced_at: None,
        changed_at: context.clock.now(),
    };
    context.ecs.services.insert(key.clone(), service);
    Ok(json!({"service": render::service(context, &key, true)}))
}

pub(super) fn update(input: &Input, context: &mut Context<'_>) -> Answer {
    let key = find(input, context)?;
    if context.ecs.services[&key].status != ServiceStatus::Active {
        return Err(ApiError::new("ServiceNotActiveException", "Service was not ACTIVE."));
    }
    let desired = count(input)?;
    let mut document = context.ecs.services[&key].document.clone();
    for (member, value) in input {
        if member != "service" && member != "forceNewDeployment" && !KEPT_BESIDE.contains(&member.as_str()) {
            merge(&mut document, member, value);
        }
    }
    let named = text(input, "taskDefinition").unwrap_or(&context.ecs.services[&key].task_definition).to_owned();
    let (family, revision, task_definition) = validate::task_definition(context, &named)?;
    if input.contains_key("taskDefinition") || input.contains_key("loadBalancers") || input.contains_key("networkConfiguration") {
        validate::service(context, &document, &family, revision)?;
    }
    let forced = input.get("forceNewDeployment").and_then(Value::as_bool) == Some(true);
    let new_deployment = forced || STARTS_DEPLOYMENT.iter().any(|member| input.contains_key(*member));
    let now = context.clock.epoch();
    let next = new_deployment.then(|| deployment(context, task_definition.clone(), None));
    let changed_at = context.clock.now();
    if let Some(service) = context.ecs.services.get_mut(&key) {
        service.document = document;
        service.changed_at = changed_at;
        if let Some(desired) = desired {
            service.steady = service.steady.filter(|_| service.desired == desired);
            service.desired = desired;
        }
        if let Some(next) = next {
            service.task_definition = task_definition;
            for running in service.deployments.iter_mut().filter(|running| running.rollout_state == "IN_PROGRESS") {
                running.superseded = true;
            }
            service.deployments.insert(0, next);
            service.steady = None;
        }
        if let Some(primary) = service.deployments.first_mut() {
            primary.updated_at = now;
        }
    }
    Ok(json!({"service": render::service(context, &key, true)}))
}

pub(super) fn delete(input: &Input, context: &mut Context<'_>) -> Answer {
    let key = find(input, context)?;
    let force = input.get("force").and_then(Value::as_bool) == Some(true);
    let now = context.clock.now();
    let Some(service) = context.ecs.services.get_mut(&key) else { return Err(not_found()) };
    if service.status == ServiceStatus::Active {
        if service.desired > 0 && !force {
            return Err(invalid("The service cannot be stopped while it is scaled above 0."));
        }
        service.desired = 0;
        service.status = ServiceStatus::Draining(now);
    }
    Ok(json!({"service": render::service(context, &key, true)}))
}

pub(super) fn describe(input: &Input, context: &mut Context<'_>) -> Answer {
    let cluster = clusters::name_of(input, context)?;
    let named = texts(input, "services");
    if named.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if named.len() > 10 {
        return Err(invalid("Services can have at most 10 items."));
    }
    let mut services = Vec::new();
    let mut failures = Vec::new();
    for name in named {
        let key = (cluster.clone(), short(&name).to_owned());
        if context.ecs.services.contains_key(&key) {
            services.push(render::service(context, &key, wants_tags(input)));
        } else {
            let arn = context.arn("ecs", &format!("service/{cluster}/{}", short(&name)));
            failures.push(json!({"arn": arn, "reason": "MISSING"}));
        }
    }
    Ok(json!({"services": services, "failures": failures}))
}

pub(super) fn list(input: &Input, context: &mut Context<'_>) -> Answer {
    let cluster = clusters::name_of(input, context)?;
    let fits = |service: &Service, member: &str, default: &str| {
        text(input, member).is_none_or(|wanted| service.document.get(member).and_then(Value::as_str).unwrap_or(default) == wanted)
    };
    let active = context.ecs.services.iter().filter(|((of, _), service)| {
        *of == cluster
            && service.status == ServiceStatus::Active
            && fits(service, "launchType", "EC2")
            && fits(service, "schedulingStrategy", "REPLICA")
    });
    page(input, active.map(|(_, service)| service.arn.clone()).collect(), 10, "serviceArns")
}

/// The service that a request names, in whatever state it is described in.
pub(super) fn find(input: &Input, context: &Context<'_>) -> Result<(String, String), ApiError> {
    let cluster = clusters::name_of(input, context)?;
    let key = (cluster, short(required(input, "service")?).to_owned());
    match context.ecs.services.get(&key) {
        Some(service) if !matches!(service.status, ServiceStatus::Inactive(_)) => Ok(key),
        Some(_) => Err(ApiError::new("ServiceNotActiveException", "Service was not ACTIVE.")),
        None => Err(not_found()),
    }
}

pub(super) fn not_found() -> ApiError {
    ApiError::new("ServiceNotFoundException", "Service not found.")
}

fn count(input: &Input) -> Result<Option<u32>, ApiError> {
    match input.get("desiredCount") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number <= MOST_TASKS);
            number.map(Some).ok_or_else(|| invalid(format!("desiredCount must be between 0 and {MOST_TASKS}.")))
        }
    }
}

/// Puts a member of an update into the document; of a deployment configuration, what the update leaves out stays.
fn merge(document: &mut Input, member: &str, value: &Value) {
    match (document.get_mut(member), value) {
        (Some(Value::Object(present)), Value::Object(given)) if member == "deploymentConfiguration" => {
            present.extend(given.clone())
        }
        _ => drop(document.insert(member.to_owned(), value.clone())),
    }
}

/// A new deployment of a task definition.
pub(super) fn deployment(context: &mut Context<'_>, task_definition: String, undoes: Option<String>) -> Deployment {
    use rand::Rng as _;
    let now = context.clock.epoch();
    let number: u64 = context.random.random_range(1_000_000_000_000_000_000..9_000_000_000_000_000_000);
    Deployment {
        id: format!("ecs-svc/{number}"),
        task_definition,
        rollout_state: "IN_PROGRESS",
        undoes,
        superseded: false,
        failed_tasks: 0,
        created_at: now,
        updated_at: now,
    }
}
