//! What stands where the deployment left it: asked before a person confirms, and again when the rollback begins.

use domain::{
    failure::Failure,
    step::{OldService, PreviousVersion, PreviousVersionSetup, SetupOutput},
};

use super::super::markers;
use crate::aws::{
    actions::single_target,
    model::{Listener, Service},
    ports::Aws,
};

/// Looks. Every obstacle is told, not only the first.
///
/// # Errors
/// When AWS refuses one of the reads.
pub async fn previous_version(aws: &Aws, input: &PreviousVersionSetup) -> Result<PreviousVersion, Failure> {
    let setup = &input.setup;
    let Some(previous) = &setup.old else {
        let obstacles = vec!["The deployment was the first of its line: there is no version before it.".to_owned()];
        return Ok(PreviousVersion {
            obstacles,
            remarks: Vec::new(),
            image: String::new(),
            serving_count: 0,
            wanted_count: 0,
            bg_version: None,
        });
    };
    let names = [setup.service.clone(), previous.name.clone()];
    let arns = [setup.prod_listener.clone(), setup.stage_listener.clone()];
    let (services, listeners, document) = futures::try_join!(
        aws.ecs.services(&setup.cluster, &names),
        aws.load_balancing.listeners(&arns),
        // A task definition that can't be read leaves the image unknown; it is no reason to stay.
        async { Ok(aws.ecs.task_definition_document(&previous.task_definition).await.ok()) },
    )?;
    let of = |name: &str| services.iter().find(|service| service.name == name && service.is_active());
    let serving = of(&setup.service);
    let mut obstacles = Vec::new();
    match of(&previous.name) {
        Some(service) => changed_since(setup, previous, service, &mut obstacles),
        None => {
            let cluster = &setup.cluster;
            obstacles.push(format!(
                "The previous version is gone: the ECS service {} in cluster {cluster} does not exist any more.",
                previous.name
            ));
        }
    }
    let expected = [
        ("production", &setup.prod_listener, &setup.new_target_group),
        ("stage", &setup.stage_listener, &setup.old_target_group),
    ];
    for (role, arn, group) in expected {
        obstacles.extend(moved(&listeners, role, arn, group));
    }
    let serving_count = serving.map_or(0, |service| service.desired);
    let mut remarks = Vec::new();
    if serving.is_none() {
        remarks.push(format!("The service that production forwards to, {}, does not exist any more.", setup.service));
    }
    if serving_count > previous.desired_count {
        remarks.push(format!(
            "{} had {} tasks when it last served; it gets {serving_count}, as many as serve now.",
            previous.name, previous.desired_count
        ));
    }
    let container = document.as_ref().and_then(|document| {
        let containers = document["containerDefinitions"].as_array()?;
        containers.iter().find(|container| container["name"] == setup.container.as_str()).or(containers.first())
    });
    Ok(PreviousVersion {
        obstacles,
        remarks,
        image: container.and_then(|container| container["image"].as_str()).unwrap_or_default().to_owned(),
        serving_count,
        wanted_count: previous.desired_count.max(serving_count).max(1),
        bg_version: serving.and_then(|service| markers::colour(service)).map(str::to_owned),
    })
}

/// Somebody worked on the previous version's service after it had been left.
fn changed_since(setup: &SetupOutput, previous: &OldService, service: &Service, obstacles: &mut Vec<String>) {
    if service.task_definition != previous.task_definition {
        obstacles.push(format!(
            "The service {} was changed since: it ran {} and is set to {} now.",
            previous.name, previous.task_definition, service.task_definition
        ));
    }
    if !service.target_groups.contains(&setup.old_target_group) {
        obstacles.push(format!(
            "The service {} is no longer registered in the target group {}.",
            previous.name, setup.old_target_group
        ));
    }
    if service.is_rolling_out() {
        obstacles.push(format!("ECS itself is deploying to the service {} right now. Wait until it is steady.", previous.name));
    }
}

/// A listener that forwards elsewhere than where the deployment left it.
fn moved(listeners: &[Listener], role: &str, arn: &str, group: &str) -> Option<String> {
    let Some(listener) = listeners.iter().find(|listener| listener.arn == arn) else {
        return Some(format!("The {role} listener {arn} does not exist any more."));
    };
    let port = listener.port;
    match single_target(&listener.actions) {
        Ok(target) if target == group => None,
        Ok(target) => Some(format!(
            "The {role} listener (port {port}) forwards to {target}, not to {group}, where the deployment left it: somebody changed it since."
        )),
        Err(error) => Some(format!("The {role} listener (port {port}) {error}.")),
    }
}
