//! Scaling policies: put, told, removed; with the alarms of those that track a target.

use serde_json::{Map, Value, json};

use super::{
    api::{Answer, DIMENSION, Input, invalid, namespace, no_target, page, required, resource, text},
    state::{Kind, Policy},
    tracking,
};
use crate::sim::{context::Context, error::ApiError};

pub(super) fn put(input: &Input, context: &mut Context<'_>) -> Answer {
    let resource = resource(input)?.to_owned();
    let name = required(input, "PolicyName")?.to_owned();
    if !context.autoscaling.targets.contains_key(&resource) {
        return Err(no_target(&resource));
    }
    let key = (resource.clone(), name.clone());
    let known = context.autoscaling.policies.get(&key);
    let kind = match text(input, "PolicyType") {
        Some("TargetTrackingScaling") => Kind::Tracking,
        Some("StepScaling") => Kind::Steps,
        // AWS's default for a policy that is new.
        None => known.map_or(Kind::Steps, |known| known.kind),
        Some(other) => return Err(invalid(format!("The policy type {other} is not known to the simulator"))),
    };
    if known.is_some_and(|known| known.kind != kind) {
        return Err(invalid("The type of a scaling policy cannot be changed"));
    }
    let configuration = input.get(kind.member()).and_then(Value::as_object).cloned();
    let configuration =
        configuration.ok_or_else(|| invalid(format!("{} must be specified for {}", kind.member(), kind.as_str())))?;
    let uuid = context.uuid();
    let arn = match context.autoscaling.policies.get(&key) {
        Some(known) => known.arn.clone(),
        None => context.arn("autoscaling", &format!("scalingPolicy:{uuid}:resource/ecs/{resource}:policyName/{name}")),
    };
    let alarms = match kind {
        Kind::Tracking => follow(context, &resource, &key, &configuration, &arn)?,
        Kind::Steps => {
            check_steps(&configuration)?;
            Vec::new()
        }
    };
    let created_at = context.clock.epoch();
    let policy = context.autoscaling.policies.entry(key.clone()).or_insert_with(|| Policy {
        arn,
        kind,
        configuration: Map::new(),
        alarms: Vec::new(),
        created_at,
        scaled_out: None,
        scaled_in: None,
    });
    policy.configuration = configuration;
    policy.alarms = alarms;
    let policy = &context.autoscaling.policies[&key];
    Ok(json!({"PolicyARN": policy.arn, "Alarms": alarms_of(context, policy)}))
}

/// Makes the alarms of a policy that tracks a target; those that it has keep their names.
fn follow(
    context: &mut Context<'_>,
    resource: &str,
    key: &(String, String),
    configuration: &Map<String, Value>,
    arn: &str,
) -> Result<Vec<String>, ApiError> {
    let target = configuration.get("TargetValue").and_then(Value::as_f64).filter(|target| *target > 0.0);
    let target = target.ok_or_else(|| invalid("TargetValue must be a number above 0"))?;
    for name in ["ScaleOutCooldown", "ScaleInCooldown"] {
        if configuration.get(name).is_some_and(|given| given.as_u64().is_none()) {
            return Err(invalid(format!("{name} must be a number of seconds that is not below 0")));
        }
    }
    let followed = tracking::followed(configuration, resource)?;
    let same = context.autoscaling.policies.iter().any(|(other, policy)| {
        other.0 == resource
            && other != key
            && policy.kind == Kind::Tracking
            && tracking::followed(&policy.configuration, resource).is_ok_and(|other| other == followed)
    });
    if same {
        return Err(invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed."));
    }
    let names = match context.autoscaling.policies.get(key) {
        Some(known) => known.alarms.clone(),
        None => ["High", "Low"].map(|side| format!("TargetTracking-{resource}-Alarm{side}-{}", context.uuid())).to_vec(),
    };
    let wall = context.clock.epoch();
    for alarm in tracking::alarms(&followed, target, &names, arn, wall) {
        context.cloudwatch.alarms.insert(alarm.name.clone(), alarm);
    }
    Ok(names)
}

fn check_steps(configuration: &Map<String, Value>) -> Result<(), ApiError> {
    let kinds = ["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"];
    if !configuration.get("AdjustmentType").and_then(Value::as_str).is_some_and(|kind| kinds.contains(&kind)) {
        return Err(invalid(format!("AdjustmentType must be one of {}", kinds.join(", "))));
    }
    let steps = configuration.get("StepAdjustments").and_then(Value::as_array).filter(|steps| !steps.is_empty());
    let steps = steps.ok_or_else(|| invalid("Step scaling policies need at least one step adjustment"))?;
    let whole = steps.iter().all(|step| step.get("ScalingAdjustment").is_some_and(Value::is_i64));
    if whole { Ok(()) } else { Err(invalid("Each step adjustment needs a ScalingAdjustment")) }
}

pub(super) fn describe(input: &Input, context: &mut Context<'_>) -> Answer {
    namespace(input)?;
    let names: Vec<&str> =
        input.get("PolicyNames").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let wanted = text(input, "ResourceId");
    if text(input, "ScalableDimension").is_some() && wanted.is_none() {
        return Err(invalid("A resource ID must be specified with a scalable dimension"));
    }
    let fits = |resource: &str, name: &str| {
        wanted.is_none_or(|wanted| wanted == resource) && (names.is_empty() || names.contains(&name))
    };
    let found = context.autoscaling.policies.iter().filter(|((resource, name), _)| fits(resource, name));
    let all = found.map(|((resource, name), policy)| {
        json!({
            "PolicyARN": policy.arn, "PolicyName": name, "ServiceNamespace": "ecs", "ResourceId": resource,
            "ScalableDimension": DIMENSION, "PolicyType": policy.kind.as_str(), policy.kind.member(): policy.configuration,
            "Alarms": alarms_of(context, policy), "CreationTime": policy.created_at,
        })
    });
    page(input, all.collect(), "ScalingPolicies")
}

pub(super) fn delete(input: &Input, context: &mut Context<'_>) -> Answer {
    let resource = resource(input)?.to_owned();
    let name = required(input, "PolicyName")?.to_owned();
    if !remove(context, &resource, &name) {
        let text = format!(
            "No scaling policy found for service namespace: ecs, resource ID: {resource}, scalable dimension: {DIMENSION}, policy name: {name}"
        );
        return Err(ApiError::new("ObjectNotFoundException", text));
    }
    Ok(json!({}))
}

/// Removes a policy and the alarms that were made for it; false if there is none.
pub(super) fn remove(context: &mut Context<'_>, resource: &str, name: &str) -> bool {
    let Some(policy) = context.autoscaling.policies.remove(&(resource.to_owned(), name.to_owned())) else { return false };
    for alarm in &policy.alarms {
        context.cloudwatch.alarms.remove(alarm);
    }
    true
}

/// The alarms of a policy: those that were made for it, or those whose owners had them call it.
fn alarms_of(context: &Context<'_>, policy: &Policy) -> Vec<Value> {
    let calls = |name: &String| match policy.kind {
        Kind::Tracking => policy.alarms.contains(name),
        Kind::Steps => context.cloudwatch.alarms[name].actions.values().flatten().any(|action| *action == policy.arn),
    };
    let named = context.cloudwatch.alarms.keys().filter(|name| calls(name));
    named.map(|name| json!({"AlarmName": name, "AlarmARN": context.arn("cloudwatch", &format!("alarm:{name}"))})).collect()
}
