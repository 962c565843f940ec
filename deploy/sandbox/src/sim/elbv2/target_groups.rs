//! Target groups.

use std::collections::BTreeMap;

use winterbaume_elasticloadbalancingv2::{model as wire, wire as codec};

use super::{
    api::{Answer, Params, check_name, invalid, malformed, page},
    flows,
    state::TargetGroup,
    tags,
};
use crate::sim::{context::Context, error::ApiError, reply::reply};

pub(super) fn not_found() -> ApiError {
    ApiError::new("TargetGroupNotFound", "One or more target groups not found")
}

pub(super) fn create(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_create_target_group_request(params).map_err(malformed)?;
    check_name("Target group", &input.name)?;
    let target_type = input.target_type.clone().unwrap_or_else(|| "instance".to_owned());
    let protocol = input.protocol.clone();
    if target_type != "lambda" && (input.port.is_none() || protocol.is_none() || input.vpc_id.is_none()) {
        return Err(invalid("A port, a protocol and a VPC ID must be specified"));
    }
    tags::check(input.tags.as_ref())?;
    let shape = described(&input, &target_type);
    check_health(&shape)?;
    let existing =
        context.elb.target_groups.iter().find(|(_, group)| group.shape.target_group_name.as_ref() == Some(&input.name));
    let arn = if let Some((arn, group)) = existing {
        let wanted = wire::TargetGroup { target_group_arn: Some(arn.clone()), ..shape };
        let same = serde_json::to_value(wanted).ok() == serde_json::to_value(&group.shape).ok();
        if !same {
            let text = format!("A target group with the same name '{}' exists, but with different settings", input.name);
            return Err(ApiError::new("DuplicateTargetGroupName", text));
        }
        arn.clone()
    } else {
        let id = context.hex(16);
        let arn = context.arn("elasticloadbalancing", &format!("targetgroup/{}/{id}", input.name));
        let attributes = flows::default_attributes(shape.protocol.as_deref());
        let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let group = TargetGroup {
            shape: wire::TargetGroup { target_group_arn: Some(arn.clone()), ..shape },
            attributes: attributes.collect(),
            targets: BTreeMap::new(),
        };
        context.elb.target_groups.insert(arn.clone(), group);
        tags::set(context, &arn, input.tags.as_ref());
        arn
    };
    let items = vec![describe_one(context, &arn)];
    let output = wire::CreateTargetGroupOutput { target_groups: Some(wire::TargetGroups { items }) };
    reply(&output)
}

pub(super) fn describe(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_describe_target_groups_request(params).map_err(malformed)?;
    let filters = [input.load_balancer_arn.is_some(), input.names.is_some(), input.target_group_arns.is_some()];
    if filters.into_iter().filter(|given| *given).count() > 1 {
        return Err(invalid("You can specify only one of the following: load balancer ARN, target group ARNs, names"));
    }
    let mut arns = Vec::new();
    if let Some(wanted) = &input.target_group_arns {
        for arn in &wanted.items {
            if !context.elb.target_groups.contains_key(arn) {
                return Err(not_found());
            }
            arns.push(arn.clone());
        }
    } else if let Some(wanted) = &input.names {
        for name in &wanted.items {
            let found = context.elb.target_groups.iter().find(|(_, group)| group.shape.target_group_name.as_ref() == Some(name));
            arns.push(found.ok_or_else(not_found)?.0.clone());
        }
    } else if let Some(balancer) = &input.load_balancer_arn {
        if !context.elb.load_balancers.contains_key(balancer) {
            return Err(ApiError::new("LoadBalancerNotFound", format!("Load balancers '[{balancer}]' not found")));
        }
        let of_it = context.elb.target_groups.keys().filter(|arn| context.elb.load_balancers_of(arn).contains(balancer));
        arns.extend(of_it.cloned());
    } else {
        arns.extend(context.elb.target_groups.keys().cloned());
    }
    let (arns, next_marker) = page(arns, input.marker.as_ref(), input.page_size)?;
    let items = arns.iter().map(|arn| describe_one(context, arn)).collect();
    let output = wire::DescribeTargetGroupsOutput { target_groups: Some(wire::TargetGroups { items }), next_marker };
    reply(&output)
}

pub(super) fn modify(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_modify_target_group_request(params).map_err(malformed)?;
    let arn = input.target_group_arn;
    let stood = context.elb.target_groups.get(&arn).ok_or_else(not_found)?.shape.clone();
    let mut shape = stood.clone();
    shape.health_check_enabled = input.health_check_enabled.or(shape.health_check_enabled);
    shape.health_check_interval_seconds = input.health_check_interval_seconds.or(shape.health_check_interval_seconds);
    shape.health_check_path = input.health_check_path.or(shape.health_check_path.take());
    shape.health_check_port = input.health_check_port.or(shape.health_check_port.take());
    shape.health_check_protocol = input.health_check_protocol.or(shape.health_check_protocol.take());
    shape.health_check_timeout_seconds = input.health_check_timeout_seconds.or(shape.health_check_timeout_seconds);
    shape.healthy_threshold_count = input.healthy_threshold_count.or(shape.healthy_threshold_count);
    shape.unhealthy_threshold_count = input.unhealthy_threshold_count.or(shape.unhealthy_threshold_count);
    shape.matcher = input.matcher.or(shape.matcher.take());
    let by_tcp = shape.health_check_protocol.as_deref() == Some("TCP");
    if by_tcp && stood.health_check_protocol.as_deref() != Some("TCP") {
        // What was of HTTP goes with it.
        shape.health_check_path = None;
        shape.matcher = None;
    }
    check_health(&shape)?;
    if let Some(group) = context.elb.target_groups.get_mut(&arn) {
        group.shape = shape;
    }
    let items = vec![describe_one(context, &arn)];
    let output = wire::ModifyTargetGroupOutput { target_groups: Some(wire::TargetGroups { items }) };
    reply(&output)
}

