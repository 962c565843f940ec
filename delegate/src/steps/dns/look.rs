//! Everything that the checks decide by, read from AWS in two rounds. Nothing is changed.

use domain::{failure::Failure, infrastructure::InfrastructureSpec, names::revision_of, step::DnsSetup};

use crate::{
    aws::{
        model::{Cluster, HostedZone, Namespace, RecordSet, Registry, Service},
        ports::{Records, Registries},
    },
    executor::{Outcome, StepContext},
};

/// What AWS shows. What is missing is for the checks to tell.
#[derive(Debug, Clone, Default)]
pub(super) struct Scene {
    pub(super) cluster: Option<Cluster>,
    /// All services of the line.
    pub(super) services: Vec<Service>,
    /// The hosted zones that are meant: one, if all is well.
    pub(super) zones: Vec<HostedZone>,
    /// The records of the alias, all types.
    pub(super) records: Vec<RecordSet>,
    /// The Cloud Map services of specification 1 and 2.
    pub(super) registries: [Option<(Registry, Option<Namespace>)>; 2],
}

/// Looks.
pub(super) async fn look(context: &StepContext, input: &DnsSetup, infra: &InfrastructureSpec) -> Outcome<Scene> {
    let aws = context.aws()?;
    let line = async {
        let cluster = aws.ecs.cluster(&infra.cluster).await?;
        if cluster.as_ref().is_none_or(|cluster| cluster.status != "ACTIVE") {
            return Ok((cluster, Vec::new()));
        }
        let mut names = aws.ecs.service_names(&infra.cluster).await?;
        names.retain(|name| revision_of(&input.version.family, name).is_some());
        Ok((cluster, aws.ecs.services(&infra.cluster, &names).await?))
    };
    let dns = async {
        let zones = zones(aws.records.as_ref(), &input.hosted_zone).await?;
        let records = match zones.as_slice() {
            [zone] => aws.records.record_sets(&zone.id, &input.alias).await?,
            _ => Vec::new(),
        };
        Ok::<_, Failure>((zones, records))
    };
    let registries = aws.registries.as_ref();
    let first = registry(registries, &input.specification1.registry_arn);
    let second = registry(registries, &input.specification2.registry_arn);
    let all = async { futures::try_join!(line, dns, first, second) };
    let ((cluster, services), (zones, records), first, second) = context.read(all).await?;
    Ok(Scene { cluster, services, zones, records, registries: [first, second] })
}

/// By id, or every zone of that name.
async fn zones(records: &dyn Records, wanted: &str) -> Result<Vec<HostedZone>, Failure> {
    let bare = wanted.trim().rsplit('/').next().unwrap_or_default();
    let is_id = !bare.contains('.') && bare.starts_with('Z') && bare.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_id {
        return Ok(records.zone(bare).await?.into_iter().collect());
    }
    records.zones_named(&format!("{}.", bare.trim_end_matches('.').to_ascii_lowercase())).await
}

async fn registry(registries: &dyn Registries, arn: &str) -> Result<Option<(Registry, Option<Namespace>)>, Failure> {
    let id = arn.rsplit('/').next().unwrap_or(arn);
    let Some(registry) = registries.registry(id).await? else { return Ok(None) };
    let namespace = registries.namespace(&registry.namespace).await?;
    Ok(Some((registry, namespace)))
}
