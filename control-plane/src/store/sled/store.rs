//! The store's outside: hands change sets to the commit thread, and reads.

use std::{path::Path, sync::Arc, thread};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::{
    committer::{Committer, QUEUE, Request},
    open::{SledOptions, open},
    shared::Shared,
    stats::StoreStats,
};
use crate::store::{
    change::ChangeSet,
    error::StoreError,
    interface::{Store, StoreHealth},
    range::KeyRange,
    table::Table,
};

/// A store in a folder of this machine, for one process.
///
/// Dropping it waits until what was taken is durable and the folder is free for the next one.
pub struct SledStore {
    shared: Arc<Shared>,
    queue: Option<mpsc::Sender<Request>>,
    committer: Option<thread::JoinHandle<()>>,
}

impl SledStore {
    /// Opens the store in `folder`, which is created if need be. Blocks: milliseconds, or longer after a crash of a large store.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when another process has it open, the disk is nearly full, or an I/O error;
    /// [`StoreError::Corrupt`] when it is damaged or of a later release.
    pub fn open(folder: &Path, options: &SledOptions) -> Result<Self, StoreError> {
        let (shared, syncer) = open(folder, options)?;
        let shared = Arc::new(shared);
        let (sender, queue) = mpsc::channel(QUEUE);
        let committer = Committer { shared: shared.clone(), syncer, queue, hook: options.hook.clone() };
        let thread = thread::Builder::new().name("store commits".into()).spawn(move || committer.run());
        let thread = thread.map_err(|error| StoreError::unavailable(format!("no thread for commits: {error}")))?;
        Ok(Self { shared, queue: Some(sender), committer: Some(thread) })
    }

    /// What it has done so far.
    pub fn stats(&self) -> StoreStats {
        let queued = self.queue.as_ref().map_or(0, |queue| queue.max_capacity() - queue.capacity());
        self.shared.counters.read(queued)
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(committer) = self.committer.take() {
            // A panic in it was logged by the panic hook; there is nobody here to tell.
            let _ = committer.join();
        }
    }
}

#[async_trait]
impl Store for SledStore {
    async fn commit(&self, change: ChangeSet) -> Result<(), StoreError> {
        change.check()?;
        self.shared.check()?;
        let closed = || StoreError::unavailable("the store is closed");
        let (answer, answered) = oneshot::channel();
        self.queue.as_ref().ok_or_else(closed)?.send(Request { change, answer }).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.shared.get(table, key)
    }

    async fn scan(&self, table: Table, range: KeyRange, limit: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        // May read a good part of the store: not on a thread that others wait for.
        let shared = self.shared.clone();
        let scanned = tokio::task::spawn_blocking(move || shared.scan(table, &range, limit)).await;
        scanned.map_err(|_| StoreError::unavailable("a read failed in a way that was not expected"))?
    }

    fn health(&self) -> StoreHealth {
        self.shared.health()
    }
}
