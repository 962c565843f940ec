//! Targets: registered, deregistered, and how healthy they are.

use std::net::Ipv4Addr;

use winterbaume_elasticloadbalancingv2::{model as wire, wire as codec};

use super::{
    api::{Answer, Params, invalid, malformed},
    state::{TargetGroup, TargetState},
    target_groups::not_found,
};
use crate::sim::{context::Context, error::ApiError, reply::reply};

pub(super) fn register(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_register_targets_request(params).map_err(malformed)?;
    let now = context.clock.now();
    for (address, port) in addresses(context, &input.target_group_arn, &input.targets)? {
        context.elb.register(&input.target_group_arn, address, port, now);
    }
    reply(&wire::RegisterTargetsOutput {})
}

pub(super) fn deregister(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_deregister_targets_request(params).map_err(malformed)?;
    let now = context.clock.now();
    // Unknown targets are no error.
    for (address, port) in addresses(context, &input.target_group_arn, &input.targets)? {
        context.elb.deregister(&input.target_group_arn, address, port, now);
    }
    reply(&wire::DeregisterTargetsOutput {})
}

pub(super) fn health(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_describe_target_health_request(params).map_err(malformed)?;
    let arn = &input.target_group_arn;
    let group = context.elb.target_groups.get(arn).ok_or_else(not_found)?;
    let in_use = !context.elb.load_balancers_of(arn).is_empty();
    let now = context.clock.now();
    let mut items: Vec<_> = group
        .targets
        .iter()
        .map(|((address, port), target)| {
            describe(group, *address, *port, health_of(&target.state, in_use, now, context.delays.propagation))
        })
        .collect();
    if let Some(wanted) = &input.targets {
        items.retain(|item| item.target.as_ref().is_some_and(|target| wanted.items.iter().any(|w| w.id == target.id)));
        for target in &wanted.items {
            if !items.iter().any(|item| item.target.as_ref().is_some_and(|found| found.id == target.id)) {
                let missing =
                    health("unused", Some("Target.NotRegistered"), Some("Target is not registered to the target group"));
                let target_health = Some(missing);
                items.push(wire::TargetHealthDescription { target: Some(target.clone()), target_health, ..Default::default() });
            }
        }
    }
    let output = wire::DescribeTargetHealthOutput { target_health_descriptions: Some(wire::TargetHealthDescriptions { items }) };
    return reply(&output);

    fn health(state: &str, reason: Option<&str>, description: Option<&str>) -> wire::TargetHealth {
        wire::TargetHealth {
            state: Some(state.to_owned()),
            reason: reason.map(str::to_owned),
            description: description.map(str::to_owned),
        }
    }

    fn health_of(state: &TargetState, in_use: bool, now: f64, propagation: f64) -> wire::TargetHealth {
        match state {
            TargetState::Draining(_) => {
                health("draining", Some("Target.DeregistrationInProgress"), Some("Target deregistration is in progress"))
            }
            _ if !in_use => health(
                "unused",
                Some("Target.NotInUse"),
                Some("Target group is not configured to receive traffic from the load balancer"),
            ),
            TargetState::Initial(since) if now - since < propagation => {
                health("initial", Some("Elb.RegistrationInProgress"), Some("Target registration is in progress"))
            }
            TargetState::Initial(_) => {
                health("initial", Some("Elb.InitialHealthChecking"), Some("Initial health checks in progress"))
            }
            TargetState::Healthy => health("healthy", None, None),
            TargetState::Unhealthy { reason, description } => health("unhealthy", Some(reason), Some(description)),
        }
    }
}

fn describe(group: &TargetGroup, address: Ipv4Addr, port: u16, health: wire::TargetHealth) -> wire::TargetHealthDescription {
    let check_port = match group.shape.health_check_port.as_deref() {
        Some("traffic-port") | None => port.to_string(),
        Some(port) => port.to_owned(),
    };
    wire::TargetHealthDescription {
        health_check_port: Some(check_port),
        target: Some(wire::TargetDescription {
            id: address.to_string(),
            port: Some(i32::from(port)),
            availability_zone: Some("all".to_owned()),
            quic_server_id: None,
        }),
        target_health: Some(health),
        ..wire::TargetHealthDescription::default()
    }
}

fn addresses(context: &Context<'_>, arn: &str, targets: &wire::TargetDescriptions) -> Result<Vec<(Ipv4Addr, u16)>, ApiError> {
    let group = context.elb.target_groups.get(arn).ok_or_else(not_found)?;
    if targets.items.is_empty() {
        return Err(invalid("At least one target must be specified"));
    }
    let mut addresses = Vec::new();
    for target in &targets.items {
        let address: Ipv4Addr = target
            .id
            .parse()
            .map_err(|_| ApiError::new("InvalidTarget", format!("The following targets are not valid: '{}'", target.id)))?;
        if !address.is_loopback() {
            let text = format!("The IP address '{address}' is not within the VPC, whose addresses are loopback addresses");
            return Err(ApiError::new("ValidationError", text));
        }
        let port = target.port.or(group.shape.port).and_then(|port| u16::try_from(port).ok());
        addresses.push((address, port.ok_or_else(|| invalid("A port must be specified"))?));
    }
    Ok(addresses)
}
