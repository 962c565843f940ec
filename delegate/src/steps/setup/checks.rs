//! The checks, over what was read and nothing else: every finding is told, and nothing is changed before there is none.

use domain::{
    ids::DeploymentId,
    infrastructure::InfrastructureSpec,
    step::{LoadBalancerSetup, RoutePair, WantedPair},
};

use super::{
    super::version::{self, Line, Serving},
    look::{BalancerScene, Scene},
    routes::{FoundRoute, find_listener, found},
};
use crate::aws::{
    actions::{forward_targets, single_target},
    model::{LoadBalancer, Service, TargetGroup},
};

/// What the checks found out on the way.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    /// The pairs as they are now.
    pub(super) pairs: Vec<RoutePair>,
    /// Name of the first pair's production target group.
    pub(super) prod_group: String,
    /// The running service of the line that production's target groups belong to.
    pub(super) old: Option<Service>,
    /// Services of the line to delete.
    pub(super) green: Vec<Service>,
}

/// Checks everything.
///
/// # Errors
/// All that is wrong, a sentence each: what is wrong, and what to do where it is not plain.
pub(super) fn check(
    input: &LoadBalancerSetup,
    infra: &InfrastructureSpec,
    deployment: DeploymentId,
    scene: &Scene,
) -> Result<Ready, Vec<String>> {
    let mut findings = Vec::new();
    version::check_documents(&input.version, infra, scene.cluster.as_ref(), &mut findings);
    for balancer in &scene.balancers {
        load_balancer(balancer, infra, &mut findings);
    }
    let resolved: Vec<_> = input.pairs.iter().map(|pair| resolve(pair, scene, &mut findings)).collect();
    let resolved: Option<Vec<Resolved<'_>>> = resolved.into_iter().collect();
    let mut ready = None;
    if let Some(resolved) = resolved {
        let mut pairs = Vec::new();
        for (wanted, pair) in input.pairs.iter().zip(&resolved) {
            groups_fit(input, infra, pair, &mut findings);
            pairs.extend(route_pair(input, wanted, pair, &mut findings));
        }
        changed_places(&resolved, &mut findings);
        other_users(scene, &resolved, &mut findings);
        let line = line(deployment, scene, &resolved, &mut findings);
        if let Some(first) = resolved.first()
            && pairs.len() == resolved.len()
        {
            let prod_group = first.prod_group.name.clone();
            ready = Some(Ready { pairs, prod_group, old: line.old, green: line.green });
        }
    }
    // Pairs that share their target groups share what is wrong with them.
    let mut told = Vec::new();
    for finding in findings {
        if !told.contains(&finding) {
            told.push(finding);
        }
    }
    match ready {
        Some(ready) if told.is_empty() => Ok(ready),
        _ => Err(told),
    }
}

fn load_balancer(scene: &BalancerScene, infra: &InfrastructureSpec, findings: &mut Vec<String>) {
    let Some(balancer) = &scene.balancer else {
        findings.push(format!("The load balancer {} does not exist in {}.", scene.wanted, infra.region));
        return;
    };
    if !matches!(balancer.state.as_str(), "active" | "active_impaired") {
        findings.push(format!("The load balancer {} is {}, not active.", balancer.name, balancer.state));
    }
    if !matches!(balancer.kind.as_str(), "application" | "network") {
        findings.push(format!(
            "The load balancer {} is of type {}; an application or a network one is needed.",
            balancer.name, balancer.kind
        ));
    }
    if let Some(vpc) = infra.vpc.as_deref().filter(|vpc| *vpc != balancer.vpc) {
        findings.push(format!(
            "The load balancer {} is in {}, and the infrastructure {} is in {vpc}.",
            balancer.name, balancer.vpc, infra.name
        ));
    }
}

/// A pair and where it leads.
struct Resolved<'s> {
    balancer: &'s LoadBalancer,
    prod: FoundRoute<'s>,
    stage: FoundRoute<'s>,
    prod_group: &'s TargetGroup,
    stage_group: &'s TargetGroup,
}

