//! Attributes of target groups and load balancers.

use std::collections::BTreeMap;

use winterbaume_elasticloadbalancingv2::{model as wire, wire as codec};

use super::{
    api::{Answer, Params, invalid, malformed},
    target_groups,
};
use crate::sim::{context::Context, error::ApiError, reply::reply};

pub(super) fn describe_group(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_describe_target_group_attributes_request(params).map_err(malformed)?;
    let group = context.elb.target_groups.get(&input.target_group_arn).ok_or_else(target_groups::not_found)?;
    let output = wire::DescribeTargetGroupAttributesOutput { attributes: Some(of_group(&group.attributes)) };
    reply(&output)
}

pub(super) fn modify_group(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_modify_target_group_attributes_request(params).map_err(malformed)?;
    let group = context.elb.target_groups.get_mut(&input.target_group_arn).ok_or_else(target_groups::not_found)?;
    for attribute in input.attributes.items {
        let (Some(key), Some(value)) = (attribute.key, attribute.value) else { continue };
        if key == "deregistration_delay.timeout_seconds" && !value.parse::<u32>().is_ok_and(|seconds| seconds <= 3_600) {
            return Err(invalid("The deregistration delay must be between 0 and 3600 seconds"));
        }
        if key == "stickiness.lb_cookie.duration_seconds"
            && !value.parse::<u32>().is_ok_and(|seconds| (1..=604_800).contains(&seconds))
        {
            return Err(invalid("The stickiness duration must be between 1 and 604800 seconds"));
        }
        group.attributes.insert(key, value);
    }
    let output = wire::ModifyTargetGroupAttributesOutput { attributes: Some(of_group(&group.attributes)) };
    reply(&output)
}

pub(super) fn describe_balancer(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_describe_load_balancer_attributes_request(params).map_err(malformed)?;
    let balancer = context.elb.load_balancers.get(&input.load_balancer_arn).ok_or_else(|| missing(&input.load_balancer_arn))?;
    let output = wire::DescribeLoadBalancerAttributesOutput { attributes: Some(of_balancer(&balancer.attributes)) };
    reply(&output)
}

pub(super) fn modify_balancer(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_modify_load_balancer_attributes_request(params).map_err(malformed)?;
    let arn = input.load_balancer_arn;
    let balancer = context.elb.load_balancers.get_mut(&arn).ok_or_else(|| missing(&arn))?;
    for attribute in input.attributes.items {
        if let (Some(key), Some(value)) = (attribute.key, attribute.value) {
            balancer.attributes.insert(key, value);
        }
    }
    let output = wire::ModifyLoadBalancerAttributesOutput { attributes: Some(of_balancer(&balancer.attributes)) };
    reply(&output)
}

fn missing(arn: &str) -> ApiError {
    ApiError::new("LoadBalancerNotFound", format!("Load balancers '[{arn}]' not found"))
}

fn of_group(attributes: &BTreeMap<String, String>) -> wire::TargetGroupAttributes {
    let items =
        attributes.iter().map(|(key, value)| wire::TargetGroupAttribute { key: Some(key.clone()), value: Some(value.clone()) });
    wire::TargetGroupAttributes { items: items.collect() }
}

fn of_balancer(attributes: &BTreeMap<String, String>) -> wire::LoadBalancerAttributes {
    let items =
        attributes.iter().map(|(key, value)| wire::LoadBalancerAttribute { key: Some(key.clone()), value: Some(value.clone()) });
    wire::LoadBalancerAttributes { items: items.collect() }
}
