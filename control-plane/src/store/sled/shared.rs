//! What the commit thread and the readers share.

use std::sync::{OnceLock, RwLock};

use ::sled::{Db, Tree};

use super::{stats::Counters, view::Before};
use crate::store::{error::StoreError, folder_lock::FolderLock, interface::StoreHealth, table::Table};

pub(super) struct Shared {
    /// One for each table, in the order of [`Table::ALL`].
    pub(super) trees: Vec<Tree>,
    /// The keys of the group under way as they were before it. Whoever reads holds it; whoever applies holds it alone.
    pub(super) before: RwLock<Before>,
    pub(super) counters: Counters,
    broken: OnceLock<String>,
    /// In this order: the lock is let go when sled has closed.
    pub(super) db: Db,
    _lock: FolderLock,
}

impl Shared {
    pub(super) fn new(db: Db, trees: Vec<Tree>, lock: FolderLock) -> Self {
        Self { trees, before: RwLock::default(), counters: Counters::default(), broken: OnceLock::new(), db, _lock: lock }
    }

    pub(super) fn tree(&self, table: Table) -> &Tree {
        &self.trees[table.position()]
    }

    /// From now on nothing is taken. The first reason stays.
    pub(super) fn fail(&self, reason: String) {
        tracing::error!(reason, "the store is read-only from now on");
        let _ = self.broken.set(reason);
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.broken.get().map_or(Ok(()), |reason| Err(StoreError::unavailable(reason)))
    }

    pub(super) fn health(&self) -> StoreHealth {
        match self.broken.get() {
            None => StoreHealth::Writable,
            Some(reason) => StoreHealth::ReadOnly { reason: reason.clone() },
        }
    }
}

/// sled's error in our words.
pub(super) fn error(error: ::sled::Error) -> StoreError {
    match error {
        ::sled::Error::Io(error) => StoreError::unavailable(error),
        ::sled::Error::Corruption { .. } => StoreError::corrupt("the store's file is damaged"),
        other => StoreError::unavailable(other),
    }
}
