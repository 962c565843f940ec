//! The contract that every store keeps; `contract.rs` is the suite that each of them passes.

use async_trait::async_trait;
use bytes::Bytes;

use super::{change::ChangeSet, error::StoreError, range::KeyRange, table::Table};

/// Whether the store takes work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreHealth {
    /// It does.
    Writable,
    /// It gives what it has and takes nothing.
    ReadOnly {
        /// Why, in a sentence without a full stop.
        reason: String,
    },
}

/// A transactional key-value store.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Makes a change over any tables: all of it or nothing. When this returns well, it is durable. A change whose future is dropped
    /// may or may not be made.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a precondition does not hold, [`StoreError::TooLarge`] beyond the [limits](super::limits),
    /// [`StoreError::Unavailable`] when the store takes nothing.
    async fn commit(&self, change: ChangeSet) -> Result<(), StoreError>;

    /// The value of a key. Never shows what is not durable yet.
    ///
    /// # Errors
    /// When it can't be read.
    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// At most `limit` keys of a range with their values, in the order of the range. All as they were at one moment, and nothing
    /// that is not durable yet. Commits may have to wait while a scan runs: ask for no more than is needed.
    ///
    /// # Errors
    /// When it can't be read.
    async fn scan(&self, table: Table, range: KeyRange, limit: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError>;

    /// Whether it takes work.
    fn health(&self) -> StoreHealth;
}