fn resolve<'s>(wanted: &WantedPair, scene: &'s Scene, findings: &mut Vec<String>) -> Option<Resolved<'s>> {
    let on = scene.balancer(&wanted.load_balancer)?;
    let balancer = on.balancer.as_ref()?;
    if balancer.kind == "network" && wanted.prod_rule.is_some() {
        findings.push(format!(
            "The load balancer {} is a network one: its listeners have no rules. Leave prodListenerRule and stageListenerRule away.",
            balancer.name
        ));
        return None;
    }
    let (prod, stage) = found(on, wanted);
    let prod = said(prod, on, balancer, "production", (&wanted.prod_listener, wanted.prod_rule.as_deref()), findings);
    let stage = said(stage, on, balancer, "stage", (&wanted.stage_listener, wanted.stage_rule.as_deref()), findings);
    let (prod, stage) = (prod?, stage?);
    if prod.route.arn() == stage.route.arn() {
        findings.push(format!("Production and stage are the same {}; they have to be two.", prod.route.called("").trim_start()));
        return None;
    }
    let (prod_group, stage_group) = (group(&prod, "production", scene, findings), group(&stage, "stage", scene, findings));
    let (prod_group, stage_group) = (prod_group?, stage_group?);
    if prod_group.arn == stage_group.arn {
        findings.push(format!(
            "The {} and the {} both forward to the same target group, {} ({}); blue/green needs one of each.",
            prod.route.called("production"),
            stage.route.called("stage"),
            prod_group.name,
            prod_group.arn
        ));
        return None;
    }
    Some(Resolved { balancer, prod, stage, prod_group, stage_group })
}

/// The route, or what is missing of it.
fn said<'s>(
    found: Option<FoundRoute<'s>>,
    on: &BalancerScene,
    balancer: &LoadBalancer,
    role: &str,
    (listener, rule): (&str, Option<&str>),
    findings: &mut Vec<String>,
) -> Option<FoundRoute<'s>> {
    if found.is_some() {
        return found;
    }
    let listed = |there: Vec<String>| if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    match (find_listener(&on.listeners, listener), rule) {
        (Some(listener), Some(rule)) => {
            let rules = on.rules.iter().filter(|(arn, _)| *arn == listener.arn).flat_map(|(_, rules)| rules);
            let there =
                rules.filter(|rule| !rule.is_default).map(|rule| format!("{} ({})", rule.priority, rule.conditions.join("; ")));
            findings.push(format!(
                "The {role} listener (port {}) of the load balancer {} has no rule {rule}; its rules: {}.",
                listener.port,
                balancer.name,
                listed(there.collect())
            ));
        }
        _ => {
            let there = on.listeners.iter().map(|listener| format!("{} ({})", listener.port, listener.protocol)).collect();
            findings.push(format!(
                "The load balancer {} has no {role} listener {listener}; its listeners: {}.",
                balancer.name,
                listed(there)
            ));
        }
    }
    None
}

fn group<'s>(found: &FoundRoute<'_>, role: &str, scene: &'s Scene, findings: &mut Vec<String>) -> Option<&'s TargetGroup> {
    let called = found.route.called(role);
    match single_target(found.actions) {
        Ok(arn) => {
            let group = scene.groups.iter().find(|group| group.arn == arn);
            if group.is_none() {
                findings.push(format!("The {called} forwards to {arn}, which AWS does not show."));
            }
            group
        }
        Err(error) => {
            findings.push(format!("The {called} {error}."));
            None
        }
    }
}

fn route_pair(
    input: &LoadBalancerSetup,
    wanted: &WantedPair,
    pair: &Resolved<'_>,
    findings: &mut Vec<String>,
) -> Option<RoutePair> {
    let container =
        version::choose(&input.version.task_definition, wanted.target_container.as_deref(), wanted.target_port, pair.stage_group);
    let container = container.map_err(|finding| findings.push(finding)).ok()?;
    Some(RoutePair {
        load_balancer: pair.balancer.arn.clone(),
        load_balancer_name: pair.balancer.name.clone(),
        load_balancer_dns: pair.balancer.dns_name.clone(),
        prod: pair.prod.route.clone(),
        stage: pair.stage.route.clone(),
        new_target_group: pair.stage_group.arn.clone(),
        old_target_group: pair.prod_group.arn.clone(),
        container: container.container,
        container_port: container.port,
    })
}

