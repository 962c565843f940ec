//! Tasks as ECS describes them, and what they take over from their service.

use serde_json::{Map, Value, json};

use super::{
    render::definition,
    state::{Phase, Service, Tags, Task, tags_json},
    task_definitions,
};
use crate::sim::context::Context;

/// Members of a service that its tasks share.
pub(super) fn shared_by_tasks(service: &Service) -> Map<String, Value> {
    let shared = ["capacityProviderStrategy", "enableExecuteCommand", "launchType", "networkConfiguration", "platformVersion"];
    shared.into_iter().filter_map(|member| Some((member.to_owned(), service.document.get(member)?.clone()))).collect()
}

/// The tags that a service gives its tasks.
pub(super) fn tags_for_tasks(context: &Context<'_>, service: &Service) -> Tags {
    let mut tags = match service.document.get("propagateTags").and_then(Value::as_str) {
        Some("SERVICE") => service.tags.clone(),
        Some("TASK_DEFINITION") => task_definitions::find(context, &service.task_definition)
            .map(|(family, revision)| context.ecs.families[&family][revision - 1].tags.clone())
            .unwrap_or_default(),
        _ => Tags::new(),
    };
    if service.document.get("enableECSManagedTags").and_then(Value::as_bool) == Some(true) {
        let last = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
        tags.insert("aws:ecs:clusterName".to_owned(), last(&service.cluster_arn));
        tags.insert("aws:ecs:serviceName".to_owned(), last(&service.arn));
    }
    tags
}

/// The launch type of a task.
pub(super) fn launch_type(task: &Task) -> &str {
    let asked = task.document.get("launchType").and_then(Value::as_str);
    asked.unwrap_or(if on_fargate(&task.document) { "FARGATE" } else { "EC2" })
}

/// Whether what a service or a `RunTask` request asks for is on Fargate.
pub(super) fn on_fargate(document: &Map<String, Value>) -> bool {
    match document.get("launchType").and_then(Value::as_str) {
        Some(asked) => asked == "FARGATE",
        None => provider(document).is_some_and(|provider| provider.starts_with("FARGATE")),
    }
}

fn provider(document: &Map<String, Value>) -> Option<&str> {
    document.get("capacityProviderStrategy")?.get(0)?.get("capacityProvider")?.as_str()
}

/// A task as DescribeTasks answers it.
pub(super) fn task(context: &Context<'_>, task: &Task, with_tags: bool) -> Value {
    let arn = context.arn("ecs", &format!("task/{}/{}", task.cluster, task.id));
    let definition = definition(context, &task.task_definition);
    let awsvpc = definition.and_then(|document| document.get("networkMode")).and_then(Value::as_str) == Some("awsvpc");
    let started = !matches!(task.phase, Phase::Provisioning(_));
    let listed = definition.and_then(|document| document.get("containerDefinitions")).and_then(Value::as_array);
    let containers: Vec<Value> =
        listed.into_iter().flatten().map(|container| self::container(task, container, &arn, awsvpc && started)).collect();
    let overrides = json!({"containerOverrides": [], "inferenceAcceleratorOverrides": []});
    let mut shape = json!({
        "taskArn": arn,
        "clusterArn": context.arn("ecs", &format!("cluster/{}", task.cluster)),
        "taskDefinitionArn": task.task_definition,
        "availabilityZone": format!("{}a", context.region),
        "lastStatus": task.last_status(),
        "desiredStatus": if task.is_wanted() { "RUNNING" } else { "STOPPED" },
        "createdAt": task.created_at,
        "launchType": launch_type(task),
        "connectivity": "CONNECTED",
        "enableExecuteCommand": task.document.get("enableExecuteCommand").cloned().unwrap_or_else(|| false.into()),
        "overrides": task.document.get("overrides").cloned().unwrap_or(overrides),
        "healthStatus": "UNKNOWN",
        "version": version(task),
        "containers": containers,
        "attachments": if awsvpc { json!([interface(task, started)]) } else { json!([]) },
        "tags": if with_tags { tags_json(&task.tags) } else { json!([]) },
    });
    for member in ["cpu", "memory"] {
        if let Some(value) = definition.and_then(|document| document.get(member)) {
            shape[member] = value.clone();
        }
    }
    if let Some(provider) = provider(&task.document) {
        shape["capacityProviderName"] = provider.into();
    }
    if launch_type(task) == "FARGATE" {
        shape["platformVersion"] =
            task.document.get("platformVersion").filter(|v| *v != "LATEST").cloned().unwrap_or("1.4.0".into());
        shape["platformFamily"] = "Linux".into();
    }
    if !task.started_by.is_empty() {
        shape["startedBy"] = task.started_by.clone().into();
    }
    shape["group"] = match (&task.service, task.document.get("group")) {
        (Some(service), _) => format!("service:{service}").into(),
        (None, group) => group.cloned().unwrap_or_default(),
    };
    let times = [("startedAt", task.started_at), ("stoppingAt", task.stopping_at), ("stoppedAt", task.stopped_at)];
    for (member, value) in times {
        if let Some(at) = value {
            shape[member] = at.into();
        }
    }
    if let Some((code, reason)) = &task.stop {
        shape["stopCode"] = (*code).into();
        shape["stoppedReason"] = reason.clone().into();
    }
    shape
}

