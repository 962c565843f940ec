//! Which listener or rule a pair means, among those that AWS shows.

use domain::step::{Route, RouteRule, WantedPair};
use serde_json::Value;

use super::look::BalancerScene;
use crate::aws::model::{Listener, Rule};

/// A route as AWS shows it.
#[derive(Debug, Clone)]
pub(super) struct FoundRoute<'s> {
    pub(super) route: Route,
    /// Its actions, whole.
    pub(super) actions: &'s Value,
}

/// The listener with this port or ARN.
pub(super) fn find_listener<'s>(listeners: &'s [Listener], wanted: &str) -> Option<&'s Listener> {
    match wanted.trim().parse::<u16>() {
        Ok(port) => listeners.iter().find(|listener| listener.port == port),
        Err(_) => listeners.iter().find(|listener| listener.arn == wanted.trim()),
    }
}

/// The rule with this priority or ARN; never the default one.
pub(super) fn find_rule<'s>(rules: &'s [Rule], wanted: &str) -> Option<&'s Rule> {
    let wanted = wanted.trim();
    rules.iter().find(|rule| !rule.is_default && (rule.priority == wanted || rule.arn == wanted))
}

/// The listeners of this load balancer that pairs name, each once.
pub(super) fn named_listeners<'s>(balancer: &'s BalancerScene, pairs: &[WantedPair]) -> Vec<&'s Listener> {
    let mut named: Vec<&Listener> = Vec::new();
    for pair in pairs.iter().filter(|pair| pair.load_balancer == balancer.wanted) {
        for wanted in [&pair.prod_listener, &pair.stage_listener] {
            if let Some(listener) = find_listener(&balancer.listeners, wanted)
                && !named.iter().any(|known| known.arn == listener.arn)
            {
                named.push(listener);
            }
        }
    }
    named
}

/// Production's and stage's route of a pair, as far as they are there.
pub(super) fn found<'s>(balancer: &'s BalancerScene, pair: &WantedPair) -> (Option<FoundRoute<'s>>, Option<FoundRoute<'s>>) {
    let route = |listener: &str, rule: Option<&str>| {
        let listener = find_listener(&balancer.listeners, listener)?;
        let of = |rule: Option<RouteRule>| Route {
            listener: listener.arn.clone(),
            port: listener.port,
            protocol: listener.protocol.clone(),
            rule,
        };
        let Some(wanted) = rule else {
            return Some(FoundRoute { route: of(None), actions: &listener.actions });
        };
        let (_, rules) = balancer.rules.iter().find(|(arn, _)| *arn == listener.arn)?;
        let rule = find_rule(rules, wanted)?;
        let named = RouteRule { arn: rule.arn.clone(), priority: rule.priority.clone() };
        Some(FoundRoute { route: of(Some(named)), actions: &rule.actions })
    };
    (route(&pair.prod_listener, pair.prod_rule.as_deref()), route(&pair.stage_listener, pair.stage_rule.as_deref()))
}
