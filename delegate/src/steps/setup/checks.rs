//! The checks, over what was read and nothing else: every finding is told, and nothing is changed before there is none.

use domain::{
    ids::DeploymentId,
    infrastructure::{InfrastructureSpec, LaunchType},
    step::LoadBalancerSetup,
};

use super::{
    super::markers::{self, BLUE, GREEN},
    container::{self, ContainerPort},
    look::{Scene, find_listener},
    task_definition::network_mode,
};
use crate::aws::{
    actions::{forward_targets, single_target},
    model::{Listener, LoadBalancer, Service, TargetGroup},
};

/// What the checks found out on the way.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) balancer: LoadBalancer,
    pub(super) prod: Listener,
    pub(super) stage: Listener,
    pub(super) prod_group: TargetGroup,
    pub(super) stage_group: TargetGroup,
    pub(super) container: ContainerPort,
    /// The running service of the line that production's target group belongs to.
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
    cluster(infra, scene, &mut findings);
    documents(input, infra, &mut findings);
    let balancer = load_balancer(input, infra, scene, &mut findings);
    let groups = balancer.and_then(|balancer| routes(input, balancer, scene, &mut findings));
    let mut ready = None;
    if let (Some(balancer), Some(routes)) = (balancer, groups) {
        groups_fit(input, infra, balancer, &routes, &mut findings);
        other_users(scene, &routes, &mut findings);
        let container =
            container::choose(&input.task_definition, input.target_container.as_deref(), input.target_port, routes.stage_group);
        let container = container.map_err(|finding| findings.push(finding)).ok();
        let line = line(deployment, scene, &routes, &mut findings);
        if let Some(container) = container {
            ready = Some(Ready {
                balancer: balancer.clone(),
                prod: routes.prod.clone(),
                stage: routes.stage.clone(),
                prod_group: routes.prod_group.clone(),
                stage_group: routes.stage_group.clone(),
                container,
                old: line.old,
                green: line.green,
            });
        }
    }
    match ready {
        Some(ready) if findings.is_empty() => Ok(ready),
        _ => Err(findings),
    }
}

fn cluster(infra: &InfrastructureSpec, scene: &Scene, findings: &mut Vec<String>) {
    let place = format!("in {} (infrastructure {})", infra.region, infra.name);
    match &scene.cluster {
        None => findings.push(format!("The ECS cluster {} does not exist {place}.", infra.cluster)),
        Some(cluster) if cluster.status != "ACTIVE" => {
            findings.push(format!("The ECS cluster {} {place} is {}, not ACTIVE.", infra.cluster, cluster.status));
        }
        Some(_) => {}
    }
}

/// What the user's documents say against themselves or the infrastructure.
fn documents(input: &LoadBalancerSetup, infra: &InfrastructureSpec, findings: &mut Vec<String>) {
    let (task, service) = (&input.task_definition, &input.service_definition);
    if container::containers(task).is_empty() {
        findings.push("The task definition has no container definitions.".into());
    }
    for (what, document) in [("task", task), ("service", service)] {
        if document.get("tags").is_some_and(|tags| !tags.is_array()) {
            findings.push(format!("The {what} definition's tags are not a list of {{\"key\", \"value\"}} objects."));
        }
    }
    let mode = network_mode(task);
    let fargate = match service["launchType"].as_str() {
        Some(launch_type) => launch_type == "FARGATE",
        None => service.get("capacityProviderStrategy").is_none() && infra.launch_type == Some(LaunchType::Fargate),
    };
    if fargate && mode != "awsvpc" {
        findings.push(format!("The task definition's network mode is {mode}; launch type FARGATE needs awsvpc."));
    }
    if mode == "awsvpc" && service.get("networkConfiguration").is_none() && infra.subnets.is_empty() {
        findings.push(format!(
            "Network mode awsvpc needs subnets: name them in the infrastructure {} or in the service definition's networkConfiguration.",
            infra.name
        ));
    }
    if service["schedulingStrategy"] == "DAEMON" {
        findings.push("The service definition's scheduling strategy is DAEMON; blue/green needs REPLICA.".into());
    }
    let controller = service["deploymentController"]["type"].as_str().unwrap_or("ECS");
    if controller != "ECS" {
        findings.push(format!("The service definition's deployment controller is {controller}; Segue's blue/green needs ECS."));
    }
    let strategy = service["deploymentConfiguration"]["strategy"].as_str().unwrap_or("ROLLING");
    if strategy != "ROLLING" {
        findings.push(format!(
            "The service definition's deployment strategy is {strategy}: ECS would move the listeners itself, against Segue. Use ROLLING."
        ));
    }
}

