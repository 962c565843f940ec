//! What the control plane remembers: a small transactional key-value contract, its implementations, and how values are marked
//! with their format. Logs have a [store of their own](crate::logs).

mod change;
#[cfg(test)]
mod contract;
mod error;
mod folder_lock;
pub mod format;
mod interface;
pub mod limits;
mod memory;
mod range;
mod sled;
mod table;

pub(crate) use self::folder_lock::FolderLock;
pub use self::{
    change::{ChangeSet, Expect, Write},
    error::StoreError,
    interface::{Store, StoreHealth},
    memory::MemoryStore,
    range::KeyRange,
    sled::{SledOptions, SledStore, StoreStats},
    table::Table,
};
