//! Scaling: alarms that policies wait for change desired counts, within a target's bounds and not while a direction is suspended.

use super::{
    api::service_key,
    state::{Activity, Kind, Policy, Suspended},
    steps, tracking,
};
use crate::sim::{
    cloudwatch::{Alarm, AlarmState},
    context::Context,
    ecs::ServiceStatus,
};

/// AWS's seconds between two looks at policies.
const LOOK: f64 = 10.0;

/// What a policy wants.
#[derive(Debug, Clone, PartialEq)]
struct Wish {
    capacity: u32,
    alarm: String,
    policy: String,
}

/// One look at every policy.
pub fn tick(context: &mut Context<'_>) {
    let now = context.clock.now();
    if now - context.autoscaling.looked < LOOK {
        return;
    }
    context.autoscaling.looked = now;
    let resources: Vec<String> = context.autoscaling.targets.keys().cloned().collect();
    for resource in resources {
        follow_policies(context, &resource, now);
    }
}

/// Brings a service within its target's bounds, as far as no direction that this takes is suspended.
pub(super) fn bound(context: &mut Context<'_>, resource: &str) {
    let (Some(target), Some(desired)) = (context.autoscaling.targets.get(resource), desired(context, resource)) else { return };
    let (min, max, suspended) = (target.min, target.max, target.suspended);
    if desired < min && !suspended.out {
        set(context, resource, min, format!("minimum capacity was set to {min}"));
    } else if desired > max && !suspended.into {
        set(context, resource, max, format!("maximum capacity was set to {max}"));
    }
}

fn follow_policies(context: &mut Context<'_>, resource: &str, now: f64) {
    let Some(current) = desired(context, resource) else { return };
    let target = &context.autoscaling.targets[resource];
    let (min, max, suspended) = (target.min, target.max, target.suspended);
    let of_it = context.autoscaling.policies.iter().filter(|((of, _), _)| of == resource);
    let wishes: Vec<Option<Wish>> = of_it.map(|((_, name), policy)| wish(context, name, policy, current, now)).collect();
    let Some(wish) = agreed(wishes, current, suspended) else { return };
    let capacity = wish.capacity.clamp(min, max);
    // Scaling in waits for the end of a deployment, as ECS has it; scaling out does not.
    if capacity == current || (capacity < current && deploying(context, resource)) {
        return;
    }
    set(context, resource, capacity, format!("monitor alarm {} in state ALARM triggered policy {}", wish.alarm, wish.policy));
    if let Some(policy) = context.autoscaling.policies.get_mut(&(resource.to_owned(), wish.policy)) {
        let when = if capacity > current { &mut policy.scaled_out } else { &mut policy.scaled_in };
        *when = Some(now);
    }
}

/// What becomes of all policies' wishes: the most that any wants; less than there is only if none wants more, and each that has no wish
/// of its own lets it pass (`None` in the list: a policy that holds what there is).
fn agreed(wishes: Vec<Option<Wish>>, current: u32, suspended: Suspended) -> Option<Wish> {
    let holds = wishes.iter().any(Option::is_none);
    let most = wishes.into_iter().flatten().max_by_key(|wish| wish.capacity)?;
    let passes = match most.capacity.cmp(&current) {
        std::cmp::Ordering::Greater => !suspended.out,
        std::cmp::Ordering::Less => !suspended.into && !holds,
        std::cmp::Ordering::Equal => false,
    };
    passes.then_some(most)
}