/// Whether the two target groups are like each other and fit the load balancer and the tasks.
fn groups_fit(input: &LoadBalancerSetup, infra: &InfrastructureSpec, pair: &Resolved<'_>, findings: &mut Vec<String>) {
    let (prod, stage, balancer) = (pair.prod_group, pair.stage_group, pair.balancer);
    let members = |group: &TargetGroup| {
        let port = group.port.map_or_else(|| "none".to_owned(), |port| port.to_string());
        [
            ("port", port),
            ("protocol", group.protocol.clone()),
            ("VPC", group.vpc.clone()),
            ("target type", group.target_type.clone()),
        ]
    };
    let pairs = members(prod).into_iter().zip(members(stage));
    for ((member, of_prod), (_, of_stage)) in pairs.filter(|(prod, stage)| prod != stage) {
        findings.push(format!(
            "The target groups {} and {} are swapped and have to agree, but their {member} differs: {of_prod} and {of_stage}.",
            prod.name, stage.name
        ));
    }
    for group in [prod, stage] {
        if !group.load_balancers.contains(&balancer.arn) {
            findings.push(format!(
                "The target group {} is not associated with the load balancer {}: no listener of it forwards to the group.",
                group.name, balancer.name
            ));
        }
        if let Some(vpc) = infra.vpc.as_deref().filter(|vpc| *vpc != group.vpc) {
            findings.push(format!(
                "The target group {} is in {}, and the infrastructure {} is in {vpc}.",
                group.name, group.vpc, infra.name
            ));
        }
    }
    let mode = version::network_mode(&input.version.task_definition);
    let needed = if mode == "awsvpc" { "ip" } else { "instance" };
    if stage.target_type != needed {
        findings.push(format!(
            "The target group {} has target type {}, which does not fit the task definition's network mode {mode}; it has to be {needed}.",
            stage.name, stage.target_type
        ));
    }
}

/// A target group that is production's in one pair and stage's in another would hold both versions.
fn changed_places(pairs: &[Resolved<'_>], findings: &mut Vec<String>) {
    for pair in pairs {
        if let Some(other) = pairs.iter().find(|other| other.stage_group.arn == pair.prod_group.arn) {
            findings.push(format!(
                "The target group {} is production's on the {} and stage's on the {}: both versions would be in it.",
                pair.prod_group.name,
                pair.prod.route.called("production"),
                other.stage.route.called("stage")
            ));
        }
    }
}

/// Other ways to the target groups, which a swap would leave as they are: they would lead to a version with no tasks.
fn other_users(scene: &Scene, pairs: &[Resolved<'_>], findings: &mut Vec<String>) {
    let swapped: Vec<&TargetGroup> = pairs.iter().flat_map(|pair| [pair.prod_group, pair.stage_group]).collect();
    let name_of = |arn: &str| swapped.iter().find(|group| group.arn == arn).map(|group| group.name.as_str());
    let routes: Vec<&str> = pairs.iter().flat_map(|pair| [pair.prod.route.arn(), pair.stage.route.arn()]).collect();
    for balancer in &scene.balancers {
        for listener in balancer.listeners.iter().filter(|listener| !routes.contains(&listener.arn.as_str())) {
            for group in forward_targets(&listener.actions).iter().filter_map(|(arn, _)| name_of(arn)) {
                findings.push(format!(
                    "The listener on port {} forwards to target group {group} as well. A swap changes the routes of this workflow only, \
                     so it would go on to the version that is downsized. Name it in additionalPairs, or give it another group.",
                    listener.port
                ));
            }
        }
        for (listener, rules) in &balancer.rules {
            let port = balancer.listeners.iter().find(|known| known.arn == *listener).map_or(0, |listener| listener.port);
            for rule in rules.iter().filter(|rule| !rule.is_default && !routes.contains(&rule.arn.as_str())) {
                for group in forward_targets(&rule.actions).iter().filter_map(|(arn, _)| name_of(arn)) {
                    findings.push(format!(
                        "Rule {} of the listener on port {port} ({}) forwards to target group {group} as well. A swap changes the routes of \
                         this workflow only, so requests of this rule would go on to the version that is downsized. Name it in \
                         additionalPairs, or give it another group.",
                        rule.priority,
                        rule.conditions.join("; ")
                    ));
                }
            }
        }
    }
}

fn line(deployment: DeploymentId, scene: &Scene, pairs: &[Resolved<'_>], findings: &mut Vec<String>) -> Line {
    let in_one = |service: &Service| pairs.iter().any(|pair| service.target_groups.contains(&pair.prod_group.arn));
    let mut names: Vec<&str> = pairs.iter().map(|pair| pair.prod_group.name.as_str()).collect();
    names.dedup();
    let names = names.join(", ");
    let serving = Serving {
        holds: &in_one,
        place: format!("production target group {names}"),
        leads: format!("forwards to target group {names}"),
        leader: "the production listener".into(),
    };
    let line = version::line(deployment, &scene.services, &serving, findings);
    if let Some(old) = &line.old {
        for pair in pairs.iter().filter(|pair| !old.target_groups.contains(&pair.prod_group.arn)) {
            findings.push(format!(
                "The service {} serves production, but is not registered in target group {}, to which the {} forwards.",
                old.name,
                pair.prod_group.name,
                pair.prod.route.called("production")
            ));
        }
    }
    line
}
