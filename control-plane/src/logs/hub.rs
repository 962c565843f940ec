//! Where lines come in and followers read them.

use std::sync::Arc;

use domain::ids::DeploymentId;

use super::{
    entry::{LogAck, LogCursor, LogEntry, TaskLines},
    error::LogError,
    interface::LogStore,
    memory::MemoryLogs,
    newest::Subscription,
};

/// Entries that a follower gets at once, at most.
const PAGE: usize = 1000;

/// The logs of all deployments.
pub struct LogHub {
    store: Arc<dyn LogStore>,
}

impl Default for LogHub {
    /// In memory: for tests.
    fn default() -> Self {
        Self::new(Arc::new(MemoryLogs::new()))
    }
}

impl LogHub {
    /// Over a store.
    pub fn new(store: Arc<dyn LogStore>) -> Self {
        Self { store }
    }

    /// See [`LogStore::append`].
    ///
    /// # Errors
    /// See there.
    pub async fn append(&self, lines: TaskLines) -> Result<LogAck, LogError> {
        self.store.append(lines).await
    }

    /// See [`LogStore::read`].
    ///
    /// # Errors
    /// See there.
    pub async fn read(
        &self,
        deployment: DeploymentId,
        cursor: LogCursor,
        limit: usize,
    ) -> Result<(Vec<LogEntry>, LogCursor), LogError> {
        self.store.read(deployment, cursor, limit).await
    }

    /// Reads a log from behind an entry on (0: from its beginning), and what comes later.
    pub fn follow(&self, deployment: DeploymentId, after: u64) -> LogFollower {
        let subscription = self.store.subscribe(deployment);
        LogFollower { store: self.store.clone(), deployment, subscription, cursor: LogCursor::after(after) }
    }
}

/// Somebody who follows a log. Costs no memory while nobody asks it for more.
pub struct LogFollower {
    store: Arc<dyn LogStore>,
    deployment: DeploymentId,
    subscription: Subscription,
    cursor: LogCursor,
}

impl LogFollower {
    /// What comes next: waits until there is something. Each entry comes once, in order. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// When the log can't be read.
    pub async fn next(&mut self) -> Result<Vec<LogEntry>, LogError> {
        loop {
            // Marked before it is read: what comes in between wakes this up again.
            self.subscription.mark_read();
            let entries = self.ready().await?;
            if !entries.is_empty() {
                return Ok(entries);
            }
            self.subscription.more().await;
        }
    }

    /// What is there now; nothing when everything was read.
    ///
    /// # Errors
    /// When the log can't be read.
    pub async fn ready(&mut self) -> Result<Vec<LogEntry>, LogError> {
        let (entries, cursor) = self.store.read(self.deployment, self.cursor, PAGE).await?;
        self.cursor = cursor;
        Ok(entries)
    }
}
