//! What the proxies know: a picture of listeners, rules and healthy targets, which reaches them a while after it became true.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    sync::Arc,
};

use winterbaume_elasticloadbalancingv2::model as wire;

use crate::sim::{
    elbv2::{Elb, TargetGroup, TargetState},
    simulator::World,
};

/// The picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Routes {
    /// By the listener's socket.
    pub listeners: BTreeMap<SocketAddr, Route>,
    /// Target groups by ARN.
    pub groups: BTreeMap<String, Group>,
}

/// One target group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    /// Targets that may get requests.
    pub targets: Vec<SocketAddr>,
    /// All targets that are registered or still drain.
    pub known: BTreeSet<SocketAddr>,
    /// Those of them whose open connections are ended.
    pub ended: BTreeSet<SocketAddr>,
    /// Whether the end of a target's draining ends its connections.
    pub terminates: bool,
    /// Whether targets are spoken to in TLS.
    pub secure: bool,
    /// Whether a client's address decides its target.
    pub by_source: bool,
    /// For how many of AWS's seconds a client stays with its target.
    pub sticky: Option<f64>,
}

impl Group {
    /// Whether a target has drained, and its connections end with that.
    pub fn is_gone(&self, target: SocketAddr) -> bool {
        self.terminates && !self.known.contains(&target)
    }
}

/// One listener: rules in order, the default one last.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The load balancer's ARN.
    pub balancer: String,
    /// What its clients speak.
    pub protocol: Protocol,
    /// Conditions (as JSON of AWS's shape) and what to do.
    pub rules: Vec<(Vec<Condition>, Deed)>,
}

/// What the clients of a listener speak.
#[derive(Debug, Clone, PartialEq)]
pub enum Protocol {
    /// HTTP.
    Http,
    /// HTTP over TLS, with a certificate of this ARN.
    Https(String),
    /// Bytes.
    Tcp,
    /// Bytes over TLS, with a certificate of this ARN.
    Tls(String),
}

impl Protocol {
    /// As a URL and `X-Forwarded-Proto` write it.
    pub fn scheme(&self) -> &'static str {
        match self {
            Self::Http | Self::Tcp => "http",
            Self::Https(_) | Self::Tls(_) => "https",
        }
    }

    fn of(listener: &wire::Listener) -> Option<Self> {
        let certificate = || listener.certificates.as_ref()?.items.first()?.certificate_arn.clone();
        match listener.protocol.as_deref()? {
            "HTTP" => Some(Self::Http),
            "HTTPS" => Some(Self::Https(certificate()?)),
            "TCP" | "TCP_UDP" => Some(Self::Tcp),
            "TLS" => Some(Self::Tls(certificate()?)),
            // UDP is described and not carried.
            _ => None,
        }
    }
}

/// A condition of a rule: any of its values must match.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Path patterns.
    Path(Vec<String>),
    /// Host patterns.
    Host(Vec<String>),
    /// Header name and value patterns.
    Header(String, Vec<String>),
    /// Methods.
    Method(Vec<String>),
    /// Query string pairs; no key: any key.
    Query(Vec<(Option<String>, String)>),
    /// Source addresses in CIDR form.
    Source(Vec<String>),
}

/// What a listener does with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Forwards to one of the groups.
    Forward {
        /// The groups, and their weights.
        groups: Vec<(String, i32)>,
        /// For how many of AWS's seconds a client stays with its group.
        sticky: Option<f64>,
    },
    /// Answers itself.
    Fixed {
        /// Status.
        status: u16,
        /// Content type.
        content_type: String,
        /// Body.
        body: String,
    },
    /// Sends elsewhere.
    Redirect {
        /// Status.
        status: u16,
        /// Location, with AWS's placeholders.
        location: String,
    },
}

/// Delays pictures by AWS's propagation time.
#[derive(Debug, Default)]
pub struct Propagation {
    newest: Option<Arc<Routes>>,
    coming: VecDeque<(f64, Arc<Routes>)>,
}

impl Propagation {
    /// The picture that reaches the proxies now, if one does.
    pub fn due(&mut self, world: &World) -> Option<Arc<Routes>> {
        let now = world.clock.now();
        let drawn = draw(world);
        if self.newest.as_deref() != Some(&drawn) {
            let drawn = Arc::new(drawn);
            self.newest = Some(Arc::clone(&drawn));
            self.coming.push_back((now + world.delays.propagation, drawn));
        }
        let mut due = None;
        while self.coming.front().is_some_and(|(at, _)| now >= *at) {
            due = self.coming.pop_front().map(|(_, routes)| routes);
        }
        due
    }
}

fn draw(world: &World) -> Routes {
    let state = world.state();
    let now = world.clock.now();
    let mut routes = Routes::default();
    for (_, elb) in state.regions.values() {
        for (arn, listener) in &elb.listeners {
            let balancer = listener.shape.load_balancer_arn.as_ref().and_then(|arn| elb.load_balancers.get(arn));
            let port = listener.shape.port.and_then(|port| u16::try_from(port).ok());
            if let (Some(balancer), Some(port)) = (balancer, port)
                && now >= balancer.active_at
                && let Some(protocol) = Protocol::of(&listener.shape)
            {
                routes.listeners.insert(SocketAddr::from((balancer.address, port)), route(elb, arn, protocol));
            }
        }
        for (arn, group) in &elb.target_groups {
            routes.groups.insert(arn.clone(), picture(group));
        }
    }
    routes
}

