//! Blue/green with DNS: what *ECS Blue Green Route 53 Setup* finds, and what *Change Route 53 Weights* changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::NewVersion;

/// Inputs of *ECS Blue Green Route 53 Setup*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DnsSetup {
    /// What the new version is made of.
    pub version: NewVersion,
    /// The first of the two registries that alternate.
    pub specification1: ServiceRegistry,
    /// The second.
    pub specification2: ServiceRegistry,
    /// The name that customers use, with a trailing dot, lower case.
    pub alias: String,
    /// Id or name of the hosted zone that holds it.
    pub hosted_zone: String,
}

/// A Cloud Map service and how tasks are registered in it: an entry of `serviceRegistries` of `create-service`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRegistry {
    /// ARN of the Cloud Map service.
    pub registry_arn: String,
    /// With `container_port`: the container whose port is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    /// Its port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_port: Option<u16>,
    /// The port of an SRV record where no container is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// What leads production's traffic by DNS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DnsTraffic {
    /// Id of the hosted zone.
    pub zone: String,
    /// Its name, with a trailing dot.
    pub zone_name: String,
    /// The name that customers use, with a trailing dot.
    pub alias: String,
    /// Where the new version is found.
    pub new: DnsTarget,
    /// Where the old version is found; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<DnsTarget>,
}

/// A Cloud Map service as a target of the alias.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DnsTarget {
    /// Id of the Cloud Map service (`srv-...`).
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Its DNS name, `<service>.<namespace>`, without a trailing dot.
    pub name: String,
    /// Types of its records and their TTL in seconds (`SRV`, `A` ...).
    pub records: BTreeMap<String, u32>,
}

impl DnsTraffic {
    /// The same with old and new in each other's places; the same alone where nothing came before.
    pub fn mirrored(&self) -> Self {
        match &self.old {
            Some(old) => Self { new: old.clone(), old: Some(self.new.clone()), ..self.clone() },
            None => self.clone(),
        }
    }

    /// Where the alias answers over HTTP.
    pub fn url(&self) -> String {
        format!("http://{}", self.alias.trim_end_matches('.'))
    }
}

/// Inputs of *Change Route 53 Weights*. Alias, zone and registries come from the setup's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeWeights {
    /// Weight of the new version's record, 0 to 255.
    pub new_weight: u8,
    /// Weight of the old version's record, 0 to 255.
    pub old_weight: u8,
    /// TTL of both records, in seconds.
    pub ttl_seconds: u32,
    /// Bring the old service to 0 once no customer is led to it (`old_weight` 0) and the TTL has passed.
    pub downsize_old: bool,
    /// What the set identifiers begin with: `<prefix>-Blue` is the new version's, `<prefix>-Green` the old one's.
    pub identifier_prefix: String,
}

/// A weighted CNAME record of the alias.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WeightedRecord {
    /// What tells it from the others of the same name.
    pub set_identifier: String,
    /// Its weight, 0 to 255.
    pub weight: u8,
    /// Its TTL, in seconds.
    pub ttl_seconds: u32,
    /// The name that it leads to, as AWS gives it.
    pub value: String,
    /// Id of its health check, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<String>,
}

/// What the change of weights hands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WeightsOutput {
    /// The service that serves production now.
    pub live_service: String,
    /// The service that served it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_service: Option<String>,
    /// Weight of the new version's record, read back.
    pub new_weight: u8,
    /// Weight of the old version's record, read back; none when there is no such record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_weight: Option<u8>,
    /// From the change's request until AWS said that all of its name servers have it, in milliseconds.
    pub switch_ms: u64,
}

impl WeightsOutput {
    /// The names that [`WeightsOutput::values`] yields.
    pub const NAMES: [&'static str; 4] = ["liveService", "previousService", "newWeight", "oldWeight"];

    pub(super) fn values(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("liveService", self.live_service.clone()),
            ("previousService", self.previous_service.clone().unwrap_or_default()),
            ("newWeight", self.new_weight.to_string()),
            ("oldWeight", self.old_weight.map(|weight| weight.to_string()).unwrap_or_default()),
        ])
    }
}
