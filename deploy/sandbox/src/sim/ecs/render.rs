//! Services as ECS describes them; tasks are described in `render_task`.

use serde_json::{Map, Value, json};

pub(super) use super::render_task::{launch_type, shared_by_tasks, tags_for_tasks, task};
use super::state::{Service, Task, tags_json};
use crate::sim::context::Context;

/// A service as DescribeServices answers it.
pub(super) fn service(context: &Context<'_>, key: &(String, String), with_tags: bool) -> Value {
    let service = &context.ecs.services[key];
    let tasks: Vec<&Task> = context.ecs.tasks.values().filter(|task| is_of(task, key)).collect();
    let mut shape: Map<String, Value> = service.document.clone();
    let role = shape.remove("role");
    let defaults = [
        ("loadBalancers", json!([])),
        ("serviceRegistries", json!([])),
        ("schedulingStrategy", json!("REPLICA")),
        ("placementConstraints", json!([])),
        ("placementStrategy", json!([])),
        ("enableECSManagedTags", json!(false)),
        ("enableExecuteCommand", json!(false)),
        ("propagateTags", json!("NONE")),
        ("availabilityZoneRebalancing", json!("ENABLED")),
        ("deploymentConfiguration", json!({})),
    ];
    for (member, value) in defaults {
        shape.entry(member).or_insert(value);
    }
    let configuration = json!({
        "maximumPercent": 200, "minimumHealthyPercent": 100, "strategy": "ROLLING", "bakeTimeInMinutes": 0,
        "deploymentCircuitBreaker": {"enable": false, "rollback": false},
    });
    if let (Some(Value::Object(given)), Value::Object(defaults)) = (shape.get_mut("deploymentConfiguration"), configuration) {
        for (member, value) in defaults {
            given.entry(member).or_insert(value);
        }
    }
    if !shape.contains_key("launchType") && !shape.contains_key("capacityProviderStrategy") {
        shape.insert("launchType".to_owned(), json!("EC2"));
    }
    if shape.get("launchType") == Some(&json!("FARGATE")) {
        shape.entry("platformVersion").or_insert_with(|| json!("LATEST"));
        shape.entry("platformFamily").or_insert_with(|| json!("Linux"));
    }
    if let Some(role) = role {
        shape.insert("roleArn".to_owned(), role);
    }
    let own = json!({
        "serviceArn": service.arn,
        "serviceName": key.1,
        "clusterArn": service.cluster_arn,
        "status": service.status.as_str(),
        "desiredCount": service.desired,
        "runningCount": tasks.iter().filter(|task| task.is_running()).count(),
        "pendingCount": tasks.iter().filter(|task| task.is_pending()).count(),
        "taskDefinition": service.task_definition,
        "deployments": deployments(service, &tasks),
        "events": service.events.iter()
            .map(|event| json!({"id": event.id, "createdAt": event.at, "message": event.message})).collect::<Vec<_>>(),
        "createdAt": service.created_at,
        "createdBy": format!("arn:aws:iam::{}:user/sandbox", context.account),
        "tags": if with_tags { tags_json(&service.tags) } else { json!([]) },
    });
    if let Value::Object(own) = own {
        shape.extend(own);
    }
    Value::Object(shape)
}

/// Whether a task is the service's.
pub(super) fn is_of(task: &Task, key: &(String, String)) -> bool {
    task.cluster == key.0 && task.service.as_deref() == Some(&key.1)
}

fn deployments(service: &Service, tasks: &[&Task]) -> Vec<Value> {
    let described = service.deployments.iter().enumerate().map(|(position, deployment)| {
        let own = || tasks.iter().filter(|task| task.started_by == deployment.id);
        let reason = match deployment.rollout_state {
            "COMPLETED" => format!("ECS deployment {} completed.", deployment.id),
            "FAILED" => "ECS deployment circuit breaker: tasks failed to start.".to_owned(),
            _ => match &deployment.undoes {
                Some(_) => format!("ECS deployment circuit breaker: rolling back to deploymentId {}.", deployment.id),
                None => format!("ECS deployment {} in progress.", deployment.id),
            },
        };
        let mut shape = json!({
            "id": deployment.id,
            "status": if position == 0 { "PRIMARY" } else { "ACTIVE" },
            "taskDefinition": deployment.task_definition,
            "desiredCount": if position == 0 { service.desired } else { 0 },
            "runningCount": own().filter(|task| task.is_running()).count(),
            "pendingCount": own().filter(|task| task.is_pending()).count(),
            "failedTasks": deployment.failed_tasks,
            "createdAt": deployment.created_at,
            "updatedAt": deployment.updated_at,
            "rolloutState": deployment.rollout_state,
            "rolloutStateReason": reason,
        });
        for member in ["launchType", "networkConfiguration", "capacityProviderStrategy", "platformVersion"] {
            if let Some(value) = service.document.get(member) {
                shape[member] = value.clone();
            }
        }
        shape
    });
    described.collect()
}

/// The document of a task definition.
pub(super) fn definition<'a>(context: &'a Context<'_>, arn: &str) -> Option<&'a Map<String, Value>> {
    let (family, revision) = super::state::parse_task_definition(arn);
    let revision: usize = revision?.parse().ok()?;
    Some(&context.ecs.families.get(&family)?.get(revision.checked_sub(1)?)?.document)
}
