//! The metrics that AWS's services publish by themselves: those of load balancers from what the data plane counted, and a service's CPU
//! and memory from the requests that its tasks got.

use super::{
    series::{Metric, Numbers, second},
    state::LOOK,
};
use crate::sim::{
    context::Context,
    dataplane::{Tallies, Tally},
    ecs::{ServiceStatus, Task},
    elbv2::{TargetGroup, TargetState},
};

/// The formula of a task's load, and the only one: a task that does nothing uses `IDLE` percent of its CPU; each request a second uses
/// `COST` CPU units (a vCPU has 1024). A second is one of AWS's.
const IDLE: f64 = 1.0;
const COST: f64 = 25.6;
/// Percent of its memory that a task uses at rest, and at full CPU.
const MEMORY: (f64, f64) = (20.0, 45.0);

/// CPU in percent of what a task has (`units`), at so many requests a second.
pub(super) fn cpu(requests: f64, units: f64) -> f64 {
    (IDLE + requests * COST * 100.0 / units).min(100.0)
}

/// Memory in percent, at so much CPU.
pub(super) fn memory(cpu: f64) -> f64 {
    MEMORY.0 + (MEMORY.1 - MEMORY.0) * cpu / 100.0
}

/// What was counted since the last look.
pub(super) fn counted(context: &mut Context<'_>, tallies: &Tallies) {
    let here = format!("arn:aws:elasticloadbalancing:{}:{}:loadbalancer/", context.region, context.account);
    for (balancer, groups) in tallies.iter().filter(|(balancer, _)| balancer.starts_with(&here)) {
        let balancer = dimension(balancer, "loadbalancer/");
        for (group, tally) in groups {
            let healthy = context.elb.target_groups.get(group).map_or(0, |group| count(group, TargetState::is_healthy));
            publish(context, balancer, dimension(group, ""), tally, healthy);
        }
    }
}

fn publish(context: &mut Context<'_>, balancer: &str, group: &str, tally: &Tally, healthy: usize) {
    let (now, wall) = (context.clock.now(), context.clock.epoch());
    let of_balancer = [("LoadBalancer", balancer)];
    let of_both = [("LoadBalancer", balancer), ("TargetGroup", group)];
    let mut add = |namespace: &str, name: &str, dimensions: &[(&str, &str)], numbers: Numbers| {
        context.cloudwatch.add(Metric::new(namespace, name, dimensions), now, wall, numbers);
    };
    let network = balancer.starts_with("net/");
    let namespace = if network { "AWS/NetworkELB" } else { "AWS/ApplicationELB" };
    let mut counts = vec![(if network { "NewFlowCount" } else { "RequestCount" }, tally.requests)];
    let names =
        ["HTTPCode_Target_2XX_Count", "HTTPCode_Target_3XX_Count", "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count"];
    counts.extend(names.into_iter().zip(tally.classes));
    for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        let events = Numbers::events(count as f64);
        add(namespace, name, &of_balancer, events);
        add(namespace, name, &of_both, events);
    }
    if tally.refused > 0 {
        add(namespace, "HTTPCode_ELB_5XX_Count", &of_balancer, Numbers::events(tally.refused as f64));
    }
    if let Some(times) = tally.times {
        add(namespace, "TargetResponseTime", &of_balancer, times);
        add(namespace, "TargetResponseTime", &of_both, times);
    }
    if !network && tally.requests > 0 {
        let each = Numbers::one(tally.requests as f64 / healthy.max(1) as f64);
        add(namespace, "RequestCountPerTarget", &[("TargetGroup", group)], each);
        add(namespace, "RequestCountPerTarget", &of_both, each);
    }
}