fn picture(group: &TargetGroup) -> Group {
    fn sockets<C: FromIterator<SocketAddr>>(group: &TargetGroup, wanted: fn(&TargetState) -> bool) -> C {
        let targets = group.targets.iter().filter(|(_, target)| wanted(&target.state));
        targets.map(|((address, port), _)| SocketAddr::from((*address, *port))).collect()
    }
    let on = |name: &str| group.attributes.get(name).is_some_and(|value| value == "true");
    let mut targets: Vec<SocketAddr> = sockets(group, TargetState::is_healthy);
    let unhealthy = |state: &TargetState| matches!(state, TargetState::Unhealthy { .. });
    let ends = on("target_health_state.unhealthy.connection_termination.enabled") && !targets.is_empty();
    if targets.is_empty() {
        // Fail open: with no healthy target, all registered ones get requests.
        targets = sockets(group, |state| matches!(state, TargetState::Initial(_) | TargetState::Unhealthy { .. }));
    }
    let sticky =
        |kind: &str| on("stickiness.enabled") && group.attributes.get("stickiness.type").is_some_and(|given| given == kind);
    let duration = group.attributes.get("stickiness.lb_cookie.duration_seconds").and_then(|seconds| seconds.parse().ok());
    Group {
        targets,
        known: sockets(group, |_| true),
        ended: if ends { sockets(group, unhealthy) } else { BTreeSet::new() },
        terminates: on("deregistration_delay.connection_termination.enabled"),
        secure: group.shape.protocol.as_deref() == Some("TLS"),
        by_source: sticky("source_ip"),
        sticky: if sticky("lb_cookie") { duration } else { None },
    }
}

fn route(elb: &Elb, listener: &str, protocol: Protocol) -> Route {
    let mut rules: Vec<_> = elb.rules.values().filter(|rule| rule.listener == listener).collect();
    rules.sort_by_key(|rule| rule.priority);
    let balancer = elb.listeners.get(listener).and_then(|listener| listener.shape.load_balancer_arn.clone()).unwrap_or_default();
    let mut route = Route { balancer, protocol, rules: Vec::new() };
    for rule in rules {
        // A rule with a condition that is not understood matches nothing.
        let conditions = rule.shape.conditions.iter().flat_map(|list| &list.items).map(condition).collect::<Option<Vec<_>>>();
        if let (Some(conditions), Some(deed)) = (conditions, deed(rule.shape.actions.as_ref())) {
            route.rules.push((conditions, deed));
        }
    }
    if let Some(deed) = elb.listeners.get(listener).and_then(|listener| deed(listener.shape.default_actions.as_ref())) {
        route.rules.push((Vec::new(), deed));
    }
    route
}

fn deed(actions: Option<&wire::Actions>) -> Option<Deed> {
    let last = actions?.items.last()?;
    match last.r#type.as_str() {
        "forward" => {
            let configured =
                last.forward_config.iter().flat_map(|config| config.target_groups.iter().flat_map(|list| &list.items));
            let groups = configured.filter_map(|tuple| Some((tuple.target_group_arn.clone()?, tuple.weight.unwrap_or(1))));
            let config = last.forward_config.as_ref().and_then(|config| config.target_group_stickiness_config.as_ref());
            let sticky = config.filter(|config| config.enabled == Some(true)).and_then(|config| config.duration_seconds);
            Some(Deed::Forward { groups: groups.collect(), sticky: sticky.map(f64::from) })
        }
        "fixed-response" => {
            let fixed = last.fixed_response_config.as_ref()?;
            Some(Deed::Fixed {
                status: fixed.status_code.parse().ok()?,
                content_type: fixed.content_type.clone().unwrap_or_else(|| "text/plain".to_owned()),
                body: fixed.message_body.clone().unwrap_or_default(),
            })
        }
        "redirect" => {
            let redirect = last.redirect_config.as_ref()?;
            let part = |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
            let location = format!(
                "{}://{}:{}{}?{}",
                part(&redirect.protocol, "#{protocol}").to_lowercase(),
                part(&redirect.host, "#{host}"),
                part(&redirect.port, "#{port}"),
                part(&redirect.path, "/#{path}"),
                part(&redirect.query, "#{query}")
            );
            let status = if redirect.status_code == "HTTP_301" { 301 } else { 302 };
            Some(Deed::Redirect { status, location })
        }
        _ => None,
    }
}

fn condition(condition: &wire::RuleCondition) -> Option<Condition> {
    let items =
        |list: &Option<wire::ListOfString>| list.as_ref().map(|list| list.items.clone()).filter(|items| !items.is_empty());
    let plain = items(&condition.values);
    Some(match condition.field.as_deref()? {
        "path-pattern" => Condition::Path(plain.or_else(|| items(&condition.path_pattern_config.as_ref()?.values))?),
        "host-header" => Condition::Host(plain.or_else(|| items(&condition.host_header_config.as_ref()?.values))?),
        "http-header" => {
            let config = condition.http_header_config.as_ref()?;
            Condition::Header(config.http_header_name.clone()?, items(&config.values)?)
        }
        "http-request-method" => Condition::Method(items(&condition.http_request_method_config.as_ref()?.values)?),
        "query-string" => {
            let pairs = condition.query_string_config.as_ref()?.values.as_ref()?;
            Condition::Query(pairs.items.iter().filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?))).collect())
        }
        "source-ip" => Condition::Source(items(&condition.source_ip_config.as_ref()?.values)?),
        _ => return None,
    })
}
