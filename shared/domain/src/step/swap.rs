//! Swap Target Groups: inputs, the snapshot it takes before it changes anything, and its output.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Inputs of *Swap Target Groups*. Listeners, target groups and services come from the setup's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SwapTargetGroups {
    /// Bring the old service to 0 after the swap. It is kept, not deleted, until the next setup.
    pub downsize_old: bool,
    /// How long to leave the old service running after the swap, in seconds, for connections that are not idle.
    pub delay_seconds: u64,
    /// Before the old service is downsized: until its target groups were without a request for a whole minute (CloudWatch's
    /// `RequestCount`), at most so long after the swap, in milliseconds. None: its requests are not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_ms: Option<u64>,
    /// A path that the production listener must answer with 2xx after the swap, before the old service is downsized. None: the
    /// proof is target health alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe_path: Option<String>,
    /// Watch production after the swap, before the old service is downsized. None: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bake: Option<Bake>,
}

/// How production is watched after the swap. The first breach puts it back at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bake {
    /// How long, in milliseconds.
    pub window_ms: u64,
    /// Pause between two probes, in milliseconds.
    pub interval_ms: u64,
    /// How many probes in a row must fail to be a breach. Target health needs no second look.
    pub failures: u32,
    /// A path that the production listener must answer with 2xx, each time. None: target health alone is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe_path: Option<String>,
    /// CloudWatch alarms, by name, in the infrastructure's region: one that goes off is a breach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<String>,
}

/// A route's actions as they were, whole, in the shape of AWS's JSON (`Type`, `TargetGroupArn`, `ForwardConfig` ...).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteSnapshot {
    /// ARN of the listener or of the rule.
    pub route: String,
    /// The list of actions, in order.
    pub actions: Value,
    /// The target group that the forward action points to.
    pub target_group: String,
}

/// A pair of routes as they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PairSnapshot {
    /// Production's.
    pub prod: RouteSnapshot,
    /// Stage's.
    pub stage: RouteSnapshot,
}

/// What the swap hands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SwapOutput {
    /// The service that serves production now.
    pub live_service: String,
    /// The service that served it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_service: Option<String>,
    /// The target group that production forwards to now, read back.
    pub prod_target_group: String,
    /// The target group that stage forwards to now, read back.
    pub stage_target_group: String,
    /// How long the two writes and their read-back took, in milliseconds.
    pub switch_ms: u64,
}

impl SwapOutput {
    /// The names that [`SwapOutput::values`] yields.
    pub const NAMES: [&'static str; 4] = ["liveService", "previousService", "prodTargetGroup", "stageTargetGroup"];

    pub(super) fn values(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("liveService", self.live_service.clone()),
            ("previousService", self.previous_service.clone().unwrap_or_default()),
            ("prodTargetGroup", self.prod_target_group.clone()),
            ("stageTargetGroup", self.stage_target_group.clone()),
        ])
    }
}
