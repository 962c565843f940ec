//! Shift Traffic: a share of production's traffic to the new version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Inputs of *Shift Traffic*. Routes, records and services come from the setup's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShiftTraffic {
    /// Share of the traffic that the new version gets, in percent (1 to 99). All of it is for the switch itself to give.
    pub weight: u8,
    /// With DNS: TTL of the records, in seconds.
    pub ttl_seconds: u32,
    /// With DNS: what the set identifiers begin with.
    pub identifier_prefix: String,
}

/// What *Shift Traffic* hands on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShiftOutput {
    /// The new version's share of the traffic, read back, in percent.
    pub weight: u8,
}

impl ShiftOutput {
    /// The names that [`ShiftOutput::values`] yields.
    pub const NAMES: [&'static str; 1] = ["weight"];

    pub(super) fn values(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([("weight", self.weight.to_string())])
    }
}
