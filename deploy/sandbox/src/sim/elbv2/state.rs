//! What Elastic Load Balancing remembers in one account and region.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use winterbaume_elasticloadbalancingv2::model as wire;

/// One account and region. Everything by its ARN.
#[derive(Debug, Clone, Default)]
pub struct Elb {
    /// Load balancers.
    pub load_balancers: BTreeMap<String, LoadBalancer>,
    /// Listeners.
    pub listeners: BTreeMap<String, Listener>,
    /// Rules other than the default ones.
    pub rules: BTreeMap<String, Rule>,
    /// Target groups.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// Tags of any of them.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
}

/// A load balancer.
#[derive(Debug, Clone)]
pub struct LoadBalancer {
    /// As it is described, without its state.
    pub shape: wire::LoadBalancer,
    /// When it becomes active, in AWS's time.
    pub active_at: f64,
    /// Where its listeners are.
    pub address: Ipv4Addr,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// The settings it was created with, to know the same request when it comes again.
    pub asked: serde_json::Value,
}

impl LoadBalancer {
    /// Whether it is an Application Load Balancer.
    pub fn is_application(&self) -> bool {
        self.shape.r#type.as_deref() != Some("network")
    }
}

/// A listener.
#[derive(Debug, Clone)]
pub struct Listener {
    /// As it is described.
    pub shape: wire::Listener,
}

/// A rule other than a default one.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its listener's ARN.
    pub listener: String,
    /// Its priority.
    pub priority: i32,
    /// As it is described.
    pub shape: wire::Rule,
}

/// A target group.
#[derive(Debug, Clone)]
pub struct TargetGroup {
    /// As it is described, without its load balancers.
    pub shape: wire::TargetGroup,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// Its targets by address and port.
    pub targets: BTreeMap<(Ipv4Addr, u16), Target>,
}

impl TargetGroup {
    /// `ip`, `instance` ...
    pub fn target_type(&self) -> &str {
        self.shape.target_type.as_deref().unwrap_or("instance")
    }

    /// How long its targets drain, in seconds.
    pub fn deregistration_delay(&self) -> f64 {
        self.attributes.get("deregistration_delay.timeout_seconds").and_then(|text| text.parse().ok()).unwrap_or(300.0)
    }
}

/// A registered target.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it is in its life.
    pub state: TargetState,
    /// When it is to be asked next, in AWS's time.
    pub next_check: f64,
    /// Good answers in a row.
    pub good: i32,
    /// Bad answers in a row.
    pub bad: i32,
    /// Whether a question is under way.
    pub asking: bool,
}

/// A target's health.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetState {
    /// Registered, not answered yet; since when, in AWS's time.
    Initial(f64),
    /// It answers.
    Healthy,
    /// It does not.
    Unhealthy {
        /// AWS's reason code.
        reason: &'static str,
        /// AWS's text.
        description: String,
    },
    /// It was deregistered: finishing until then, in AWS's time.
    Draining(f64),
}

impl TargetState {
    /// Whether it is healthy.
    pub fn is_healthy(&self) -> bool {
        *self == Self::Healthy
    }
}

impl Elb {
    /// A target's state, if it is registered or still drains.
    pub fn target(&self, group: &str, address: Ipv4Addr, port: u16) -> Option<&TargetState> {
        self.target_groups.get(group)?.targets.get(&(address, port)).map(|target| &target.state)
    }

    /// Registers a target; false if there is no such group.
    pub fn register(&mut self, group: &str, address: Ipv4Addr, port: u16, now: f64) -> bool {
        let Some(group) = self.target_groups.get_mut(group) else { return false };
        let known = group.targets.get(&(address, port)).is_some_and(|target| !matches!(target.state, TargetState::Draining(_)));
        if !known {
            let target = Target { state: TargetState::Initial(now), next_check: now, good: 0, bad: 0, asking: false };
            group.targets.insert((address, port), target);
        }
        true
    }

    /// Deregisters a target: it drains for the whole delay, in use or not.
    pub fn deregister(&mut self, group: &str, address: Ipv4Addr, port: u16, now: f64) {
        let Some(group) = self.target_groups.get_mut(group) else { return };
        let until = now + group.deregistration_delay();
        if let Some(target) = group.targets.get_mut(&(address, port))
            && !matches!(target.state, TargetState::Draining(_))
        {
            target.state = TargetState::Draining(until);
        }
    }

    /// Forgets listeners, their rules and the tags of both.
    pub fn remove_listeners(&mut self, wanted: impl Fn(&str, &Listener) -> bool) {
        let gone: Vec<String> =
            self.listeners.iter().filter(|(arn, listener)| wanted(arn, listener)).map(|(arn, _)| arn.clone()).collect();
        for listener in gone {
            self.listeners.remove(&listener);
            self.tags.remove(&listener);
            let rules: Vec<String> =
                self.rules.iter().filter(|(_, rule)| rule.listener == listener).map(|(arn, _)| arn.clone()).collect();
            for rule in rules {
                self.rules.remove(&rule);
                self.tags.remove(&rule);
            }
        }
    }

    /// Targets that have drained are gone.
    pub fn tick(&mut self, now: f64) {
        for group in self.target_groups.values_mut() {
            group.targets.retain(|_, target| !matches!(target.state, TargetState::Draining(until) if now >= until));
        }
    }

    /// The load balancers that a target group is reachable from, through any listener or rule, weight 0 included.
    pub fn load_balancers_of(&self, group: &str) -> BTreeSet<String> {
        let through = self.listeners.values().filter(|listener| self.forwards_to(listener, group));
        through.filter_map(|listener| listener.shape.load_balancer_arn.clone()).collect()
    }

    fn forwards_to(&self, listener: &Listener, group: &str) -> bool {
        let arn = listener.shape.listener_arn.as_deref();
        let default = listener.shape.default_actions.iter().flat_map(|actions| &actions.items);
        let rules = self.rules.values().filter(|rule| Some(rule.listener.as_str()) == arn);
        let of_rules = rules.flat_map(|rule| rule.shape.actions.iter().flat_map(|actions| &actions.items));
        default.chain(of_rules).any(|action| super::usage::groups_of(action).iter().any(|(named, _)| named == group))
    }
}