/// What a policy wants now; none: it holds what there is.
fn wish(context: &Context<'_>, name: &str, policy: &Policy, current: u32, now: f64) -> Option<Wish> {
    let seconds =
        |member: &str, default: f64| policy.configuration.get(member).and_then(serde_json::Value::as_f64).unwrap_or(default);
    let passed = |since: Option<f64>, cooldown: f64| since.is_none_or(|since| now - since >= cooldown);
    let wish = |capacity: u32, alarm: &Alarm| Wish { capacity, alarm: alarm.name.clone(), policy: name.to_owned() };
    let red = |alarm: &&Alarm| alarm.state == AlarmState::Alarm && alarm.actions_enabled;
    if policy.kind == Kind::Steps {
        let rings = |alarm: &&Alarm| alarm.actions.get(AlarmState::Alarm.as_str()).is_some_and(|arns| arns.contains(&policy.arn));
        let alarm = context.cloudwatch.alarms.values().filter(rings).find(red)?;
        let latest = policy.scaled();
        if !passed(latest, seconds("Cooldown", tracking::COOLDOWN)) {
            return None;
        }
        let value = alarm.latest(context.cloudwatch.metrics.get(&alarm.metric), now)?;
        let capacity = steps::adjusted(&policy.configuration, current, value - alarm.threshold)?;
        return Some(wish(u32::try_from(capacity.max(0)).unwrap_or(u32::MAX), alarm));
    }
    let target = seconds("TargetValue", f64::INFINITY);
    let mut sides = policy.alarms.iter().filter_map(|alarm| context.cloudwatch.alarms.get(alarm));
    let (high, low) = (sides.next(), sides.next());
    let value = |alarm: &Alarm| alarm.latest(context.cloudwatch.metrics.get(&alarm.metric), now);
    if let Some(alarm) = high.filter(red) {
        let capacity = tracking::capacity(current, value(alarm)?, target).max(current);
        let ready = passed(policy.scaled_out, seconds("ScaleOutCooldown", tracking::COOLDOWN));
        return ready.then(|| wish(capacity, alarm));
    }
    let disabled = policy.configuration.get("DisableScaleIn").and_then(serde_json::Value::as_bool) == Some(true);
    let alarm = low.filter(red).filter(|_| !disabled)?;
    let latest = policy.scaled();
    let capacity = tracking::capacity(current, value(alarm)?, target).min(current);
    passed(latest, seconds("ScaleInCooldown", tracking::COOLDOWN)).then(|| wish(capacity, alarm))
}

/// The desired count of an active service.
fn desired(context: &Context<'_>, resource: &str) -> Option<u32> {
    let service = context.ecs.services.get(&service_key(resource)?)?;
    (service.status == ServiceStatus::Active).then_some(service.desired)
}

fn deploying(context: &Context<'_>, resource: &str) -> bool {
    let service = service_key(resource).and_then(|key| context.ecs.services.get(&key));
    service.is_some_and(|service| service.deployments.iter().any(|deployment| deployment.rollout_state == "IN_PROGRESS"))
}

fn set(context: &mut Context<'_>, resource: &str, capacity: u32, cause: String) {
    let now = context.clock.now();
    let Some(service) = service_key(resource).and_then(|key| context.ecs.services.get_mut(&key)) else { return };
    service.desired = capacity;
    service.steady = None;
    service.changed_at = now;
    let activity = Activity {
        id: context.uuid(),
        resource: resource.to_owned(),
        description: format!("Setting desired count to {capacity}."),
        cause,
        message: format!("Successfully set desired count to {capacity}. Change successfully fulfilled by ecs."),
        at: context.clock.epoch(),
    };
    context.autoscaling.note(activity);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(capacity: u32) -> Option<Wish> {
        Some(Wish { capacity, alarm: String::new(), policy: capacity.to_string() })
    }

    fn agreed_capacity(wishes: &[Option<Wish>], suspended: Suspended) -> Option<u32> {
        agreed(wishes.to_vec(), 4, suspended).map(|wish| wish.capacity)
    }

    #[test]
    fn the_most_is_done_and_less_only_if_all_agree() {
        let free = Suspended::default();
        assert_eq!(agreed_capacity(&[wish(6), wish(8), wish(2)], free), Some(8));
        assert_eq!(agreed_capacity(&[wish(6), None], free), Some(6));
        assert_eq!(agreed_capacity(&[wish(2), wish(3)], free), Some(3));
        assert_eq!(agreed_capacity(&[wish(2), None], free), None);
        assert_eq!(agreed_capacity(&[wish(4)], free), None);
        assert_eq!(agreed_capacity(&[], free), None);
    }

    #[test]
    fn a_suspended_direction_does_nothing() {
        let (into, out) = (Suspended { into: true, ..Suspended::default() }, Suspended { out: true, ..Suspended::default() });
        assert_eq!((agreed_capacity(&[wish(8)], out), agreed_capacity(&[wish(8)], into)), (None, Some(8)));
        assert_eq!((agreed_capacity(&[wish(1)], out), agreed_capacity(&[wish(1)], into)), (Some(1), None));
    }
}
