//! Listeners.

use winterbaume_elasticloadbalancingv2::{model as wire, wire as codec};

use super::{
    api::{Answer, Params, invalid, malformed, page, path},
    certificates::{self, is_secure},
    flows, form,
    state::Listener,
    tags, usage,
};
use crate::sim::{context::Context, error::ApiError, reply::reply};

pub(super) fn not_found(arn: &str) -> ApiError {
    ApiError::new("ListenerNotFound", format!("Listener '{arn}' not found"))
}

pub(super) fn create(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_create_listener_request(params).map_err(malformed)?;
    let balancer = input.load_balancer_arn;
    if !context.elb.load_balancers.contains_key(&balancer) {
        return Err(ApiError::new("LoadBalancerNotFound", format!("Load balancers '[{balancer}]' not found")));
    }
    tags::check(input.tags.as_ref())?;
    let port =
        input.port.filter(|port| (1..=65_535).contains(port)).ok_or_else(|| invalid("A listener port must be specified"))?;
    let protocol = input.protocol.ok_or_else(|| invalid("A listener protocol must be specified"))?;
    check_protocol(context, &balancer, &protocol)?;
    certificates::check(&protocol, input.certificates.as_ref(), context.account, context.region)?;
    let actions = usage::normalised(context.elb, &balancer, &form::list(params, "DefaultActions")?)?;
    flows::check(context.elb, &balancer, &protocol, &actions)?;
    if let Some(existing) = at_port(context, &balancer, port) {
        let same = existing.shape.protocol.as_ref() == Some(&protocol)
            && serde_json::to_value(&existing.shape.default_actions).ok() == serde_json::to_value(Some(&actions)).ok();
        if !same {
            return Err(ApiError::new("DuplicateListener", "A listener already exists on this port for this load balancer"));
        }
        let items = vec![existing.shape.clone()];
        let output = wire::CreateListenerOutput { listeners: Some(wire::Listeners { items }) };
        return reply(&output);
    }
    let secure = is_secure(&protocol);
    let id = context.hex(16);
    let arn = context.arn("elasticloadbalancing", &format!("{}/{id}", path(&balancer).replacen("loadbalancer/", "listener/", 1)));
    let shape = wire::Listener {
        default_actions: Some(actions),
        listener_arn: Some(arn.clone()),
        load_balancer_arn: Some(balancer),
        port: Some(port),
        protocol: Some(protocol),
        certificates: input.certificates,
        ssl_policy: input.ssl_policy.or_else(|| secure.then(default_policy)),
        alpn_policy: input.alpn_policy,
        mutual_authentication: input.mutual_authentication,
    };
    context.elb.listeners.insert(arn.clone(), Listener { shape: shape.clone() });
    tags::set(context, &arn, input.tags.as_ref());
    let output = wire::CreateListenerOutput { listeners: Some(wire::Listeners { items: vec![shape] }) };
    reply(&output)
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
    reply(&output)
}

pub(super) fn modify(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_modify_listener_request(params).map_err(malformed)?;
    let arn = input.listener_arn;
    let balancer = context.elb.listeners.get(&arn).ok_or_else(|| not_found(&arn))?.shape.load_balancer_arn.clone();
    let balancer = balancer.unwrap_or_default();
    // Members that were left out stay as they are.
    let given: wire::Actions = form::list(params, "DefaultActions")?;
    let actions = if given.items.is_empty() { None } else { Some(usage::normalised(context.elb, &balancer, &given)?) };
    if let Some(port) = input.port {
        let other = at_port(context, &balancer, port).is_some_and(|other| other.shape.listener_arn.as_ref() != Some(&arn));
        if other {
            return Err(ApiError::new("DuplicateListener", "A listener already exists on this port for this load balancer"));
        }
    }
    let stands = &context.elb.listeners[&arn].shape;
    let protocol = input.protocol.clone().or_else(|| stands.protocol.clone()).unwrap_or_default();
    if input.protocol.is_some() {
        check_protocol(context, &balancer, &protocol)?;
    }
    if input.certificates.is_some() || (is_secure(&protocol) && stands.certificates.is_none()) {
        certificates::check(&protocol, input.certificates.as_ref(), context.account, context.region)?;
    }
    if let Some(actions) = actions.as_ref().or(stands.default_actions.as_ref()) {
        flows::check(context.elb, &balancer, &protocol, actions)?;
    }
    let Some(listener) = context.elb.listeners.get_mut(&arn) else { return Err(not_found(&arn)) };
    if let Some(actions) = actions {
        listener.shape.default_actions = Some(actions);
    }
    listener.shape.port = input.port.or(listener.shape.port);
    listener.shape.protocol = input.protocol.or(listener.shape.protocol.take());
    listener.shape.ssl_policy =
        input.ssl_policy.or(listener.shape.ssl_policy.take()).or_else(|| is_secure(&protocol).then(default_policy));
    listener.shape.certificates = input.certificates.or(listener.shape.certificates.take());
    listener.shape.alpn_policy = input.alpn_policy.or(listener.shape.alpn_policy.take());
    listener.shape.mutual_authentication = input.mutual_authentication.or(listener.shape.mutual_authentication.take());
    if listener.shape.protocol.as_deref().is_some_and(|protocol| !is_secure(protocol)) {
        // A listener that is no longer secure drops its certificates and policy.
        listener.shape.certificates = None;
        listener.shape.ssl_policy = None;
    }
    let output = wire::ModifyListenerOutput { listeners: Some(wire::Listeners { items: vec![listener.shape.clone()] }) };
    reply(&output)
}

pub(super) fn delete(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_delete_listener_request(params).map_err(malformed)?;
    let arn = input.listener_arn;
    if !context.elb.listeners.contains_key(&arn) {
        return Err(not_found(&arn));
    }
    context.elb.remove_listeners(|found, _| found == arn);
    reply(&wire::DeleteListenerOutput {})
}

/// What AWS's API (not its console) takes where none is given.
fn default_policy() -> String {
    "ELBSecurityPolicy-2016-08".to_owned()
}

fn check_protocol(context: &Context<'_>, balancer: &str, protocol: &str) -> Result<(), ApiError> {
    let application = context.elb.load_balancers.get(balancer).is_none_or(super::state::LoadBalancer::is_application);
    let known: &[&str] = if application { &["HTTP", "HTTPS"] } else { &["TCP", "TLS", "UDP", "TCP_UDP"] };
    if !known.contains(&protocol) {
        let text = format!("The protocol '{protocol}' is not supported by this load balancer, which knows {}", known.join(", "));
        return Err(ApiError::new("UnsupportedProtocol", text));
    }
    Ok(())
}

fn at_port<'a>(context: &'a Context<'_>, balancer: &str, port: i32) -> Option<&'a Listener> {
    let of_it = |listener: &&Listener| listener.shape.load_balancer_arn.as_deref() == Some(balancer);
    context.elb.listeners.values().filter(of_it).find(|listener| listener.shape.port == Some(port))
}
