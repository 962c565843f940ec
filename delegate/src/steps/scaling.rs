//! Auto scaling of services: looked at before anything is touched, given to the new version at full size, taken from a version before
//! it goes to 0 (its policies would scale it up again), and put back exactly.

use domain::{
    failure::FailureKind,
    step::{AutoScaling, OldService, SetupOutput, Traffic},
};

use super::step::short_name;
use crate::{
    aws::budget::Operation,
    executor::{Halt, Outcome, Repeat, StepContext},
};

/// What Application Auto Scaling calls an ECS service.
fn resource(cluster: &str, service: &str) -> String {
    format!("service/{}/{service}", short_name(cluster))
}

/// The auto scaling of a service. A delegate that may not look says so: whether that is a fault is for the workflow to say, which
/// wants auto scaling or does not.
pub(super) async fn look(context: &StepContext, cluster: &str, service: &str, wanted: bool) -> Outcome<Option<AutoScaling>> {
    let found = match context.read(context.aws()?.scaling.of(&resource(cluster, service))).await {
        Err(Halt::Failed(failure)) if failure.kind == FailureKind::Authorization && !wanted => {
            context
                .console()
                .warn(format!("The auto scaling of {service} could not be looked at, and is left alone. {}", failure.message));
            None
        }
        other => other?,
    };
    Ok(found)
}

/// What was found of the version that serves, in the words of the reference.
pub(super) fn say(context: &StepContext, old: Option<&OldService>) {
    let console = context.console();
    console.info("Checking for Auto-Scalar config for existing services");
    match old.and_then(|old| Some((old, old.auto_scaling.as_ref()?))) {
        Some((old, scaling)) => console.info(format!("Found Auto-scalar config of {}: {}", old.name, scaling.told())),
        None => console.info("No Auto-scalar config found for existing services"),
    }
}

/// What the new version is to have: what the workflow says, else what the old one had, counted on its own target group.
pub(super) fn wanted(said: Option<&AutoScaling>, old: Option<&OldService>, traffic: &Traffic) -> Option<AutoScaling> {
    let scaling = said.or_else(|| old?.auto_scaling.as_ref())?;
    Some(
        traffic.pairs().iter().fold(scaling.clone(), |scaling, pair| {
            scaling.relabelled(label(&pair.old_target_group), label(&pair.new_target_group))
        }),
    )
}

/// The part of a target group's ARN that policies name it by.
fn label(target_group: &str) -> &str {
    target_group.rsplit(':').next().unwrap_or(target_group)
}

/// The service has this auto scaling and no other policy.
pub(super) async fn ensure(context: &StepContext, cluster: &str, service: &str, wanted: &AutoScaling) -> Outcome<()> {
    let (api, console) = (&context.aws()?.scaling, context.console());
    let resource = resource(cluster, service);
    let now = context.read(api.of(&resource)).await?;
    if now.as_ref().is_none_or(|now| now.scalable_target != wanted.scalable_target) {
        console.info(format!("Registering scalable target of service {service}: {}", wanted.told()));
        context.write(Operation::ChangeScaling, Repeat::Harmless, || api.register(&resource, &wanted.scalable_target)).await?;
    }
    let there = now.map(|now| now.scaling_policies).unwrap_or_default();
    for policy in wanted.scaling_policies.iter().filter(|policy| !there.contains(policy)) {
        let name = policy["PolicyName"].as_str().unwrap_or_default();
        console.info(format!("Putting scaling policy {name} of service {service}"));
        context.write(Operation::ChangeScaling, Repeat::Harmless, || api.put_policy(&resource, policy)).await?;
    }
    let kept = |name: &str| wanted.scaling_policies.iter().any(|policy| policy["PolicyName"] == name);
    for name in there.iter().filter_map(|policy| policy["PolicyName"].as_str()).filter(|name| !kept(name)) {
        console.info(format!("Deleting scaling policy {name} of service {service}, which it did not have"));
        context.write(Operation::ChangeScaling, Repeat::Harmless, || api.delete_policy(&resource, name)).await?;
    }
    Ok(())
}

/// The service has no auto scaling any more.
pub(super) async fn remove(context: &StepContext, cluster: &str, service: &str) -> Outcome<()> {
    let api = &context.aws()?.scaling;
    let resource = resource(cluster, service);
    let now = match context.read(api.of(&resource)).await {
        // Nobody who may not look has registered one here, and the tasks' count is checked all the same.
        Err(Halt::Failed(failure)) if failure.kind == FailureKind::Authorization => return Ok(()),
        other => other?,
    };
    if now.is_some() {
        context.console().info(format!("Removing auto scaling of service {service}, so that nothing scales it up again"));
        context.write(Operation::ChangeScaling, Repeat::Harmless, || api.deregister(&resource)).await?;
    }
    Ok(())
}

/// The old version has its recorded auto scaling.
pub(super) async fn restore(context: &StepContext, setup: &SetupOutput, old: &OldService) -> Outcome<()> {
    match &old.auto_scaling {
        Some(scaling) => ensure(context, &setup.cluster, &old.name, scaling).await,
        None => Ok(()),
    }
}
