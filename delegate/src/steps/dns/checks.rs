//! The checks, over what was read and nothing else: every finding is told, and nothing is changed before there is none.

use domain::{
    ids::DeploymentId,
    infrastructure::InfrastructureSpec,
    step::{DnsSetup, DnsTarget, DnsTraffic, ServiceRegistry},
};

use super::{
    super::version::{self, Serving},
    look::Scene,
    records::leads_to,
};
use crate::aws::model::{HostedZone, Service};

/// What the checks found out on the way.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) traffic: DnsTraffic,
    /// How the new service's tasks are registered.
    pub(super) registry: ServiceRegistry,
    /// The running service of the line that customers are led to.
    pub(super) old: Option<Service>,
    /// Services of the line to delete.
    pub(super) green: Vec<Service>,
}

/// Checks everything.
///
/// # Errors
/// All that is wrong, a sentence each.
pub(super) fn check(
    input: &DnsSetup,
    infra: &InfrastructureSpec,
    deployment: DeploymentId,
    scene: &Scene,
) -> Result<Ready, Vec<String>> {
    let mut findings = Vec::new();
    version::check_documents(&input.version, infra, scene.cluster.as_ref(), &mut findings);
    let zone = zone(input, scene, &mut findings);
    records(input, scene, &mut findings);
    let specifications = [&input.specification1, &input.specification2];
    let targets = [0, 1].map(|index| target(specifications[index], index, scene, &mut findings));
    same_namespace(scene, &mut findings);
    for (index, specification) in specifications.into_iter().enumerate() {
        container(input, specification, index, scene, &mut findings);
    }
    let mut ready = None;
    if let ([Some(first), Some(second)], Some(zone)) = (targets, zone) {
        let targets = [first, second];
        let current = current(deployment, scene, &targets, &mut findings);
        let in_current = |service: &Service| current.is_some_and(|index| service.registries.contains(&targets[index].arn));
        let place = current.map_or_else(|| "no Cloud Map service".to_owned(), |index| targets[index].name.clone());
        let serving = Serving {
            holds: &in_current,
            place: format!("Cloud Map service {place}"),
            leads: format!("is led to {place}"),
            leader: format!("the records of {}", input.alias),
        };
        let line = version::line(deployment, &scene.services, &serving, &mut findings);
        let new = current.map_or(0, |index| 1 - index);
        ready = Some(Ready {
            traffic: DnsTraffic {
                zone: zone.id.clone(),
                zone_name: zone.name.clone(),
                alias: input.alias.clone(),
                new: targets[new].clone(),
                old: current.map(|index| targets[index].clone()),
            },
            registry: specifications[new].clone(),
            old: line.old,
            green: line.green,
        });
    }
    match ready {
        Some(ready) if findings.is_empty() => Ok(ready),
        _ => Err(findings),
    }
}

fn zone<'s>(input: &DnsSetup, scene: &'s Scene, findings: &mut Vec<String>) -> Option<&'s HostedZone> {
    let wanted = &input.hosted_zone;
    let zone = match scene.zones.as_slice() {
        [zone] => zone,
        [] => {
            findings.push(format!("The hosted zone {wanted} does not exist in this account."));
            return None;
        }
        several => {
            let told: Vec<_> =
                several.iter().map(|zone| format!("{} ({})", zone.id, if zone.private { "private" } else { "public" })).collect();
            findings.push(format!("There are {} hosted zones {wanted}: {}. Name one by its id.", told.len(), told.join(", ")));
            return None;
        }
    };
    if let Some(owner) = &zone.managed_by {
        findings.push(format!(
            "The hosted zone {} is managed by {owner}, which alone may change its records. Make a zone of your own for the alias.",
            zone.name
        ));
    }
    let alias = &input.alias;
    if *alias == zone.name {
        findings.push(format!("The alias {alias} is the hosted zone's own name, where no CNAME may stand. Use a name below it."));
    } else if !alias.ends_with(&format!(".{}", zone.name)) {
        findings.push(format!("The alias {alias} does not lie in the hosted zone {}.", zone.name));
    }
    Some(zone)
}

