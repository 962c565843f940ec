//! Checkpoints: the facts that a step must not lose, durable before the step goes on.
//!
//! The next attempt of the step, on whichever delegate, gets all of them in the order they were recorded. What can be read again
//! from AWS is not here: a checkpoint is for what would be gone (how things were before) or would be guessed at (which of two
//! revisions is ours).

use serde::{Deserialize, Serialize};

use super::{OldService, PairSnapshot, Traffic, WeightedRecord};

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Checkpoint {
    /// Setup: how production stood before anything was touched.
    ProductionRecorded {
        /// What led the traffic, new and old as they were to be.
        traffic: Traffic,
        /// The version that served production, if any.
        old: Option<OldService>,
    },
    /// Setup: this revision is ours.
    TaskDefinitionRegistered {
        /// Its ARN.
        arn: String,
        /// Its revision.
        revision: i32,
    },
    /// Setup: this service is ours.
    ServiceCreated {
        /// Its name.
        name: String,
        /// Its ARN.
        arn: String,
    },
    /// Upgrade Containers: the resize that is about to be asked for.
    ResizeStarted {
        /// The service.
        service: String,
        /// Desired count before.
        from: u32,
        /// Desired count wanted.
        to: u32,
        /// When, by AWS's clock where an answer gave it: seconds since 1970-01-01 UTC. Service events before it are old news.
        at_seconds: i64,
    },
    /// Swap, Shift Traffic: the whole action lists before the change, a pair each, in the setup's order.
    RoutesRecorded {
        /// The pairs.
        pairs: Vec<PairSnapshot>,
    },
    /// Change Route 53 Weights, Shift Traffic: the alias's record sets before the change.
    RecordsRecorded {
        /// The record sets; none before the first deployment.
        records: Vec<WeightedRecord>,
    },
    /// Swap: both listeners were changed and read back at this time (milliseconds since 1970-01-01 UTC, delegate's clock): the delay
    /// counts from here.
    TrafficSwitched {
        /// When.
        at_ms: i64,
        /// How long the switch took, in milliseconds.
        switch_ms: u64,
    },
    /// Swap: production is about to be watched. For this long (milliseconds, from before this was recorded) the attempt may put
    /// production back by itself, without a lease.
    BakeStarted {
        /// How long.
        promise_ms: u64,
    },
    /// Swap: production was watched to the end, and the attempt needs a lease again for whatever it changes.
    BakeEnded,
    /// Shell Script: the script is about to run.
    ScriptStarted,
    /// Shell Script: it does not run any more, however it ended.
    ScriptEnded,
    /// Swap: the old service is about to be brought to 0.
    DownsizeStarted {
        /// The service.
        service: String,
        /// Desired count before.
        from: u32,
    },
}
