//! The control plane's disk: the memory store, flushed a while after something was written. What was not flushed is lost when the
//! process is killed (the harsh case: its machine went with it).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use control_plane::store::{ChangeSet, KeyRange, MemoryStore, Store, StoreError, StoreHealth, Table};
use rand::Rng;
use runtime::{chance::Chance, tasks::Tasks};

use crate::planted::Planted;

/// The disk as one process has it open.
pub struct Disk {
    memory: Arc<MemoryStore>,
    chance: Chance,
    /// The world's: a disk flushes whether or not the process still runs.
    tasks: Tasks,
    planted: Planted,
}

impl Disk {
    /// The disk with this content.
    pub fn new(memory: MemoryStore, chance: Chance, tasks: Tasks, planted: Planted) -> Self {
        memory.hold_flushes();
        Self { memory: Arc::new(memory), chance, tasks, planted }
    }

    /// The power goes; gives what is found when it is back.
    pub fn cut_power(&self) -> MemoryStore {
        self.memory.cut_power()
    }
}

#[async_trait]
impl Store for Disk {
    async fn commit(&self, change: ChangeSet) -> Result<(), StoreError> {
        let slow = if self.planted == Planted::ReportBeforeFlush { 1_500 } else { 15 };
        let delay = Duration::from_millis(self.chance.draw().random_range(1..=slow));
        let memory = self.memory.clone();
        self.tasks.spawn("flush", async move {
            tokio::time::sleep(delay).await;
            memory.release_flushes();
            memory.hold_flushes();
        });
        if self.planted == Planted::ReportBeforeFlush {
            let memory = self.memory.clone();
            // Whoever asked is answered before the disk is.
            self.tasks.spawn("commit", async move { drop(memory.commit(change).await) });
            tokio::task::yield_now().await;
            return Ok(());
        }
        self.memory.commit(change).await
    }

    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.memory.get(table, key).await
    }

    async fn scan(&self, table: Table, range: KeyRange, limit: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.memory.scan(table, range, limit).await
    }

    fn health(&self) -> StoreHealth {
        self.memory.health()
    }
}