/// What is measured every now and then: hosts by health, requests per target (0 without a request), and services' load over the last
/// `since` of AWS's seconds.
pub(super) fn measured(context: &mut Context<'_>, since: f64) {
    let (now, wall) = (context.clock.now(), context.clock.epoch());
    let mut published = Vec::new();
    for (arn, group) in &context.elb.target_groups {
        for balancer in context.elb.load_balancers_of(arn) {
            let (balancer, group_name) = (dimension(&balancer, "loadbalancer/"), dimension(arn, ""));
            let namespace = if balancer.starts_with("net/") { "AWS/NetworkELB" } else { "AWS/ApplicationELB" };
            let dimensions = [("LoadBalancer", balancer), ("TargetGroup", group_name)];
            let healthy = count(group, TargetState::is_healthy);
            let unhealthy = count(group, |state| matches!(state, TargetState::Unhealthy { .. }));
            if healthy + unhealthy == 0 {
                continue;
            }
            for (name, hosts) in [("HealthyHostCount", healthy), ("UnHealthyHostCount", unhealthy)] {
                published.push((Metric::new(namespace, name, &dimensions), Numbers::one(hosts as f64)));
            }
            if namespace == "AWS/ApplicationELB" {
                published.push((Metric::new(namespace, "RequestCountPerTarget", &dimensions), Numbers::one(0.0)));
                published.push((Metric::new(namespace, "RequestCountPerTarget", &dimensions[1..]), Numbers::one(0.0)));
            }
        }
    }
    for ((cluster, name), service) in &context.ecs.services {
        let of_it =
            |task: &&Task| task.cluster == *cluster && task.service.as_ref() == Some(name) && task.running_since.is_some();
        if service.status != ServiceStatus::Active || context.ecs.tasks.values().find(of_it).is_none() {
            continue;
        }
        let rate: f64 = service.targets().iter().map(|(group, ..)| rate(context, group, now, since)).sum();
        let cpu = cpu(rate, units(context, &service.task_definition));
        let dimensions = [("ClusterName", cluster.as_str()), ("ServiceName", name.as_str())];
        published.push((Metric::new("AWS/ECS", "CPUUtilization", &dimensions), Numbers::one(cpu)));
        published.push((Metric::new("AWS/ECS", "MemoryUtilization", &dimensions), Numbers::one(memory(cpu))));
    }
    for (metric, numbers) in published {
        context.cloudwatch.add(metric, now, wall, numbers);
    }
}

/// Requests a second that each target of a group got lately.
fn rate(context: &Context<'_>, group: &str, now: f64, since: f64) -> f64 {
    let metric = Metric::new("AWS/ApplicationELB", "RequestCountPerTarget", &[("TargetGroup", dimension(group, ""))]);
    // A look may come late: no more is taken than it covers.
    let since = since.min(6.0 * LOOK);
    let (from, to) = (second(now - since), second(now));
    let sum =
        context.cloudwatch.metrics.get(&metric).and_then(|series| series.between(from, to)).map_or(0.0, |numbers| numbers.sum);
    sum / ((to - from).max(1) as f64)
}

/// CPU units of a task of a definition: `256` or `.25 vCPU`; 256 where none are given.
fn units(context: &Context<'_>, definition: &str) -> f64 {
    let named = definition.rsplit('/').next().and_then(|named| named.rsplit_once(':'));
    let found = named.and_then(|(family, revision)| {
        let index = revision.parse::<usize>().ok()?.checked_sub(1)?;
        context.ecs.families.get(family)?.get(index)?.document.get("cpu")?.as_str()
    });
    let read = |text: &str| match text.to_ascii_lowercase().strip_suffix("vcpu") {
        Some(share) => share.trim().parse::<f64>().ok().map(|share| share * 1_024.0),
        None => text.trim().parse().ok(),
    };
    found.and_then(read).filter(|units| *units > 0.0).unwrap_or(256.0)
}

fn count(group: &TargetGroup, wanted: impl Fn(&TargetState) -> bool) -> usize {
    group.targets.values().filter(|target| wanted(&target.state)).count()
}

/// An ARN as a dimension has it: `app/NAME/ID`, `targetgroup/NAME/ID`.
fn dimension<'a>(arn: &'a str, without: &str) -> &'a str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    resource.strip_prefix(without).unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_a_cpu_is_full_at_ten_requests_a_second() {
        assert_eq!(cpu(0.0, 256.0), 1.0);
        assert!((cpu(5.0, 256.0) - 51.0).abs() < 1e-9);
        assert_eq!(cpu(10.0, 256.0), 100.0);
        assert!((cpu(10.0, 1_024.0) - 26.0).abs() < 1e-9);
        assert_eq!((memory(0.0), memory(100.0)), (20.0, 45.0));
    }

    #[test]
    fn dimensions_are_the_last_parts_of_arns() {
        assert_eq!(dimension("arn:aws:elasticloadbalancing:r:1:loadbalancer/app/n/i", "loadbalancer/"), "app/n/i");
        assert_eq!(dimension("arn:aws:elasticloadbalancing:r:1:targetgroup/n/i", ""), "targetgroup/n/i");
    }
}
