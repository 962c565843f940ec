//! What a delegate found in a VPC.

use std::fmt::Write as _;

use domain::{
    console::visible,
    discovery::{Answer, Findings, Rule},
};

/// Load balancers as a tree; an empty answer says who looked, where, and what it would need.
pub fn load_balancers(answer: &Answer, delegate: &str) -> String {
    let found = match &answer.findings {
        Findings::LoadBalancers(found) => found.as_slice(),
        // Nobody asked for it here.
        Findings::PreviousVersion(_) | Findings::Access { .. } => &[],
    };
    let place = match &answer.vpc {
        Some(vpc) => format!("region {}, VPC {}", visible(&answer.region), visible(vpc)),
        None => format!("region {}", visible(&answer.region)),
    };
    let mut text = String::new();
    // Writing into a String cannot fail.
    if found.is_empty() {
        let _ = writeln!(text, "No load balancer was found.\n");
        let _ = writeln!(
            text,
            "Delegate {} looked as {} in account {}, {place}.",
            visible(delegate),
            visible(&answer.identity),
            visible(&answer.account)
        );
        let _ = writeln!(
            text,
            "It needs elasticloadbalancing:DescribeLoadBalancers, DescribeListeners, DescribeRules, DescribeTargetGroups and \
             DescribeTargetHealth there."
        );
        return text;
    }
    for balancer in found {
        let _ = writeln!(
            text,
            "{}  {} {} {}  {}  {}",
            visible(&balancer.name),
            visible(&balancer.kind),
            visible(&balancer.scheme),
            visible(&balancer.state),
            visible(&balancer.dns_name),
            visible(&balancer.vpc)
        );
        let _ = writeln!(text, "  {}", visible(&balancer.arn));
        for listener in &balancer.listeners {
            let _ = writeln!(text, "  {} {}  {}", visible(&listener.protocol), listener.port, visible(&listener.arn));
            for rule in &listener.rules {
                text += &one_rule(rule);
            }
        }
    }
    let _ = writeln!(text, "\nRead by delegate {} in account {}, {place}.", visible(delegate), visible(&answer.account));
    text
}

fn one_rule(rule: &Rule) -> String {
    let conditions = if rule.conditions.is_empty() { String::new() } else { format!(" if {}", rule.conditions.join(" and ")) };
    let mut text = format!("    rule {}{}\n", visible(&rule.priority), visible(&conditions));
    for action in &rule.actions {
        let _ = writeln!(text, "      {}", visible(action));
    }
    for group in &rule.target_groups {
        let _ = writeln!(
            text,
            "      -> {}  weight {}, {} {}, {} targets, {} of {} healthy",
            visible(&group.name),
            group.weight,
            visible(&group.protocol),
            group.port,
            visible(&group.target_type),
            group.healthy,
            group.targets
        );
        let _ = writeln!(text, "         {}", visible(&group.arn));
    }
    text
}
