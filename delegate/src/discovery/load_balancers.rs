//! Load balancers with everything below them: listeners, rules, and the target groups that rules forward to with their health.

use std::collections::BTreeMap;

use domain::{
    discovery::{Listener, LoadBalancer, Rule, TargetGroup},
    failure::Failure,
};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::aws::{actions::forward_targets, model, ports::LoadBalancing};

/// Reads in flight at once: an account's ELB calls are limited to a burst of 40, shared with deployments.
const AT_ONCE: usize = 4;

/// The load balancers of this VPC (of all, if none is given) whose name contains this, by name.
///
/// # Errors
/// When AWS refuses one of the reads.
pub(super) async fn find(
    elb: &dyn LoadBalancing,
    vpc: Option<&str>,
    name_contains: Option<&str>,
) -> Result<Vec<LoadBalancer>, Failure> {
    let mut balancers = elb.load_balancers().await?;
    balancers.retain(|balancer| {
        vpc.is_none_or(|vpc| balancer.vpc == vpc) && name_contains.is_none_or(|part| balancer.name.contains(part))
    });
    balancers.sort_by(|a, b| a.name.cmp(&b.name));
    stream::iter(balancers).map(|balancer| below(elb, balancer)).buffered(AT_ONCE).try_collect().await
}

async fn below(elb: &dyn LoadBalancing, balancer: model::LoadBalancer) -> Result<LoadBalancer, Failure> {
    let (mut listeners, groups) = futures::try_join!(elb.listeners_of(&balancer.arn), elb.target_groups_of(&balancer.arn))?;
    listeners.sort_by_key(|listener| listener.port);
    // Owned names: a closure over references would keep the whole answer from being `Send`.
    let arns: Vec<String> = groups.iter().map(|group| group.arn.clone()).collect();
    let health: BTreeMap<String, (u32, u32)> = stream::iter(arns)
        .map(|arn| async move {
            let targets = elb.target_health(&arn).await?;
            let healthy = targets.iter().filter(|target| target.is_healthy()).count();
            Ok::<_, Failure>((arn, (count(healthy), count(targets.len()))))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let arns: Vec<String> = listeners.iter().map(|listener| listener.arn.clone()).collect();
    let rules: Vec<Vec<model::Rule>> =
        stream::iter(arns).map(|arn| async move { elb.rules(&arn).await }).buffered(AT_ONCE).try_collect().await?;
    let described = |rule: model::Rule| describe(rule, &groups, &health);
    let listeners = listeners
        .into_iter()
        .zip(rules)
        .map(|(listener, mut rules)| {
            // The order in which they are tried: by number, the default one last.
            rules.sort_by_key(|rule| rule.priority.parse::<u32>().unwrap_or(u32::MAX));
            Listener {
                arn: listener.arn,
                port: listener.port,
                protocol: listener.protocol,
                rules: rules.into_iter().map(described).collect(),
            }
        })
        .collect();
    Ok(LoadBalancer {
        name: balancer.name,
        arn: balancer.arn,
        dns_name: balancer.dns_name,
        kind: balancer.kind,
        scheme: balancer.scheme,
        state: balancer.state,
        vpc: balancer.vpc,
        listeners,
    })
}

fn describe(rule: model::Rule, groups: &[model::TargetGroup], health: &BTreeMap<String, (u32, u32)>) -> Rule {
    let target_groups = forward_targets(&rule.actions)
        .into_iter()
        .map(|(arn, weight)| {
            let group = groups.iter().find(|group| group.arn == arn);
            let (healthy, targets) = health.get(&arn).copied().unwrap_or_default();
            TargetGroup {
                name: group.map(|group| group.name.clone()).unwrap_or_default(),
                weight,
                port: group.and_then(|group| group.port).unwrap_or_default(),
                protocol: group.map(|group| group.protocol.clone()).unwrap_or_default(),
                target_type: group.map(|group| group.target_type.clone()).unwrap_or_default(),
                healthy,
                targets,
                arn,
            }
        })
        .collect();
    let actions = rule.actions.as_array().into_iter().flatten().filter_map(in_short).collect();
    Rule { arn: rule.arn, priority: rule.priority, conditions: rule.conditions, actions, target_groups }
}

/// An action that is no forward, in a few words.
fn in_short(action: &Value) -> Option<String> {
    let member = |config: &str, key: &str| action[config][key].as_str().unwrap_or_default().to_owned();
    match action["Type"].as_str()? {
        "forward" => None,
        "fixed-response" => Some(format!("fixed-response {}", member("FixedResponseConfig", "StatusCode"))),
        "redirect" => {
            let part = |key: &str, usual: &str| {
                let value = member("RedirectConfig", key);
                if value.is_empty() { usual.to_owned() } else { value }
            };
            Some(format!(
                "redirect {} to {}://{}:{}{}",
                member("RedirectConfig", "StatusCode").trim_start_matches("HTTP_"),
                part("Protocol", "#{protocol}").to_lowercase(),
                part("Host", "#{host}"),
                part("Port", "#{port}"),
                part("Path", "/#{path}"),
            ))
        }
        other => Some(other.to_owned()),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_forward_is_told_in_a_few_words() {
        let redirect =
            json!({"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}});
        assert_eq!(in_short(&redirect).as_deref(), Some("redirect 301 to https://#{host}:443/#{path}"));
        let fixed = json!({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}});
        assert_eq!(in_short(&fixed).as_deref(), Some("fixed-response 404"));
        assert_eq!(in_short(&json!({"Type": "forward", "TargetGroupArn": "tg"})), None);
        assert_eq!(in_short(&json!({"Type": "authenticate-oidc"})).as_deref(), Some("authenticate-oidc"));
    }
}
