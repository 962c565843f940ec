//! Listeners.

use winterbaume_elasticloadbalancingv2::{model as wire, wire as codec};

use super::{
    api::{Answer, Params, invalid, malformed, page, path},
    form,
    state::Listener,
    tags, usage,
};
use crate::sim::{context::Context, error::ApiError};

pub(super) fn not_found(arn: &str) -> ApiError {
    ApiError::new("ListenerNotFound", format!("Listener '{arn}' not found"))
}

pub(super) fn create(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_create_listener_request(params).map_err(malformed)?;
    let balancer = input.load_balancer_arn;
    if !context.elb.load_balancers.contains_key(&balancer) {
        return Err(ApiError::new("LoadBalancerNotFound", format!("Load balancers '[{balancer}]' not found")));
    }
    let port = input.port.filter(|port| (1..=65_535).contains(port)).ok_or_else(|| invalid("A listener port must be specified"))?;
    let protocol = input.protocol.ok_or_else(|| invalid("A listener protocol must be specified"))?;
    let actions = usage::normalised(context.elb, &balancer, &form::list(params, "DefaultActions")?)?;
    if let Some(existing) = at_port(context, &balancer, port) {
        let same = existing.shape.protocol.as_ref() == Some(&protocol)
            && serde_json::to_value(&existing.shape.default_actions).ok() == serde_json::to_value(Some(&actions)).ok();
        if !same {
            return Err(ApiError::new("DuplicateListener", "A listener already exists on this port for this load balancer"));
        }
        let items = vec![existing.shape.clone()];
        let output = wire::CreateListenerOutput { listeners: Some(wire::Listeners { items }) };
        return Ok(codec::serialize_create_listener_response(&output));
    }
    let id = context.hex(16);
    let arn = context.arn("elasticloadbalancing", &format!("{}/{id}", path(&balancer).replacen("loadbalancer/", "listener/", 1)));
    let shape = wire::Listener {
        default_actions: Some(actions),
        listener_arn: Some(arn.clone()),
        load_balancer_arn: Some(balancer),
        port: Some(port),
        protocol: Some(protocol),
        certificates: input.certificates,
        ssl_policy: input.ssl_policy,
        ..wire::Listener::default()
    };
    context.elb.listeners.insert(arn.clone(), Listener { shape: shape.clone() });
    tags::set(context, &arn, input.tags.as_ref());
    let output = wire::CreateListenerOutput { listeners: Some(wire::Listeners { items: vec![shape] }) };
    Ok(codec::serialize_create_listener_response(&output))
}

pub(super) fn describe(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_describe_listeners_request(params).map_err(malformed)?;
    let mut found = Vec::new();
    match (&input.listener_arns, &input.load_balancer_arn) {
        (Some(arns), _) => {
            for arn in &arns.items {
                found.push(context.elb.listeners.get(arn).ok_or_else(|| not_found(arn))?.shape.clone());
            }
        }
        (None, Some(balancer)) => {
            if !context.elb.load_balancers.contains_key(balancer) {
                return Err(ApiError::new("LoadBalancerNotFound", format!("Load balancers '[{balancer}]' not found")));
            }
            let of_it = context.elb.listeners.values().filter(|l| l.shape.load_balancer_arn.as_ref() == Some(balancer));
            found.extend(of_it.map(|listener| listener.shape.clone()));
        }
        (None, None) => return Err(invalid("You must specify either listener ARNs or a load balancer ARN")),
    }
    let (items, next_marker) = page(found, input.marker.as_ref(), input.page_size)?;
    let output = wire::DescribeListenersOutput { listeners: Some(wire::Listeners { items }), next_marker };
    Ok(codec::serialize_describe_listeners_response(&output))
}

pub(super) fn modify(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_modify_listener_request(params).map_err(malformed)?;
    let arn = input.listener_arn;
    let balancer = context.elb.listeners.get(&arn).ok_or_else(|| not_found(&arn))?.shape.load_balancer_arn.clone();
    let balancer = balancer.unwrap_or_default();
    // Members that were left out stay as they are.
    let given: wire::Actions = form::list(params, "DefaultActions")?;
    let actions =
        if given.items.is_empty() { None } else { Some(usage::normalised(context.elb, &balancer, &given)?) };
    if let Some(port) = input.port {
        let other = at_port(context, &balancer, port).is_some_and(|other| other.shape.listener_arn.as_ref() != Some(&arn));
        if other {
            return Err(ApiError::new("DuplicateListener", "A listener already exists on this port for this load balancer"));
        }
    }
    let Some(listener) = context.elb.listeners.get_mut(&arn) else { return Err(not_found(&arn)) };
    if let Some(actions) = actions {
        listener.shape.default_actions = Some(actions);
    }
    listener.shape.port = input.port.or(listener.shape.port);
    listener.shape.protocol = input.protocol.or(listener.shape.protocol.take());
    listener.shape.ssl_policy = input.ssl_policy.or(listener.shape.ssl_policy.take());
    listener.shape.certificates = input.certificates.or(listener.shape.certificates.take());
    let output = wire::ModifyListenerOutput { listeners: Some(wire::Listeners { items: vec![listener.shape.clone()] }) };
    Ok(codec::serialize_modify_listener_response(&output))
}

pub(super) fn delete(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_delete_listener_request(params).map_err(malformed)?;
    let arn = input.listener_arn;
    context.elb.listeners.remove(&arn).ok_or_else(|| not_found(&arn))?;
    context.elb.rules.retain(|_, rule| rule.listener != arn);
    Ok(codec::serialize_delete_listener_response(&wire::DeleteListenerOutput {}))
}

fn at_port<'a>(context: &'a Context<'_>, balancer: &str, port: i32) -> Option<&'a Listener> {
    let of_it = |listener: &&Listener| listener.shape.load_balancer_arn.as_deref() == Some(balancer);
    context.elb.listeners.values().filter(of_it).find(|listener| listener.shape.port == Some(port))
}
