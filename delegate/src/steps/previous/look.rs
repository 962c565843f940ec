//! What stands where the deployment left it: asked before a person confirms, and again when the rollback begins.

use domain::{
    failure::Failure,
    step::{OldService, PreviousVersion, PreviousVersionSetup, SetupOutput, Traffic},
};

use super::super::{dns, markers, step::short_name};
use crate::aws::{actions::single_target, model::Service, ports::Aws};

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
            auto_scaling: None,
        });
    };
    let names = [setup.service.clone(), previous.name.clone()];
    let serving_scaling = format!("service/{}/{}", short_name(&setup.cluster), setup.service);
    let (services, moved, document, auto_scaling) = futures::try_join!(
        aws.ecs.services(&setup.cluster, &names),
        moved(aws, &setup.traffic),
        // A task definition that can't be read leaves the image unknown; it is no reason to stay.
        async { Ok(aws.ecs.task_definition_document(&previous.task_definition).await.ok()) },
        // Neither is auto scaling that may not be looked at.
        async { Ok(aws.scaling.of(&serving_scaling).await.unwrap_or_default()) },
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
    obstacles.extend(moved);
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
        let named = setup.traffic.pairs().first().map(|pair| pair.container.as_str());
        containers.iter().find(|container| named.is_some() && container["name"].as_str() == named).or(containers.first())
    });
    Ok(PreviousVersion {
        obstacles,
        remarks,
        image: container.and_then(|container| container["image"].as_str()).unwrap_or_default().to_owned(),
        serving_count,
        wanted_count: previous.desired_count.max(serving_count).max(1),
        auto_scaling,
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
    for group in setup.traffic.old_target_groups() {
        if !service.target_groups.iter().any(|registered| registered == group) {
            obstacles.push(format!("The service {} is no longer registered in the target group {group}.", previous.name));
        }
    }
    if let Some(target) = setup.traffic.dns().and_then(|dns| dns.old.as_ref())
        && !service.registries.contains(&target.arn)
    {
        obstacles.push(format!("The service {} is no longer registered in {}.", previous.name, target.name));
    }
    if service.is_rolling_out() {
        obstacles.push(format!("ECS itself is deploying to the service {} right now. Wait until it is steady.", previous.name));
    }
}

/// The routes that lead elsewhere than where the deployment left them, a sentence each.
async fn moved(aws: &Aws, traffic: &Traffic) -> Result<Vec<String>, Failure> {
    let pairs = match traffic {
        Traffic::LoadBalancer(pairs) => pairs,
        Traffic::Dns(records) => {
            let found = aws.records.record_sets(&records.zone, &records.alias).await?;
            return Ok(dns::told_otherwise(records, &found));
        }
    };
    let mut obstacles = Vec::new();
    for pair in pairs {
        for (role, route, group) in
            [("production", &pair.prod, &pair.new_target_group), ("stage", &pair.stage, &pair.old_target_group)]
        {
            let arns = [route.arn().to_owned()];
            let actions = match &route.rule {
                Some(_) => aws.load_balancing.rules_named(&arns).await?.pop().map(|rule| rule.actions),
                None => aws.load_balancing.listeners(&arns).await?.pop().map(|listener| listener.actions),
            };
            let called = route.called(role);
            obstacles.extend(match actions.as_ref().map(single_target) {
                None => Some(format!("The {called} {} does not exist any more.", route.arn())),
                Some(Ok(target)) if target == *group => None,
                Some(Ok(target)) => Some(format!(
                    "The {called} forwards to {target}, not to {group}, where the deployment left it: somebody changed it since."
                )),
                Some(Err(error)) => Some(format!("The {called} {error}.")),
            });
        }
    }
    Ok(obstacles)
}
