//! What the executor needs of the session: a place for log lines, for checkpoints, the lease, and the two reasons to stop.
//!
//! The network half implements these; tests implement them with vectors.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{failure::Failure, log::LogLevel, step::Checkpoint};
use tokio_util::sync::CancellationToken;

/// Takes the lines of one attempt's log, in order. Must neither block nor fail: what can't be kept is counted as dropped.
pub trait StepLog: Send + Sync {
    /// One line, without a line break, secrets masked already. Not cut to [`domain::limits::LOG_LINE_BYTES`] yet.
    fn line(&self, level: LogLevel, text: &str);
}

/// Takes the checkpoints of one attempt, in order.
#[async_trait]
pub trait CheckpointLog: Send + Sync {
    /// Returns only when the control plane said that the checkpoint is durable.
    ///
    /// # Errors
    /// When the task is no longer ours, or the session ended for good: the step must not go on.
    async fn record(&self, checkpoint: Checkpoint) -> Result<(), Failure>;
}

/// Asks the lease before an AWS write.
#[async_trait]
pub trait WritePermit: Send + Sync {
    /// Returns when the lease outlasts `budget`, the longest that the write may take, counted from now.
    ///
    /// # Errors
    /// When no such lease came within the session's own limit: nothing may be written.
    async fn acquire(&self, budget: Duration) -> Result<(), Failure>;
}

/// Everything that ties one attempt to its session.
#[derive(Clone)]
pub struct Hooks {
    /// Where lines go.
    pub log: Arc<dyn StepLog>,
    /// Where checkpoints go.
    pub checkpoints: Arc<dyn CheckpointLog>,
    /// The lease.
    pub permit: Arc<dyn WritePermit>,
    /// Stop before the next AWS call and report.
    pub cancel: CancellationToken,
    /// The delegate is leaving: stop between two AWS calls and hand the task back.
    pub drain: CancellationToken,
}
