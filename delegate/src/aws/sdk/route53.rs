//! Route 53 over the SDK.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_route53::{Client, config::Builder, types as sdk};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::{
    failure::{Failure, FailureKind},
    step::WeightedRecord,
};

use super::{
    failure::{Call, failure},
    limits::CallLimits,
    request_ids::RequestIds,
};
use crate::aws::{
    model::{HostedZone, RecordChange, RecordSet},
    ports::Records,
};

/// The DNS service: one client for reads, one for writes, over the same connections.
pub(super) struct Route53 {
    reads: Client,
    writes: Client,
}

impl Route53 {
    pub(super) fn new(config: &SdkConfig, limits: CallLimits) -> Self {
        let configured = || Builder::from(config).interceptor(RequestIds("route53"));
        let writes = configured().timeout_config(limits.write_timeouts()).retry_config(CallLimits::no_retries());
        Self { reads: Client::from_conf(configured().build()), writes: Client::from_conf(writes.build()) }
    }
}

fn read<'a>(operation: &'static str, what: &'a str) -> Call<'a> {
    Call { operation, writes: false, what }
}

/// Without the path that AWS writes before it.
fn bare(id: &str) -> String {
    id.rsplit('/').next().unwrap_or(id).to_owned()
}

#[async_trait]
impl Records for Route53 {
    async fn zone(&self, id: &str) -> Result<Option<HostedZone>, Failure> {
        let what = format!("read the hosted zone {id}");
        let call = read("route53:GetHostedZone", &what);
        match self.reads.get_hosted_zone().id(id).send().await {
            Ok(answer) => Ok(answer.hosted_zone().map(zone)),
            Err(error) if error.code() == Some("NoSuchHostedZone") => Ok(None),
            Err(error) => Err(failure(call, &error)),
        }
    }

    async fn zones_named(&self, name: &str) -> Result<Vec<HostedZone>, Failure> {
        let what = format!("find the hosted zone {name}");
        let call = read("route53:ListHostedZonesByName", &what);
        // AWS lists in order from that name on; a name has a handful of zones at most, so one page holds them all.
        let answer = self.reads.list_hosted_zones_by_name().dns_name(name).send().await;
        let answer = answer.map_err(|error| failure(call, &error))?;
        Ok(answer.hosted_zones().iter().map(zone).filter(|zone| zone.name == name).collect())
    }

    async fn record_sets(&self, zone: &str, name: &str) -> Result<Vec<RecordSet>, Failure> {
        let what = format!("read the records of {name} in hosted zone {zone}");
        let call = read("route53:ListResourceRecordSets", &what);
        let mut found = Vec::new();
        let mut request = self.reads.list_resource_record_sets().hosted_zone_id(zone).start_record_name(name);
        loop {
            let answer = request.send().await.map_err(|error| failure(call, &error))?;
            for set in answer.resource_record_sets() {
                // They come in order of their names: the first other one ends the list.
                if plain(set.name()) != name {
                    return Ok(found);
                }
                found.push(record_set(set));
            }
            let (true, Some(next)) = (answer.is_truncated(), answer.next_record_name()) else { return Ok(found) };
            request = self
                .reads
                .list_resource_record_sets()
                .hosted_zone_id(zone)
                .start_record_name(next)
                .set_start_record_type(answer.next_record_type().cloned())
                .set_start_record_identifier(answer.next_record_identifier().map(str::to_owned));
        }
    }

    async fn change(&self, zone: &str, name: &str, changes: &[RecordChange]) -> Result<String, Failure> {
        let what = format!("change the records of {name} in hosted zone {zone}");
        let call = Call { operation: "route53:ChangeResourceRecordSets", writes: true, what: &what };
        let unmade = |error: &dyn std::fmt::Display| {
            Failure::refused(FailureKind::Application, format!("Could not {what}: the request can't be made: {error}."))
        };
        let batch = changes.iter().map(|change| {
            let (action, record) = match change {
                RecordChange::Upsert(record) => (sdk::ChangeAction::Upsert, record),
                RecordChange::Delete(record) => (sdk::ChangeAction::Delete, record),
            };
            let set = to_sdk(name, record)?;
            sdk::Change::builder().action(action).resource_record_set(set).build()
        });
        let batch = batch.collect::<Result<Vec<_>, _>>().map_err(|error| unmade(&error))?;
        let batch = sdk::ChangeBatch::builder().comment("Segue").set_changes(Some(batch)).build();
        let batch = batch.map_err(|error| unmade(&error))?;
        let request = self.writes.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        answer.change_info().map(|change| bare(change.id())).ok_or_else(|| {
            Failure::uncertain(FailureKind::Connectivity, format!("Could not {what}: AWS's answer does not name the change."))
        })
    }

    async fn in_sync(&self, change: &str) -> Result<bool, Failure> {
        let what = format!("read the state of the DNS change {change}");
        let call = read("route53:GetChange", &what);
        let answer = self.reads.get_change().id(change).send().await.map_err(|error| failure(call, &error))?;
        Ok(answer.change_info().is_some_and(|change| *change.status() == sdk::ChangeStatus::Insync))
    }
}

fn to_sdk(name: &str, record: &WeightedRecord) -> Result<sdk::ResourceRecordSet, aws_smithy_types::error::operation::BuildError> {
    sdk::ResourceRecordSet::builder()
        .name(name)
        .r#type(sdk::RrType::Cname)
        .set_identifier(&record.set_identifier)
        .weight(i64::from(record.weight))
        .ttl(i64::from(record.ttl_seconds))
        .set_health_check_id(record.health_check.clone())
        .resource_records(sdk::ResourceRecord::builder().value(&record.value).build()?)
        .build()
}

fn zone(zone: &sdk::HostedZone) -> HostedZone {
    HostedZone {
        id: bare(zone.id()),
        name: plain(zone.name()),
        private: zone.config().is_some_and(|config| config.private_zone()),
        managed_by: zone.linked_service().map(|service| service.service_principal().unwrap_or("another service").to_owned()),
    }
}

fn record_set(set: &sdk::ResourceRecordSet) -> RecordSet {
    RecordSet {
        name: plain(set.name()),
        kind: set.r#type().as_str().to_owned(),
        set_identifier: set.set_identifier().map(str::to_owned),
        weight: set.weight().and_then(|weight| u8::try_from(weight).ok()),
        ttl_seconds: set.ttl().and_then(|ttl| u32::try_from(ttl).ok()),
        values: set.resource_records().iter().map(|record| record.value().to_owned()).collect(),
        health_check: set.health_check_id().map(str::to_owned),
    }
}

/// Route 53 writes unusual characters as `\ooo`; an underscore, which is none, is written so by older answers.
fn plain(name: &str) -> String {
    name.replace("\\137", "_").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_are_told_as_people_write_them() {
        assert_eq!(bare("/hostedzone/Z1"), "Z1");
        assert_eq!(bare("Z1"), "Z1");
        assert_eq!(plain("myapp.bg-namespace\\137upper."), "myapp.bg-namespace_upper.");
    }
}
