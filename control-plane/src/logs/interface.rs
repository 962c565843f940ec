//! The contract of a store of logs; `contract.rs` is the suite that each passes.

use async_trait::async_trait;
use domain::ids::DeploymentId;

use super::{
    entry::{LogAck, LogCursor, LogEntry, TaskLines},
    error::LogError,
    newest::Subscription,
};

/// Keeps the logs of all deployments.
#[async_trait]
pub trait LogStore: Send + Sync + 'static {
    /// Takes the lines that are new: those below the number that is expected next were taken before. When this returns well, every
    /// line before [`LogAck::next`] is durable and can be read. Sending again is harmless.
    ///
    /// # Errors
    /// [`LogError::Malformed`] when the lines have holes between them or are too long, [`LogError::Unavailable`] when they can't be
    /// kept.
    async fn append(&self, lines: TaskLines) -> Result<LogAck, LogError>;

    /// At most `limit` entries behind the cursor, in order, and the cursor behind them. Fewer, but not none, when they are large.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when they can't be read, [`LogError::Corrupt`] when they are not what was written.
    async fn read(
        &self,
        deployment: DeploymentId,
        cursor: LogCursor,
        limit: usize,
    ) -> Result<(Vec<LogEntry>, LogCursor), LogError>;

    /// Is told from now on when the deployment's log has more to read.
    fn subscribe(&self, deployment: DeploymentId) -> Subscription;
}
