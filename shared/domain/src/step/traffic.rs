//! How production's traffic is led to a version: by the listeners and rules of load balancers, in pairs, or by weighted DNS records.

use serde::{Deserialize, Serialize};

use super::DnsTraffic;

/// What leads production's traffic to the new version, and led it to the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Traffic {
    /// Listeners or rules of load balancers: one pair or more, switched as one set. The first is the one that is told and probed.
    LoadBalancer(Vec<RoutePair>),
    /// Weighted records of an alias.
    Dns(Box<DnsTraffic>),
}

/// A production route and the stage route that it changes target groups with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoutePair {
    /// ARN of the load balancer.
    pub load_balancer: String,
    /// Its name.
    pub load_balancer_name: String,
    /// Its DNS name, for probes.
    pub load_balancer_dns: String,
    /// The production route.
    pub prod: Route,
    /// The stage route.
    pub stage: Route,
    /// The target group that the new service is registered in: stage's when the setup ran.
    pub new_target_group: String,
    /// The target group that production forwarded to when the setup ran.
    pub old_target_group: String,
    /// The container that the target group talks to.
    pub container: String,
    /// Its port.
    pub container_port: u16,
}

/// A listener's default action, or one of its rules.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// ARN of the listener.
    pub listener: String,
    /// Its port.
    pub port: u16,
    /// Its protocol, as AWS writes it (`HTTP`, `HTTPS`, `TCP`, `TLS`).
    pub protocol: String,
    /// The rule. None: the listener's default action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RouteRule>,
}

/// A rule of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteRule {
    /// Its ARN.
    pub arn: String,
    /// Its priority when the setup ran: what people call it by.
    pub priority: String,
}

impl Route {
    /// ARN of what holds the actions: the rule's, else the listener's.
    pub fn arn(&self) -> &str {
        self.rule.as_ref().map_or(&self.listener, |rule| &rule.arn)
    }

    /// What it is called in a sentence, after its role: `listener (port 80)`, `rule 10 of the listener (port 80)`.
    pub fn called(&self, role: &str) -> String {
        match &self.rule {
            Some(rule) => format!("{role} rule {} of the listener (port {})", rule.priority, self.port),
            None => format!("{role} listener (port {})", self.port),
        }
    }
}

impl RoutePair {
    /// The same pair with old and new in each other's places.
    pub fn mirrored(&self) -> Self {
        Self { new_target_group: self.old_target_group.clone(), old_target_group: self.new_target_group.clone(), ..self.clone() }
    }

    fn told(&self) -> String {
        let (prod, stage) = (&self.prod, &self.stage);
        match (&prod.rule, &stage.rule) {
            (Some(prod_rule), Some(stage_rule)) => format!(
                "the rules {} on port {} (production) and {} on port {} (stage) of {}",
                prod_rule.priority, prod.port, stage_rule.priority, stage.port, self.load_balancer_name
            ),
            _ => format!(
                "the listeners on ports {} (production) and {} (stage) of {}",
                prod.port, stage.port, self.load_balancer_name
            ),
        }
    }

    /// Where the production listener answers.
    pub fn prod_url(&self) -> String {
        url(&self.prod, &self.load_balancer_dns)
    }

    /// Where the stage listener answers.
    pub fn stage_url(&self) -> String {
        url(&self.stage, &self.load_balancer_dns)
    }
}

impl Traffic {
    /// The pairs; none where DNS leads the traffic.
    pub fn pairs(&self) -> &[RoutePair] {
        match self {
            Self::LoadBalancer(pairs) => pairs,
            Self::Dns(_) => &[],
        }
    }

    /// The records; none where load balancers lead the traffic.
    pub fn dns(&self) -> Option<&DnsTraffic> {
        match self {
            Self::Dns(dns) => Some(dns),
            Self::LoadBalancer(_) => None,
        }
    }

    /// The target groups that the new version is registered in, each once.
    pub fn new_target_groups(&self) -> Vec<&str> {
        distinct(self.pairs().iter().map(|pair| pair.new_target_group.as_str()))
    }

    /// The target groups that the old version is registered in, each once.
    pub fn old_target_groups(&self) -> Vec<&str> {
        distinct(self.pairs().iter().map(|pair| pair.old_target_group.as_str()))
    }

    /// The same with old and new in each other's places.
    pub fn mirrored(&self) -> Self {
        match self {
            Self::LoadBalancer(pairs) => Self::LoadBalancer(pairs.iter().map(RoutePair::mirrored).collect()),
            Self::Dns(dns) => Self::Dns(Box::new(dns.mirrored())),
        }
    }

    /// What is switched, for people: `the listeners on ports 80 (production) and 8080 (stage) of NAME`.
    pub fn told(&self) -> String {
        match self {
            Self::Dns(dns) => format!("the records of {}", dns.alias.trim_end_matches('.')),
            Self::LoadBalancer(pairs) => {
                let told: Vec<_> = pairs.iter().map(RoutePair::told).collect();
                told.join(", and ")
            }
        }
    }

    /// Where production answers, for probes.
    pub fn prod_url(&self) -> String {
        match self {
            Self::LoadBalancer(pairs) => pairs.first().map(RoutePair::prod_url).unwrap_or_default(),
            Self::Dns(dns) => dns.url(),
        }
    }

    /// Where stage answers; empty where there is no stage.
    pub fn stage_url(&self) -> String {
        self.pairs().first().map(RoutePair::stage_url).unwrap_or_default()
    }
}

fn distinct<'t>(all: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut seen: Vec<&str> = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}

/// A listener that speaks no HTTP is probed with it all the same: whoever gives a path says that what stands behind does.
fn url(route: &Route, host: &str) -> String {
    let scheme = if matches!(route.protocol.as_str(), "HTTPS" | "TLS") { "https" } else { "http" };
    format!("{scheme}://{host}:{}", route.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(protocol: &str, rule: Option<&str>) -> Route {
        let rule = rule.map(|priority| RouteRule { arn: format!("arn:rule/{priority}"), priority: priority.into() });
        Route { listener: "arn:listener".into(), port: 443, protocol: protocol.into(), rule }
    }

    #[test]
    fn a_route_is_its_rule_where_it_has_one() {
        assert_eq!(route("HTTP", None).arn(), "arn:listener");
        assert_eq!(route("HTTP", Some("7")).arn(), "arn:rule/7");
        assert_eq!(route("HTTP", Some("7")).called("production"), "production rule 7 of the listener (port 443)");
        assert_eq!(url(&route("TLS", None), "host"), "https://host:443");
        assert_eq!(url(&route("TCP", None), "host"), "http://host:443");
    }
}
