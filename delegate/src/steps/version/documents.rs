//! What can be wrong before a line's services are looked at: the cluster, and the user's documents against themselves or the
//! infrastructure.

use domain::{
    infrastructure::{InfrastructureSpec, LaunchType},
    step::NewVersion,
};

use super::{container, network_mode};
use crate::aws::model::Cluster;

/// Adds what is wrong, a sentence each.
pub(in super::super) fn check(
    version: &NewVersion,
    infra: &InfrastructureSpec,
    found: Option<&Cluster>,
    findings: &mut Vec<String>,
) {
    cluster(infra, found, findings);
    documents(version, infra, findings);
}

fn cluster(infra: &InfrastructureSpec, found: Option<&Cluster>, findings: &mut Vec<String>) {
    let place = format!("in {} (infrastructure {})", infra.region, infra.name);
    match found {
        None => findings.push(format!("The ECS cluster {} does not exist {place}.", infra.cluster)),
        Some(cluster) if cluster.status != "ACTIVE" => {
            findings.push(format!("The ECS cluster {} {place} is {}, not ACTIVE.", infra.cluster, cluster.status));
        }
        Some(_) => {}
    }
}

/// What the user's documents say against themselves or the infrastructure.
fn documents(version: &NewVersion, infra: &InfrastructureSpec, findings: &mut Vec<String>) {
    let (task, service) = (&version.task_definition, &version.service_definition);
    if container::containers(task).is_empty() {
        findings.push("The task definition has no container definitions.".into());
    }
    for (what, document) in [("task", task), ("service", service)] {
        if document.get("tags").is_some_and(|tags| !tags.is_array()) {
            findings.push(format!("The {what} definition's tags are not a list of {{\"key\", \"value\"}} objects."));
        }
    }
    let mode = network_mode(task);
    let fargate = match service["launchType"].as_str() {
        Some(launch_type) => launch_type == "FARGATE",
        None => service.get("capacityProviderStrategy").is_none() && infra.launch_type == Some(LaunchType::Fargate),
    };
    if fargate && mode != "awsvpc" {
        findings.push(format!("The task definition's network mode is {mode}; launch type FARGATE needs awsvpc."));
    }
    if mode == "awsvpc" && service.get("networkConfiguration").is_none() && infra.subnets.is_empty() {
        findings.push(format!(
            "Network mode awsvpc needs subnets: name them in the infrastructure {} or in the service definition's networkConfiguration.",
            infra.name
        ));
    }
    if service["schedulingStrategy"] == "DAEMON" {
        findings.push("The service definition's scheduling strategy is DAEMON; blue/green needs REPLICA.".into());
    }
    let controller = service["deploymentController"]["type"].as_str().unwrap_or("ECS");
    if controller != "ECS" {
        findings.push(format!("The service definition's deployment controller is {controller}; Segue's blue/green needs ECS."));
    }
    let strategy = service["deploymentConfiguration"]["strategy"].as_str().unwrap_or("ROLLING");
    if strategy != "ROLLING" {
        findings.push(format!(
            "The service definition's deployment strategy is {strategy}: ECS would move the listeners itself, against Segue. Use ROLLING."
        ));
    }
}