fn load_balancer<'s>(
    input: &LoadBalancerSetup,
    infra: &InfrastructureSpec,
    scene: &'s Scene,
    findings: &mut Vec<String>,
) -> Option<&'s LoadBalancer> {
    let Some(balancer) = &scene.balancer else {
        findings.push(format!("The load balancer {} does not exist in {}.", input.load_balancer, infra.region));
        return None;
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
    Some(balancer)
}

/// The two listeners and where they lead.
struct Routes<'s> {
    prod: &'s Listener,
    stage: &'s Listener,
    prod_group: &'s TargetGroup,
    stage_group: &'s TargetGroup,
}

fn routes<'s>(
    input: &LoadBalancerSetup,
    balancer: &LoadBalancer,
    scene: &'s Scene,
    findings: &mut Vec<String>,
) -> Option<Routes<'s>> {
    let prod = listener(balancer, scene, "production", &input.prod_listener, findings);
    let stage = listener(balancer, scene, "stage", &input.stage_listener, findings);
    if let (Some((prod, _)), Some((stage, _))) = (&prod, &stage)
        && prod.arn == stage.arn
    {
        findings.push(format!("Production and stage are the same listener (port {}); they have to be two.", prod.port));
        return None;
    }
    let (prod, stage) = (prod?, stage?);
    let (prod_group, stage_group) = (prod.1?, stage.1?);
    if prod_group.arn == stage_group.arn {
        findings.push(format!(
            "The production and the stage listener both forward to the same target group, {} ({}); blue/green needs one of each.",
            prod_group.name, prod_group.arn
        ));
        return None;
    }
    Some(Routes { prod: prod.0, stage: stage.0, prod_group, stage_group })
}

type Resolved<'s> = (&'s Listener, Option<&'s TargetGroup>);

fn listener<'s>(
    balancer: &LoadBalancer,
    scene: &'s Scene,
    role: &str,
    wanted: &str,
    findings: &mut Vec<String>,
) -> Option<Resolved<'s>> {
    let Some(listener) = find_listener(&scene.listeners, wanted) else {
        let there: Vec<_> = scene.listeners.iter().map(|listener| format!("{} ({})", listener.port, listener.protocol)).collect();
        let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
        findings.push(format!("The load balancer {} has no {role} listener {wanted}; its listeners: {there}.", balancer.name));
        return None;
    };
    let group = match single_target(&listener.actions) {
        Ok(arn) => {
            let group = scene.groups.iter().find(|group| group.arn == arn);
            if group.is_none() {
                findings
                    .push(format!("The {role} listener (port {}) forwards to {arn}, which AWS does not show.", listener.port));
            }
            group
        }
        Err(error) => {
            findings.push(format!("The {role} listener (port {}) {error}.", listener.port));
            None
        }
    };
    Some((listener, group))
}

/// Whether the two target groups are like each other and fit the load balancer and the tasks.
fn groups_fit(
    input: &LoadBalancerSetup,
    infra: &InfrastructureSpec,
    balancer: &LoadBalancer,
    routes: &Routes<'_>,
    findings: &mut Vec<String>,
) {
    let (prod, stage) = (routes.prod_group, routes.stage_group);
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
    let mode = network_mode(&input.task_definition);
    let needed = if mode == "awsvpc" { "ip" } else { "instance" };
    if stage.target_type != needed {
        findings.push(format!(
            "The target group {} has target type {}, which does not fit the task definition's network mode {mode}; it has to be {needed}.",
            stage.name, stage.target_type
        ));
    }
}

