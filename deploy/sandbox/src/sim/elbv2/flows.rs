//! What a listener's protocol lets it do; and what is particular to Network Load Balancers: what their listeners may not do, and what their target groups begin with.

use winterbaume_elasticloadbalancingv2::model as wire;

use super::{api::invalid, state::Elb, usage::groups_of};
use crate::sim::error::ApiError;

/// Checks actions against their listener's protocol. On an Application Load Balancer, only HTTPS listeners authenticate. On a Network Load Balancer, an action is a forward to groups that its protocol
/// goes with; of a TLS listener, all have one protocol.
pub(super) fn check(elb: &Elb, load_balancer: &str, protocol: &str, actions: &wire::Actions) -> Result<(), ApiError> {
    if is_application(elb, load_balancer) {
        let secured = protocol == "HTTPS";
        let asks = actions.items.iter().find(|action| action.r#type.starts_with("authenticate-"));
        return match asks.filter(|_| !secured) {
            Some(asks) => Err(invalid(format!("Actions of type '{}' are supported only on HTTPS listeners", asks.r#type))),
            None => Ok(()),
        };
    }
    let fitting: &[&str] = match protocol {
        "TCP" => &["TCP", "TCP_UDP"],
        "TLS" => &["TCP", "TLS"],
        "UDP" => &["UDP", "TCP_UDP"],
        _ => &["TCP_UDP"],
    };
    let mut seen: Option<&str> = None;
    for action in &actions.items {
        if action.r#type != "forward" {
            let text = format!("The action type '{}' is not valid with a load balancer of type 'network'", action.r#type);
            return Err(ApiError::new("InvalidLoadBalancerAction", text));
        }
        for (arn, _) in groups_of(action) {
            let of_group = elb.target_groups.get(&arn).and_then(|group| group.shape.protocol.as_deref()).unwrap_or_default();
            if !fitting.contains(&of_group) {
                let text = format!(
                    "The target group '{arn}' has the protocol '{of_group}', which a {protocol} listener does not support"
                );
                return Err(ApiError::new("IncompatibleProtocols", text));
            }
            if protocol == "TLS" && seen.is_some_and(|seen| seen != of_group) {
                return Err(ApiError::new(
                    "IncompatibleProtocols",
                    "All target groups of a TLS listener must have the same protocol",
                ));
            }
            seen = Some(of_group);
        }
    }
    Ok(())
}

/// Refuses rules on a Network Load Balancer. AWS has had rules on dual-stack ones since 2025; the simulated network is IPv4 only.
pub(super) fn check_rules(elb: &Elb, load_balancer: &str) -> Result<(), ApiError> {
    if is_application(elb, load_balancer) {
        return Ok(());
    }
    Err(ApiError::new("InvalidLoadBalancerAction", "Rules are not supported for Network Load Balancer listeners"))
}

/// What a target group's attributes are at first.
pub(super) fn default_attributes(protocol: Option<&str>) -> &'static [(&'static str, &'static str)] {
    match protocol {
        None | Some("HTTP" | "HTTPS") => &[
            ("deregistration_delay.timeout_seconds", "300"),
            ("stickiness.enabled", "false"),
            ("stickiness.type", "lb_cookie"),
            ("stickiness.lb_cookie.duration_seconds", "86400"),
            ("load_balancing.algorithm.type", "round_robin"),
            ("slow_start.duration_seconds", "0"),
        ],
        Some(_) => &[
            ("deregistration_delay.timeout_seconds", "300"),
            ("deregistration_delay.connection_termination.enabled", "false"),
            ("stickiness.enabled", "false"),
            ("stickiness.type", "source_ip"),
            ("preserve_client_ip.enabled", "false"),
            ("proxy_protocol_v2.enabled", "false"),
            ("target_health_state.unhealthy.connection_termination.enabled", "true"),
        ],
    }
}

/// How long a Network Load Balancer's health check waits, in seconds, where nothing else is asked for.
pub(super) fn check_timeout(by_http: bool) -> i32 {
    if by_http { 6 } else { 10 }
}

fn is_application(elb: &Elb, load_balancer: &str) -> bool {
    elb.load_balancers.get(load_balancer).is_none_or(super::state::LoadBalancer::is_application)
}