pub(super) fn delete(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_delete_target_group_request(params).map_err(malformed)?;
    let arn = input.target_group_arn;
    if !context.elb.load_balancers_of(&arn).is_empty() {
        let text = format!("Target group '{arn}' is currently in use by a listener or a rule");
        return Err(ApiError::new("ResourceInUse", text));
    }
    // Deleting what is not there succeeds.
    context.elb.target_groups.remove(&arn);
    context.elb.tags.remove(&arn);
    reply(&wire::DeleteTargetGroupOutput {})
}

/// A new group with AWS's defaults for what was left out.
fn described(input: &wire::CreateTargetGroupInput, target_type: &str) -> wire::TargetGroup {
    let http = ["HTTP", "HTTPS"].contains(&input.protocol.as_deref().unwrap_or("HTTP"));
    let check_protocol = input.health_check_protocol.clone().or_else(|| {
        let default = if http { input.protocol.clone() } else { Some("TCP".to_owned()) };
        default.filter(|_| target_type != "lambda")
    });
    let by_http = check_protocol.as_deref().is_none_or(|protocol| protocol != "TCP");
    wire::TargetGroup {
        health_check_enabled: Some(input.health_check_enabled.unwrap_or(target_type != "lambda")),
        health_check_interval_seconds: Some(input.health_check_interval_seconds.unwrap_or(30)),
        health_check_path: input.health_check_path.clone().or_else(|| by_http.then(|| "/".to_owned())),
        health_check_port: Some(input.health_check_port.clone().unwrap_or_else(|| "traffic-port".to_owned())),
        health_check_protocol: check_protocol,
        health_check_timeout_seconds: Some(input.health_check_timeout_seconds.unwrap_or(if http {
            5
        } else {
            flows::check_timeout(by_http)
        })),
        healthy_threshold_count: Some(input.healthy_threshold_count.unwrap_or(5)),
        unhealthy_threshold_count: Some(input.unhealthy_threshold_count.unwrap_or(2)),
        ip_address_type: Some(input.ip_address_type.clone().unwrap_or_else(|| "ipv4".to_owned())),
        matcher: input.matcher.clone().or_else(|| {
            by_http.then(|| wire::Matcher { http_code: Some(if http { "200" } else { "200-399" }.to_owned()), grpc_code: None })
        }),
        port: input.port,
        protocol: input.protocol.clone(),
        protocol_version: input
            .protocol_version
            .clone()
            .or_else(|| (http && input.protocol.is_some()).then(|| "HTTP1".to_owned())),
        target_control_port: input.target_control_port,
        target_group_name: Some(input.name.clone()),
        target_type: Some(target_type.to_owned()),
        vpc_id: input.vpc_id.clone(),
        ..wire::TargetGroup::default()
    }
}

/// AWS's bounds of health check settings.
fn check_health(shape: &wire::TargetGroup) -> Result<(), ApiError> {
    let bounded = |what: &str, value: Option<i32>, low: i32, high: i32| match value {
        Some(value) if !(low..=high).contains(&value) => Err(invalid(format!("{what} must be between {low} and {high}"))),
        _ => Ok(()),
    };
    bounded("Health check interval", shape.health_check_interval_seconds, 5, 300)?;
    bounded("Health check timeout", shape.health_check_timeout_seconds, 2, 120)?;
    bounded("Healthy threshold count", shape.healthy_threshold_count, 2, 10)?;
    bounded("Unhealthy threshold count", shape.unhealthy_threshold_count, 2, 10)?;
    if shape.health_check_protocol.as_deref() == Some("TCP") {
        for (what, given) in [("path", shape.health_check_path.is_some()), ("matcher", shape.matcher.is_some())] {
            if given {
                return Err(invalid(format!("A health check {what} cannot be specified for the health check protocol TCP")));
            }
        }
        if shape.protocol.as_deref().is_some_and(|protocol| ["HTTP", "HTTPS"].contains(&protocol)) {
            return Err(invalid("The health check protocol TCP is not supported for target groups of HTTP or HTTPS"));
        }
    }
    if shape.health_check_timeout_seconds >= shape.health_check_interval_seconds {
        return Err(invalid("Health check timeout must be smaller than the interval"));
    }
    Ok(())
}

fn describe_one(context: &Context<'_>, arn: &str) -> wire::TargetGroup {
    let items = context.elb.load_balancers_of(arn).into_iter().collect();
    let load_balancer_arns = Some(wire::LoadBalancerArns { items });
    wire::TargetGroup { load_balancer_arns, ..context.elb.target_groups[arn].shape.clone() }
}
