//! The fake AWS's Cloud Map and Route 53: two registries that hold their services' tasks, one zone, and changes that are in sync at
//! the second look.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{failure::Failure, step::WeightedRecord};

use super::fake_aws::{FakeAws, World, address};
use crate::aws::{
    model::{HostedZone, Namespace, RecordChange, RecordSet, Registry},
    ports::{Records, Registries},
};

pub(super) const FIRST: &str = "arn:aws:servicediscovery:us-west-1:448640225317:service/srv-c53l4mh5xym45wtm";
pub(super) const SECOND: &str = "arn:aws:servicediscovery:us-west-1:448640225317:service/srv-ytqooonrmzj63r76";
pub(super) const ALIAS: &str = "myapp.bg-namespace_upper.";
const ZONE: &str = "Z1UPPER";

/// What DNS there is.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Dns {
    pub(super) records: Vec<RecordSet>,
    pub(super) managed_by: Option<String>,
    changes: u32,
    asked: u32,
}

impl World {
    /// The weights by the names that they lead to.
    pub(super) fn weights(&self) -> BTreeMap<String, u8> {
        let weight = |record: &RecordSet| (record.values[0].clone(), record.weight.unwrap_or_default());
        self.dns.records.iter().map(weight).collect()
    }
}

/// The records of a deployment that made the first registry current.
pub(super) fn led_to_first() -> Vec<RecordSet> {
    let record = |identifier: &str, weight: u8, value: &str| WeightedRecord {
        set_identifier: identifier.into(),
        weight,
        ttl_seconds: 0,
        value: value.into(),
        health_check: None,
    };
    let records = [record("Harness-Blue", 100, "service1.bg-namespace"), record("Harness-Green", 0, "service2.bg-namespace")];
    records.iter().map(self::record).collect()
}

pub(super) fn record(record: &WeightedRecord) -> RecordSet {
    RecordSet {
        name: ALIAS.into(),
        kind: "CNAME".into(),
        set_identifier: Some(record.set_identifier.clone()),
        weight: Some(record.weight),
        ttl_seconds: Some(record.ttl_seconds),
        values: vec![record.value.clone()],
        health_check: record.health_check.clone(),
    }
}

fn arn_of(id: &str) -> Option<(&'static str, &'static str)> {
    [(FIRST, "service1"), (SECOND, "service2")].into_iter().find(|(arn, _)| arn.ends_with(id))
}

#[async_trait]
impl Registries for FakeAws {
    async fn registry(&self, id: &str) -> Result<Option<Registry>, Failure> {
        self.call("GetService", |_| {
            Ok(arn_of(id).map(|(arn, name)| Registry {
                id: id.into(),
                arn: arn.into(),
                name: name.into(),
                namespace: "ns-1".into(),
                records: [("A".to_owned(), 10), ("SRV".to_owned(), 10)].into(),
            }))
        })
    }

    async fn namespace(&self, id: &str) -> Result<Option<Namespace>, Failure> {
        let namespace = Namespace { id: id.into(), name: "bg-namespace".into(), kind: "DNS_PRIVATE".into() };
        self.call("GetNamespace", |_| Ok(Some(namespace)))
    }

    async fn addresses(&self, id: &str) -> Result<Vec<String>, Failure> {
        self.call("ListInstances", |world| {
            let arn = arn_of(id).expect("known").0;
            let services = world.services.values().filter(|service| service.registries.iter().any(|known| known == arn));
            Ok(services.flat_map(|service| (0..service.running).map(|number| address(&service.name, number))).collect())
        })
    }
}

#[async_trait]
impl Records for FakeAws {
    async fn zone(&self, id: &str) -> Result<Option<HostedZone>, Failure> {
        Ok(self.zones_named("bg-namespace_upper.").await?.into_iter().find(|zone| zone.id == id))
    }

    async fn zones_named(&self, name: &str) -> Result<Vec<HostedZone>, Failure> {
        self.call("ListHostedZonesByName", |world| {
            let managed_by = world.dns.managed_by.clone();
            let zone = HostedZone { id: ZONE.into(), name: "bg-namespace_upper.".into(), private: false, managed_by };
            Ok(Some(zone).into_iter().filter(|zone| zone.name == name).collect())
        })
    }

    async fn record_sets(&self, _zone: &str, name: &str) -> Result<Vec<RecordSet>, Failure> {
        self.call("ListResourceRecordSets", |world| {
            Ok(world.dns.records.iter().filter(|record| record.name == name).cloned().collect())
        })
    }

    async fn change(&self, _zone: &str, _name: &str, changes: &[RecordChange]) -> Result<String, Failure> {
        self.call("ChangeResourceRecordSets", |world| {
            let mut records = world.dns.records.clone();
            for change in changes {
                let (RecordChange::Upsert(of) | RecordChange::Delete(of)) = change;
                let place = records.iter().position(|known| known.set_identifier.as_ref() == Some(&of.set_identifier));
                match (change, place) {
                    (RecordChange::Upsert(_), Some(place)) => records[place] = record(of),
                    (RecordChange::Upsert(_), None) => records.push(record(of)),
                    (RecordChange::Delete(_), Some(place)) if records[place] == record(of) => drop(records.remove(place)),
                    (RecordChange::Delete(_), _) => {
                        return Err(Failure::refused(domain::failure::FailureKind::Application, "InvalidChangeBatch: not found"));
                    }
                }
            }
            world.dns.records = records;
            world.dns.changes += 1;
            world.dns.asked = 0;
            Ok(format!("C{}", world.dns.changes))
        })
    }

    async fn in_sync(&self, _change: &str) -> Result<bool, Failure> {
        self.call("GetChange", |world| {
            world.dns.asked += 1;
            Ok(world.dns.asked > 1)
        })
    }
}
