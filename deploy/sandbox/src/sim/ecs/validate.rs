//! What CreateService and UpdateService refuse, in AWS's words.

use serde_json::Value;

use super::{
    api::{Input, client, invalid},
    task_definitions,
};
use crate::sim::{context::Context, error::ApiError};

/// Checks a service's load balancers and network against its task definition.
pub(super) fn service(context: &Context<'_>, document: &Input, family: &str, revision: usize) -> Result<(), ApiError> {
    let definition = &context.ecs.families[family][revision - 1];
    if definition.status != "ACTIVE" {
        return Err(client("TaskDefinition is inactive"));
    }
    launch_type(document, &definition.document)?;
    let awsvpc = definition.document.get("networkMode").and_then(Value::as_str) == Some("awsvpc");
    network(document, &definition.document)?;
    if awsvpc && document.get("role").is_some() {
        return Err(invalid("You cannot specify an IAM role for services that require a service linked role."));
    }
    let balancers = document.get("loadBalancers").and_then(Value::as_array).cloned().unwrap_or_default();
    if balancers.len() > 5 {
        return Err(invalid("A service can have at most 5 target groups."));
    }
    if balancers.iter().any(|balancer| balancer.get("loadBalancerName").is_some_and(|name| !name.is_null())) {
        // Classic Load Balancers are not simulated, alone or beside others.
        return Err(invalid(
            "All loadBalancers must be strictly either ELBv1 (defining loadBalancerName) or ELBv2 (defining targetGroupArn)",
        ));
    }
    let mut seen = Vec::new();
    for balancer in &balancers {
        let arn = balancer["targetGroupArn"].as_str().unwrap_or_default();
        if seen.contains(&arn) {
            return Err(invalid(format!("Duplicate targetGroupArn found: {arn}")));
        }
        seen.push(arn);
        target_group(context, arn, awsvpc)?;
        container(definition.document.get("containerDefinitions"), balancer)?;
    }
    registry(context, document)
}

/// Checks a service's registry (docs: one registry for each service).
fn registry(context: &Context<'_>, document: &Input) -> Result<(), ApiError> {
    let registries = document.get("serviceRegistries").and_then(Value::as_array).cloned().unwrap_or_default();
    if registries.len() > 1 {
        return Err(invalid("Services can have at most one service registry."));
    }
    for registry in &registries {
        let arn = registry["registryArn"].as_str().unwrap_or_default();
        if !context.cloud_maps.knows(context.account, context.region, arn) {
            return Err(invalid(format!("Unable to find the service registry {arn}.")));
        }
    }
    Ok(())
}

/// Checks that a task definition with a network of its own is given one.
pub(super) fn network(document: &Input, definition: &Input) -> Result<(), ApiError> {
    let awsvpc = definition.get("networkMode").and_then(Value::as_str) == Some("awsvpc");
    let given = document.get("networkConfiguration").and_then(|network| network.get("awsvpcConfiguration"));
    if awsvpc && given.is_none_or(Value::is_null) {
        return Err(invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."));
    }
    Ok(())
}

/// Checks that a task definition can run on the launch type that is asked for.
pub(super) fn launch_type(document: &Input, definition: &Input) -> Result<(), ApiError> {
    let Some(wanted) = document.get("launchType").and_then(Value::as_str) else { return Ok(()) };
    if task_definitions::compatibilities(definition).contains(&wanted) {
        return Ok(());
    }
    Err(invalid(format!("Task definition does not support launch_type {wanted}.")))
}

fn target_group(context: &Context<'_>, arn: &str, awsvpc: bool) -> Result<(), ApiError> {
    let Some(group) = context.elb.target_groups.get(arn) else {
        return Err(invalid(
            "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service role being passed has the proper permissions.",
        ));
    };
    if context.elb.load_balancers_of(arn).is_empty() {
        return Err(invalid(format!("The target group with targetGroupArn {arn} does not have an associated load balancer.")));
    }
    if awsvpc && group.target_type() == "instance" {
        return Err(invalid(format!(
            "The provided target group {arn} has target type instance, which is incompatible with the awsvpc network mode specified in the task definition."
        )));
    }
    Ok(())
}

fn container(containers: Option<&Value>, balancer: &Value) -> Result<(), ApiError> {
    let name = balancer["containerName"].as_str().unwrap_or_default();
    let port = balancer["containerPort"].as_u64().unwrap_or_default();
    let found = containers.and_then(Value::as_array).into_iter().flatten().find(|container| container["name"] == name);
    let Some(container) = found else {
        return Err(invalid(format!("The container {name} does not exist in the task definition.")));
    };
    let mapped = container["portMappings"].as_array().into_iter().flatten().any(|mapping| mapping["containerPort"] == port);
    if !mapped {
        return Err(invalid(format!("The container {name} did not have a container port {port} defined.")));
    }
    Ok(())
}

/// The task definition a request names: its family, revision and full ARN.
pub(super) fn task_definition(context: &Context<'_>, named: &str) -> Result<(String, usize, String), ApiError> {
    let found = task_definitions::find(context, named).map_err(|_| client("TaskDefinition not found."))?;
    let arn = task_definitions::arn(context, &found.0, found.1);
    Ok((found.0, found.1, arn))
}
