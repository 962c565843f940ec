//! Clusters.

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, invalid, page, text, texts, wants_tags},
    state::{Cluster, ServiceStatus, short, tags_json},
    tags,
};
use crate::sim::{context::Context, error::ApiError};

pub(super) fn create(input: &Input, context: &mut Context<'_>) -> Answer {
    let name = text(input, "clusterName").unwrap_or("default").to_owned();
    if name.len() > 255 || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(invalid("Cluster name is invalid: up to 255 letters, numbers, underscores, and hyphens are allowed."));
    }
    let tags = tags::given(input)?;
    let cluster = context.ecs.clusters.entry(name.clone()).or_insert(Cluster { status: "ACTIVE", tags: tags.clone() });
    if cluster.status != "ACTIVE" {
        *cluster = Cluster { status: "ACTIVE", tags };
    }
    Ok(json!({"cluster": shape(context, &name, true)}))
}

pub(super) fn describe(input: &Input, context: &mut Context<'_>) -> Answer {
    let mut names = texts(input, "clusters");
    if names.len() > 100 {
        return Err(invalid("clusters can have at most 100 items."));
    }
    if names.is_empty() {
        names.push("default".to_owned());
    }
    let mut clusters = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        let name = short(&name).to_owned();
        if context.ecs.clusters.contains_key(&name) {
            clusters.push(shape(context, &name, wants_tags(input)));
        } else {
            failures.push(json!({"arn": context.arn("ecs", &format!("cluster/{name}")), "reason": "MISSING"}));
        }
    }
    Ok(json!({"clusters": clusters, "failures": failures}))
}

pub(super) fn list(input: &Input, context: &mut Context<'_>) -> Answer {
    let active = context.ecs.clusters.iter().filter(|(_, cluster)| cluster.status == "ACTIVE");
    let arns = active.map(|(name, _)| context.arn("ecs", &format!("cluster/{name}"))).collect();
    page(input, arns, 100, "clusterArns")
}

pub(super) fn delete(input: &Input, context: &mut Context<'_>) -> Answer {
    let name = name_of(input, context)?;
    let in_use =
        context.ecs.services.iter().any(|((cluster, _), service)| *cluster == name && service.status == ServiceStatus::Active);
    if in_use {
        return Err(ApiError::new(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        ));
    }
    if context.ecs.tasks.values().any(|task| task.cluster == name && (task.is_running() || task.is_pending())) {
        return Err(ApiError::new("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active."));
    }
    if let Some(cluster) = context.ecs.clusters.get_mut(&name) {
        cluster.status = "INACTIVE";
    }
    Ok(json!({"cluster": shape(context, &name, false)}))
}

/// The cluster that a request names (`default` if none), which must be there.
pub(super) fn name_of(input: &Input, context: &Context<'_>) -> Result<String, ApiError> {
    let name = short(text(input, "cluster").unwrap_or("default")).to_owned();
    match context.ecs.clusters.get(&name) {
        Some(cluster) if cluster.status == "ACTIVE" => Ok(name),
        _ => Err(ApiError::new("ClusterNotFoundException", "Cluster not found.")),
    }
}

fn shape(context: &Context<'_>, name: &str, with_tags: bool) -> Value {
    let cluster = &context.ecs.clusters[name];
    let services = context.ecs.services.iter().filter(|((of, _), service)| of == name && service.status == ServiceStatus::Active);
    let of_cluster = || context.ecs.tasks.values().filter(|task| task.cluster == name);
    json!({
        "clusterArn": context.arn("ecs", &format!("cluster/{name}")),
        "clusterName": name,
        "status": cluster.status,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": of_cluster().filter(|task| task.is_running()).count(),
        "pendingTasksCount": of_cluster().filter(|task| task.is_pending()).count(),
        "activeServicesCount": services.count(),
        "statistics": [],
        "settings": [{"name": "containerInsights", "value": "disabled"}],
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategy": [],
        "tags": if with_tags { tags_json(&cluster.tags) } else { json!([]) },
    })
}
