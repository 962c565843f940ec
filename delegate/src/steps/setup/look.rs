//! Everything that the checks decide by, read from AWS in three rounds, each as parallel as AWS allows. Nothing is changed.

use domain::{
    failure::Failure,
    infrastructure::InfrastructureSpec,
    names::revision_of,
    step::{LoadBalancerSetup, WantedPair},
};

use super::routes::{found, named_listeners};
use crate::{
    aws::{
        actions::forward_targets,
        model::{Cluster, Listener, LoadBalancer, Rule, Service, Target, TargetGroup},
        ports::LoadBalancing,
    },
    executor::{Outcome, StepContext},
};

/// What AWS shows. What is missing is for the checks to tell.
#[derive(Debug, Clone, Default)]
pub(super) struct Scene {
    pub(super) cluster: Option<Cluster>,
    /// The load balancers that the pairs name, each once, in their order.
    pub(super) balancers: Vec<BalancerScene>,
    /// The target groups that the named routes forward to.
    pub(super) groups: Vec<TargetGroup>,
    /// What is registered in the first pair's production target group, if no running service of the line is.
    pub(super) prod_targets: Vec<Target>,
    /// All services of the line.
    pub(super) services: Vec<Service>,
}

/// A load balancer with everything on it.
#[derive(Debug, Clone, Default)]
pub(super) struct BalancerScene {
    /// As the pairs name it.
    pub(super) wanted: String,
    pub(super) balancer: Option<LoadBalancer>,
    /// All its listeners.
    pub(super) listeners: Vec<Listener>,
    /// Rules of the listeners that a pair names, with their listener's ARN.
    pub(super) rules: Vec<(String, Vec<Rule>)>,
}

impl Scene {
    pub(super) fn balancer(&self, wanted: &str) -> Option<&BalancerScene> {
        self.balancers.iter().find(|balancer| balancer.wanted == wanted)
    }
}

/// Looks.
pub(super) async fn look(context: &StepContext, input: &LoadBalancerSetup, infra: &InfrastructureSpec) -> Outcome<Scene> {
    let aws = context.aws()?;
    let (ecs, elb) = (&aws.ecs, &aws.load_balancing);
    let mut wanted: Vec<&str> = input.pairs.iter().map(|pair| pair.load_balancer.as_str()).collect();
    wanted.dedup();
    let balancers = futures::future::try_join_all(wanted.iter().map(|name| elb.load_balancer(name)));
    let first = async { futures::try_join!(ecs.cluster(&infra.cluster), balancers) };
    let (cluster, balancers) = context.read(first).await?;
    // A cluster that is not there has no services, and asking for them would be an error.
    let cluster_usable = cluster.as_ref().is_some_and(|cluster| cluster.status == "ACTIVE");

    let services = async {
        if !cluster_usable {
            return Ok(Vec::new());
        }
        let mut names = ecs.service_names(&infra.cluster).await?;
        names.retain(|name| revision_of(&input.version.family, name).is_some());
        ecs.services(&infra.cluster, &names).await
    };
    let balancers = futures::future::try_join_all(
        wanted.iter().zip(balancers).map(|(wanted, balancer)| whole(elb.as_ref(), wanted, balancer, &input.pairs)),
    );
    let (services, balancers) = context.read(async { futures::try_join!(services, balancers) }).await?;

    let mut scene = Scene { cluster, balancers, services, ..Scene::default() };
    let routes = input.pairs.iter().filter_map(|pair| Some(found(scene.balancer(&pair.load_balancer)?, pair)));
    let routes: Vec<_> = routes.collect();
    let actions = routes.iter().flat_map(|(prod, stage)| [prod, stage]).flatten();
    let mut group_arns: Vec<String> = actions.flat_map(|route| forward_targets(route.actions)).map(|(arn, _)| arn).collect();
    group_arns.sort_unstable();
    group_arns.dedup();
    let first_prod = routes.first().and_then(|(prod, _)| prod.as_ref());
    let prod_group = first_prod.and_then(|prod| forward_targets(prod.actions).into_iter().next()).map(|(arn, _)| arn);

    let groups = async { if group_arns.is_empty() { Ok(Vec::new()) } else { elb.target_groups(&group_arns).await } };
    // Asked only where no service of the line accounts for what is registered there.
    let targets = async {
        match &prod_group {
            Some(group) if !scene.services.iter().any(|service| service.target_groups.contains(group) && service.running > 0) => {
                elb.target_health(group).await
            }
            _ => Ok(Vec::new()),
        }
    };
    let (groups, targets) = context.read(async { futures::try_join!(groups, targets) }).await?;
    scene.groups = groups;
    scene.prod_targets = targets;
    Ok(scene)
}

/// A load balancer's listeners, and the rules of those that pairs name.
async fn whole(
    elb: &dyn LoadBalancing,
    wanted: &str,
    balancer: Option<LoadBalancer>,
    pairs: &[WantedPair],
) -> Result<BalancerScene, Failure> {
    let listeners = match &balancer {
        Some(balancer) => elb.listeners_of(&balancer.arn).await?,
        None => Vec::new(),
    };
    let scene = BalancerScene { wanted: wanted.to_owned(), balancer, listeners, rules: Vec::new() };
    let rules = named_listeners(&scene, pairs)
        .into_iter()
        .map(|listener| async { Ok::<_, Failure>((listener.arn.clone(), elb.rules(&listener.arn).await?)) });
    let rules = futures::future::try_join_all(rules).await?;
    Ok(BalancerScene { rules, ..scene })
}
