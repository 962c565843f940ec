//! Scalable targets: registered, told, removed.

use serde_json::{Value, json};

use super::{
    api::{Answer, DIMENSION, Input, invalid, namespace, no_target, page, resource, service_key, text},
    policies, scaling,
    state::{ScalableTarget, Suspended},
    tags,
};
use crate::sim::{context::Context, ecs::ServiceStatus, error::ApiError};

pub(super) fn register(input: &Input, context: &mut Context<'_>) -> Answer {
    let resource = resource(input)?.to_owned();
    let exists = service_key(&resource).and_then(|key| context.ecs.services.get(&key));
    if exists.is_none_or(|service| service.status != ServiceStatus::Active) {
        return Err(invalid(format!("ECS service doesn't exist: {resource}")));
    }
    let known = context.autoscaling.targets.get(&resource);
    let (min, max) = (capacity(input, "MinCapacity")?, capacity(input, "MaxCapacity")?);
    let (Some(min), Some(max)) = (min.or(known.map(|known| known.min)), max.or(known.map(|known| known.max))) else {
        return Err(invalid("MinCapacity and MaxCapacity must be specified to register a new scalable target"));
    };
    if min > max {
        return Err(invalid("Maximum capacity cannot be less than minimum capacity"));
    }
    let suspended = suspended(input, known.map(|known| known.suspended).unwrap_or_default());
    let given = tags::read(input)?;
    if known.is_some() && !given.is_empty() {
        return Err(invalid("Tags can only be given to a new scalable target; use TagResource"));
    }
    let role = text(input, "RoleARN").map(str::to_owned);
    if let Some(target) = context.autoscaling.targets.get_mut(&resource) {
        (target.min, target.max, target.suspended) = (min, max, suspended);
    } else {
        let id = context.hex(36);
        let service_role = format!(
            "arn:aws:iam::{}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
            context.account
        );
        let target = ScalableTarget {
            arn: context.arn("application-autoscaling", &format!("scalable-target/{id}")),
            min,
            max,
            suspended,
            role: role.unwrap_or(service_role),
            created_at: context.clock.epoch(),
            tags: given,
        };
        context.autoscaling.targets.insert(resource.clone(), target);
    }
    scaling::bound(context, &resource);
    Ok(json!({"ScalableTargetARN": context.autoscaling.targets[&resource].arn}))
}

pub(super) fn describe(input: &Input, context: &mut Context<'_>) -> Answer {
    namespace(input)?;
    let wanted: Vec<&str> =
        input.get("ResourceIds").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let dimension = text(input, "ScalableDimension");
    if dimension.is_some_and(|dimension| dimension != DIMENSION) {
        return Err(invalid("Unsupported service namespace, resource type or scalable dimension"));
    }
    let fits = |resource: &str| wanted.is_empty() || wanted.contains(&resource);
    let found = context.autoscaling.targets.iter().filter(|(resource, _)| fits(resource));
    let all = found.map(|(resource, target)| {
        json!({
            "ServiceNamespace": "ecs", "ResourceId": resource, "ScalableDimension": DIMENSION,
            "MinCapacity": target.min, "MaxCapacity": target.max, "RoleARN": target.role, "CreationTime": target.created_at,
            "ScalableTargetARN": target.arn,
            "SuspendedState": {
                "DynamicScalingInSuspended": target.suspended.into, "DynamicScalingOutSuspended": target.suspended.out,
                "ScheduledScalingSuspended": target.suspended.scheduled,
            },
        })
    });
    page(input, all.collect(), "ScalableTargets")
}

pub(super) fn deregister(input: &Input, context: &mut Context<'_>) -> Answer {
    let resource = resource(input)?;
    if context.autoscaling.targets.remove(resource).is_none() {
        return Err(no_target(resource));
    }
    // Its policies go with it, and their alarms.
    let names: Vec<String> =
        context.autoscaling.policies.keys().filter(|(of, _)| of == resource).map(|(_, name)| name.clone()).collect();
    for name in names {
        policies::remove(context, resource, &name);
    }
    Ok(json!({}))
}

fn capacity(input: &Input, name: &str) -> Result<Option<u32>, ApiError> {
    let Some(given) = input.get(name) else { return Ok(None) };
    let number = given.as_u64().and_then(|number| u32::try_from(number).ok());
    number.map(Some).ok_or_else(|| invalid(format!("{name} must be a number that is not below 0")))
}

/// What was left out stays as it was.
fn suspended(input: &Input, before: Suspended) -> Suspended {
    let given = |name: &str| input.get("SuspendedState").and_then(|state| state.get(name)).and_then(Value::as_bool);
    Suspended {
        into: given("DynamicScalingInSuspended").unwrap_or(before.into),
        out: given("DynamicScalingOutSuspended").unwrap_or(before.out),
        scheduled: given("ScheduledScalingSuspended").unwrap_or(before.scheduled),
    }
}
