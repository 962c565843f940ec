//! Service deployments: the history that ECS keeps beside `deployments[]`.

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, invalid, page, texts},
    services,
    state::{Deployment, Service},
};
use crate::sim::context::Context;

pub(super) fn list(input: &Input, context: &mut Context<'_>) -> Answer {
    let key = services::find(input, context)?;
    let service = &context.ecs.services[&key];
    let ids = all(service).map(|deployment| arn(service, deployment)).collect();
    let paged = page(input, ids, 20, "arns")?;
    let arns = paged["arns"].as_array().cloned().unwrap_or_default();
    let brief: Vec<Value> = all(service)
        .filter(|deployment| arns.contains(&arn(service, deployment).into()))
        .map(|deployment| shape(service, deployment))
        .collect();
    let mut answer = json!({"serviceDeployments": brief});
    if let Some(token) = paged.get("nextToken") {
        answer["nextToken"] = token.clone();
    }
    Ok(answer)
}

pub(super) fn describe(input: &Input, context: &mut Context<'_>) -> Answer {
    let wanted = texts(input, "serviceDeploymentArns");
    if wanted.is_empty() || wanted.len() > 20 {
        return Err(invalid("serviceDeploymentArns must have between 1 and 20 items."));
    }
    let all: Vec<(String, Value)> = context
        .ecs
        .services
        .values()
        .flat_map(|service| all(service).map(|deployment| (arn(service, deployment), shape(service, deployment))))
        .collect();
    let find = |wanted: &String| all.iter().find(|(arn, _)| arn == wanted).map(|(_, shape)| shape.clone());
    let found: Vec<Value> = wanted.iter().filter_map(find).collect();
    let failures: Vec<Value> =
        wanted.iter().filter(|arn| find(arn).is_none()).map(|arn| json!({"arn": arn, "reason": "MISSING"})).collect();
    Ok(json!({"serviceDeployments": found, "failures": failures}))
}

/// The running deployments and those that are over, newest first.
fn all(service: &Service) -> impl Iterator<Item = &Deployment> {
    service.deployments.iter().chain(&service.history)
}

fn arn(service: &Service, deployment: &Deployment) -> String {
    let id = deployment.id.trim_start_matches("ecs-svc/");
    format!("{}/{id}", service.arn.replacen(":service/", ":service-deployment/", 1))
}

fn shape(service: &Service, deployment: &Deployment) -> Value {
    let status = match deployment.rollout_state {
        "COMPLETED" if deployment.undoes.is_some() => "ROLLBACK_SUCCESSFUL",
        "COMPLETED" => "SUCCESSFUL",
        "FAILED" => "STOPPED",
        _ if deployment.superseded => "STOPPED",
        _ if deployment.undoes.is_some() => "ROLLBACK_IN_PROGRESS",
        _ => "IN_PROGRESS",
    };
    json!({
        "serviceDeploymentArn": arn(service, deployment),
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "status": status,
        "createdAt": deployment.created_at,
        "startedAt": deployment.created_at,
    })
}