/// What stands on the alias's name already.
fn records(input: &DnsSetup, scene: &Scene, findings: &mut Vec<String>) {
    for record in &scene.records {
        let what = match (record.kind.as_str(), &record.set_identifier, record.weight) {
            ("CNAME", Some(_), Some(_)) if record.values.len() == 1 && record.ttl_seconds.is_some() => continue,
            ("CNAME", None, _) => "a simple CNAME record".to_owned(),
            ("CNAME", Some(identifier), _) => format!("the CNAME record {identifier}, which is not a weighted one"),
            (kind, ..) => format!("a record of type {kind}"),
        };
        findings.push(format!(
            "On the alias {} stands {what}. Only weighted CNAME records can lead its traffic: remove it, or convert it.",
            input.alias
        ));
    }
}

fn target(specification: &ServiceRegistry, index: usize, scene: &Scene, findings: &mut Vec<String>) -> Option<DnsTarget> {
    let (number, arn) = (index + 1, &specification.registry_arn);
    let Some((registry, namespace)) = &scene.registries[index] else {
        findings.push(format!("The Cloud Map service {arn} (specification {number}) does not exist."));
        return None;
    };
    let Some(namespace) = namespace else {
        findings.push(format!(
            "The namespace of the Cloud Map service {} (specification {number}) is not shown by AWS.",
            registry.name
        ));
        return None;
    };
    if registry.records.is_empty() || !namespace.kind.starts_with("DNS") {
        findings.push(format!(
            "The Cloud Map service {} (specification {number}) has no DNS records: it is found by API calls only.",
            registry.name
        ));
    }
    Some(DnsTarget {
        id: registry.id.clone(),
        arn: registry.arn.clone(),
        name: format!("{}.{}", registry.name, namespace.name.trim_end_matches('.')),
        records: registry.records.clone(),
    })
}

fn same_namespace(scene: &Scene, findings: &mut Vec<String>) {
    if let [Some((first, _)), Some((second, _))] = &scene.registries
        && first.namespace != second.namespace
    {
        findings.push(format!(
            "The Cloud Map services {} and {} are in different namespaces ({} and {}); they have to be in one.",
            first.name, second.name, first.namespace, second.namespace
        ));
    }
}

/// Whether ECS can register the tasks as the specification says.
fn container(input: &DnsSetup, specification: &ServiceRegistry, index: usize, scene: &Scene, findings: &mut Vec<String>) {
    let number = index + 1;
    let records = scene.registries[index].as_ref().map(|(registry, _)| &registry.records);
    let has = |kind: &str| records.is_some_and(|records| records.contains_key(kind));
    let mode = version::network_mode(&input.version.task_definition);
    if has("SRV") && specification.container_port.is_none() && specification.port.is_none() {
        findings.push(format!(
            "Specification {number} names no port, and its Cloud Map service has SRV records: give containerName and containerPort, or port."
        ));
    }
    if (has("A") || has("AAAA")) && mode != "awsvpc" {
        findings.push(format!(
            "The Cloud Map service of specification {number} has A records, which need network mode awsvpc; the task definition's is {mode}."
        ));
    }
    let (Some(wanted), Some(port)) = (&specification.container_name, specification.container_port) else { return };
    if let Err(finding) = version::named_container(&input.version, wanted, port) {
        findings.push(format!("Specification {number}: {finding}"));
    }
}

/// Which of the two customers are led to: by the records; before the first, by the line's running service. None: to neither.
fn current(deployment: DeploymentId, scene: &Scene, targets: &[DnsTarget; 2], findings: &mut Vec<String>) -> Option<usize> {
    let led: Vec<_> = scene.records.iter().filter(|record| record.weight.is_some_and(|weight| weight > 0)).collect();
    let by_records: Vec<usize> = (0..2).filter(|index| led.iter().any(|record| leads_to(record, &targets[*index]))).collect();
    for record in led.iter().filter(|record| !targets.iter().any(|target| leads_to(record, target))) {
        findings.push(format!(
            "The record {} of the alias leads to {}, which is neither of the two Cloud Map services.",
            record.set_identifier.as_deref().unwrap_or_default(),
            record.values.join(", ")
        ));
    }
    match by_records.as_slice() {
        [one] => return Some(*one),
        [] => {}
        _ => {
            findings.push(format!(
                "The alias's records lead to both {} and {}: a shift was left half way. Give one of them weight 0 first.",
                targets[0].name, targets[1].name
            ));
            return None;
        }
    }
    let alive = |service: &&Service| {
        service.is_active()
            && (service.desired > 0 || service.running > 0)
            && !super::super::markers::made_by(&service.tags, deployment)
    };
    let running: Vec<_> = scene.services.iter().filter(alive).collect();
    (0..2).find(|index| running.iter().any(|service| service.registries.contains(&targets[*index].arn)))
}