/// A number that grows with every change.
fn version(task: &Task) -> u8 {
    match task.phase {
        Phase::Provisioning(_) => 1,
        Phase::Pending(_) => 2,
        Phase::Activating(_) => 3,
        Phase::Running => 4,
        Phase::Draining => 5,
        Phase::Stopping(_) => 6,
        Phase::Deprovisioning(_) => 7,
        Phase::Stopped(_) => 8,
    }
}

/// The elastic network interface of a task.
fn interface(task: &Task, attached: bool) -> Value {
    let subnets =
        task.document.get("networkConfiguration").and_then(|network| network.get("awsvpcConfiguration")?.get("subnets"));
    let mut details = Vec::new();
    if let Some(subnet) = subnets.and_then(|subnets| subnets.get(0)) {
        details.push(json!({"name": "subnetId", "value": subnet}));
    }
    if attached {
        details.push(json!({"name": "networkInterfaceId", "value": format!("eni-0{}", &task.id[..16])}));
        details.push(json!({"name": "privateIPv4Address", "value": task.address.to_string()}));
    }
    let status = match task.phase {
        Phase::Stopped(_) => "DELETED",
        Phase::Deprovisioning(_) => "DETACHING",
        _ if attached => "ATTACHED",
        _ => "PRECREATED",
    };
    let id = format!("{}-{}-{}-{}-{}", &task.id[..8], &task.id[8..12], &task.id[12..16], &task.id[16..20], &task.id[20..]);
    json!({"id": id, "type": "ElasticNetworkInterface", "status": status, "details": details})
}

fn container(task: &Task, container: &Value, arn: &str, addressed: bool) -> Value {
    let name = container["name"].as_str().unwrap_or_default();
    let status = match task.phase {
        Phase::Provisioning(_) | Phase::Pending(_) => "PENDING",
        Phase::Activating(_) | Phase::Running | Phase::Draining | Phase::Stopping(_) => "RUNNING",
        Phase::Deprovisioning(_) | Phase::Stopped(_) => "STOPPED",
    };
    let interfaces = if addressed { json!([{"privateIpv4Address": task.address.to_string()}]) } else { json!([]) };
    let mut shape = json!({
        "containerArn": format!("{}/{name}", arn.replacen(":task/", ":container/", 1)),
        "taskArn": arn,
        "name": name,
        "image": container["image"],
        "lastStatus": status,
        "networkBindings": [],
        "networkInterfaces": interfaces,
        "healthStatus": "UNKNOWN",
        "cpu": container.get("cpu").and_then(Value::as_u64).unwrap_or(0).to_string(),
    });
    if let Some(memory) = container.get("memory").and_then(Value::as_u64) {
        shape["memory"] = memory.to_string().into();
    }
    let end = task.ends.get(name);
    let code = end.map_or(task.exit_code, |end| end.exit_code);
    if let Some(code) = code.filter(|_| status == "STOPPED") {
        shape["exitCode"] = code.into();
    }
    if let Some(reason) = end.and_then(|end| end.reason.as_deref()) {
        shape["reason"] = reason.into();
    }
    shape
}
