//! Load balancers.

use winterbaume_elasticloadbalancingv2::{model as wire, wire as codec};

use super::{
    api::{Answer, Params, check_name, invalid, malformed, page, timestamp},
    state::LoadBalancer,
    tags,
};
use crate::sim::{context::Context, error::ApiError, reply::reply};

pub(super) fn create(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_create_load_balancer_request(params).map_err(malformed)?;
    check_name("Load balancer", &input.name)?;
    tags::check(input.tags.as_ref())?;
    let named = |balancer: &&LoadBalancer| balancer.shape.load_balancer_name.as_ref() == Some(&input.name);
    // The same request again gives the same load balancer.
    let asked = serde_json::to_value(wire::CreateLoadBalancerInput { tags: None, ..input.clone() }).unwrap_or_default();
    if let Some(existing) = context.elb.load_balancers.values().find(named) {
        if existing.asked == asked {
            let items = vec![describe_one(context, &existing.shape.load_balancer_arn.clone().unwrap_or_default())];
            return reply(&wire::CreateLoadBalancerOutput { load_balancers: Some(wire::LoadBalancers { items }) });
        }
        let text = format!("A load balancer with the same name '{}' exists, but with different settings", input.name);
        return Err(ApiError::new("DuplicateLoadBalancerName", text));
    }
    let kind = input.r#type.clone().unwrap_or_else(|| "application".to_owned());
    if !["application", "network"].contains(&kind.as_str()) {
        return Err(invalid(format!("The load balancer type '{kind}' is not one that the simulator has: application, network")));
    }
    let subnets: Vec<String> = match (&input.subnets, &input.subnet_mappings) {
        (Some(subnets), _) => subnets.items.clone(),
        (None, Some(mappings)) => mappings.items.iter().filter_map(|mapping| mapping.subnet_id.clone()).collect(),
        (None, None) => Vec::new(),
    };
    if kind == "application" && subnets.len() < 2 {
        return Err(invalid("At least two subnets in two different Availability Zones must be specified"));
    }
    if subnets.is_empty() {
        return Err(invalid("At least one subnet must be specified"));
    }
    let short = if kind == "network" { "net" } else { "app" };
    let id = context.hex(16);
    let arn = context.arn("elasticloadbalancing", &format!("loadbalancer/{short}/{}/{id}", input.name));
    let address = context.addresses.take();
    let zones = subnets.iter().zip(["a", "b", "c", "d", "e", "f"]).map(|(subnet, zone)| wire::AvailabilityZone {
        subnet_id: Some(subnet.clone()),
        zone_name: Some(format!("{}{zone}", context.region)),
        load_balancer_addresses: Some(wire::LoadBalancerAddresses { items: Vec::new() }),
        ..wire::AvailabilityZone::default()
    });
    let shape = wire::LoadBalancer {
        availability_zones: Some(wire::AvailabilityZones { items: zones.collect() }),
        canonical_hosted_zone_id: Some("Z368ELLRRE2KJ0".to_owned()),
        created_time: Some(timestamp()),
        // The address itself: names below `localhost` are not resolved everywhere.
        d_n_s_name: Some(address.to_string()),
        ip_address_type: Some(input.ip_address_type.unwrap_or_else(|| "ipv4".to_owned())),
        load_balancer_arn: Some(arn.clone()),
        load_balancer_name: Some(input.name),
        scheme: Some(input.scheme.unwrap_or_else(|| "internet-facing".to_owned())),
        security_groups: input.security_groups,
        r#type: Some(kind.clone()),
        vpc_id: Some(VPC.to_owned()),
        ..wire::LoadBalancer::default()
    };
    let active_at = context.clock.now() + context.jittered(context.delays.load_balancer);
    let attributes: &[(&str, &str)] = if kind == "network" {
        &[("deletion_protection.enabled", "false"), ("load_balancing.cross_zone.enabled", "false")]
    } else {
        &[("idle_timeout.timeout_seconds", "60"), ("deletion_protection.enabled", "false"), ("routing.http2.enabled", "true")]
    };
    let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    context.elb.load_balancers.insert(arn.clone(), LoadBalancer { shape, active_at, address, attributes, asked });
    tags::set(context, &arn, input.tags.as_ref());
    let described = describe_one(context, &arn);
    let output = wire::CreateLoadBalancerOutput { load_balancers: Some(wire::LoadBalancers { items: vec![described] }) };
    reply(&output)
}

/// The one VPC of the simulated network: its addresses are loopback addresses.
pub(super) const VPC: &str = "vpc-0ddddddddddddddd";

pub(super) fn describe(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_describe_load_balancers_request(params).map_err(malformed)?;
    let not_found = |what: &str| ApiError::new("LoadBalancerNotFound", format!("Load balancers '[{what}]' not found"));
    let mut arns: Vec<String> = Vec::new();
    if let Some(wanted) = &input.load_balancer_arns {
        for arn in &wanted.items {
            if !context.elb.load_balancers.contains_key(arn) {
                return Err(not_found(arn));
            }
            arns.push(arn.clone());
        }
    } else if let Some(wanted) = &input.names {
        for name in &wanted.items {
            let found = context.elb.load_balancers.iter().find(|(_, lb)| lb.shape.load_balancer_name.as_ref() == Some(name));
            arns.push(found.ok_or_else(|| not_found(name))?.0.clone());
        }
    } else {
        arns.extend(context.elb.load_balancers.keys().cloned());
    }
    let (arns, next_marker) = page(arns, input.marker.as_ref(), input.page_size)?;
    let items = arns.iter().map(|arn| describe_one(context, arn)).collect();
    let output = wire::DescribeLoadBalancersOutput { load_balancers: Some(wire::LoadBalancers { items }), next_marker };
    reply(&output)
}

pub(super) fn delete(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_delete_load_balancer_request(params).map_err(malformed)?;
    let arn = input.load_balancer_arn;
    let protected =
        |balancer: &LoadBalancer| balancer.attributes.get("deletion_protection.enabled").is_some_and(|on| on == "true");
    if context.elb.load_balancers.get(&arn).is_some_and(protected) {
        let text = format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled");
        return Err(ApiError::new("OperationNotPermitted", text));
    }
    // Deleting what is not there succeeds.
    if context.elb.load_balancers.remove(&arn).is_some() {
        context.elb.remove_listeners(|_, listener| listener.shape.load_balancer_arn.as_ref() == Some(&arn));
        context.elb.tags.remove(&arn);
    }
    reply(&wire::DeleteLoadBalancerOutput {})
}

fn describe_one(context: &Context<'_>, arn: &str) -> wire::LoadBalancer {
    let balancer = &context.elb.load_balancers[arn];
    let code = if context.clock.now() >= balancer.active_at { "active" } else { "provisioning" };
    let state = wire::LoadBalancerState { code: Some(code.to_owned()), reason: None };
    wire::LoadBalancer { state: Some(state), ..balancer.shape.clone() }
}