/// Other ways to the two target groups, which a swap would leave as they are: they would lead to a version with no tasks.
fn other_users(scene: &Scene, routes: &Routes<'_>, findings: &mut Vec<String>) {
    let swapped = [routes.prod_group, routes.stage_group];
    let name_of = |arn: &str| swapped.iter().find(|group| group.arn == arn).map(|group| group.name.as_str());
    let others = scene.listeners.iter().filter(|listener| listener.arn != routes.prod.arn && listener.arn != routes.stage.arn);
    for listener in others {
        for group in forward_targets(&listener.actions).iter().filter_map(|(arn, _)| name_of(arn)) {
            findings.push(format!(
                "The listener on port {} forwards to target group {group} as well. A swap changes the production and the stage listener \
                 only, so it would go on to the version that is downsized.",
                listener.port
            ));
        }
    }
    for (listener, rules) in &scene.rules {
        let port = scene.listeners.iter().find(|known| known.arn == *listener).map_or(0, |listener| listener.port);
        for rule in rules.iter().filter(|rule| !rule.is_default) {
            for group in forward_targets(&rule.actions).iter().filter_map(|(arn, _)| name_of(arn)) {
                findings.push(format!(
                    "Rule {} of the listener on port {port} ({}) forwards to target group {group} as well. A swap changes the default \
                     action only, so requests of this rule would go on to the version that is downsized.",
                    rule.priority,
                    rule.conditions.join("; ")
                ));
            }
        }
    }
}

/// What the line's services are to this deployment.
struct Line {
    old: Option<Service>,
    green: Vec<Service>,
}

fn line(deployment: DeploymentId, scene: &Scene, routes: &Routes<'_>, findings: &mut Vec<String>) -> Line {
    // What an earlier attempt of this very step created is none of the line's past.
    let past: Vec<&Service> =
        scene.services.iter().filter(|service| service.is_active() && !markers::made_by(&service.tags, deployment)).collect();
    let prod = &routes.prod_group.arn;
    let in_prod = |service: &Service| service.target_groups.contains(prod);
    let alive = |service: &Service| service.desired > 0 || service.running > 0;
    let serving: Vec<&&Service> = past.iter().filter(|service| in_prod(service) && alive(service)).collect();
    if serving.len() > 1 {
        let names: Vec<_> = serving.iter().map(|service| service.name.as_str()).collect();
        findings.push(format!(
            "The services {} all run in the production target group {}; bring all but the one that serves to 0.",
            names.join(", "),
            routes.prod_group.name
        ));
    }
    let old = serving.first().map(|service| (**service).clone());
    for service in &past {
        let colour = markers::colour(service);
        if colour == Some(BLUE) && !in_prod(service) {
            let serves = old.as_ref().map_or("no service of the line".to_owned(), |old| old.name.clone());
            findings.push(format!(
                "The service {} is tagged {}:{BLUE}, but production forwards to target group {}, to which {serves} belongs. Correct the \
                 tag, or the production listener.",
                service.name,
                markers::BG_VERSION,
                routes.prod_group.name
            ));
        }
        if colour == Some(GREEN) && in_prod(service) && alive(service) {
            findings.push(format!(
                "The service {} is tagged {}:{GREEN}, which would be deleted now, but its tasks run in the production target group {}. \
                 Correct the tag.",
                service.name,
                markers::BG_VERSION,
                routes.prod_group.name
            ));
        }
        busy(service, findings);
    }
    let green = past.iter().filter(|service| markers::colour(service) == Some(GREEN) && !(in_prod(service) && alive(service)));
    Line { old, green: green.map(|service| (*service).clone()).collect() }
}

/// Whether somebody else is deploying to a service of the line.
fn busy(service: &Service, findings: &mut Vec<String>) {
    let name = &service.name;
    if let Some(controller) = service.controller.as_deref().filter(|controller| *controller != "ECS") {
        findings.push(format!("The service {name} is controlled by {controller}; Segue's blue/green needs the controller ECS."));
    }
    if let Some(strategy) = service.strategy.as_deref().filter(|strategy| *strategy != "ROLLING") {
        findings.push(format!(
            "The service {name} has the deployment strategy {strategy}: ECS moves its listeners itself, against Segue. Change it to ROLLING."
        ));
    }
    if service.is_rolling_out() {
        findings.push(format!(
            "ECS is deploying to the service {name} right now ({} deployments, {} of {} tasks running). Wait until it is steady.",
            service.deployments.len(),
            service.running,
            service.desired
        ));
    }
}
