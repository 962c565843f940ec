//! Everything that the checks decide by, read from AWS in three rounds, each as parallel as AWS allows. Nothing is changed.

use domain::{infrastructure::InfrastructureSpec, names::revision_of, step::LoadBalancerSetup};

use crate::{
    aws::{
        actions::forward_targets,
        model::{Cluster, Listener, LoadBalancer, Rule, Service, Target, TargetGroup},
    },
    executor::{Outcome, StepContext},
};

/// What AWS shows. What is missing is for the checks to tell.
#[derive(Debug, Clone, Default)]
pub(super) struct Scene {
    pub(super) cluster: Option<Cluster>,
    pub(super) balancer: Option<LoadBalancer>,
    /// All listeners of the load balancer.
    pub(super) listeners: Vec<Listener>,
    /// Rules of the production and of the stage listener, with their listener's ARN.
    pub(super) rules: Vec<(String, Vec<Rule>)>,
    /// The target groups that the two listeners forward to.
    pub(super) groups: Vec<TargetGroup>,
    /// What is registered in production's target group, if no running service of the line is.
    pub(super) prod_targets: Vec<Target>,
    /// All services of the line.
    pub(super) services: Vec<Service>,
}

/// Looks.
pub(super) async fn look(context: &StepContext, input: &LoadBalancerSetup, infra: &InfrastructureSpec) -> Outcome<Scene> {
    let aws = context.aws()?;
    let (ecs, elb) = (&aws.ecs, &aws.load_balancing);
    let first = async { futures::try_join!(ecs.cluster(&infra.cluster), elb.load_balancer(&input.load_balancer)) };
    let (cluster, balancer) = context.read(first).await?;
    // A cluster that is not there has no services, and asking for them would be an error.
    let cluster_usable = cluster.as_ref().is_some_and(|cluster| cluster.status == "ACTIVE");

    let services = async {
        if !cluster_usable {
            return Ok(Vec::new());
        }
        let mut names = ecs.service_names(&infra.cluster).await?;
        names.retain(|name| revision_of(&input.family, name).is_some());
        ecs.services(&infra.cluster, &names).await
    };
    let listeners = async {
        match &balancer {
            Some(balancer) => elb.listeners_of(&balancer.arn).await,
            None => Ok(Vec::new()),
        }
    };
    let (services, listeners) = context.read(async { futures::try_join!(services, listeners) }).await?;

    let mut scene = Scene { cluster, balancer, listeners, services, ..Scene::default() };
    let named: Vec<&Listener> = [&input.prod_listener, &input.stage_listener]
        .into_iter()
        .filter_map(|wanted| find_listener(&scene.listeners, wanted))
        .collect();
    let mut group_arns: Vec<String> =
        named.iter().flat_map(|listener| forward_targets(&listener.actions)).map(|(arn, _)| arn).collect();
    group_arns.sort_unstable();
    group_arns.dedup();
    let prod_group = find_listener(&scene.listeners, &input.prod_listener)
        .and_then(|listener| forward_targets(&listener.actions).into_iter().next())
        .map(|(arn, _)| arn);

    let groups = async { if group_arns.is_empty() { Ok(Vec::new()) } else { elb.target_groups(&group_arns).await } };
    let rules = futures::future::try_join_all(
        named.iter().map(|listener| async { Ok((listener.arn.clone(), elb.rules(&listener.arn).await?)) }),
    );
    // Asked only where no service of the line accounts for what is registered there.
    let targets = async {
        match &prod_group {
            Some(group) if !scene.services.iter().any(|service| service.target_groups.contains(group) && service.running > 0) => {
                elb.target_health(group).await
            }
            _ => Ok(Vec::new()),
        }
    };
    let (groups, rules, targets) = context.read(async { futures::try_join!(groups, rules, targets) }).await?;
    scene.groups = groups;
    scene.rules = rules;
    scene.prod_targets = targets;
    Ok(scene)
}

/// The listener with this port or ARN.
pub(super) fn find_listener<'s>(listeners: &'s [Listener], wanted: &str) -> Option<&'s Listener> {
    match wanted.trim().parse::<u16>() {
        Ok(port) => listeners.iter().find(|listener| listener.port == port),
        Err(_) => listeners.iter().find(|listener| listener.arn == wanted.trim()),
    }
}
