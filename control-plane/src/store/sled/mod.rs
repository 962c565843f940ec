//! The default store: sled, used so that its known traps do not bite.
//!
//! ```text
//! commit --> bounded queue --> the commit thread, the only one that writes:
//!                                take all that wait -> one transaction each -> flush() -> fdatasync -> answer all
//! get, scan --> the trees, with the keys of the group under way as they were before it
//! ```
//!
//! - `flush()` makes sled write, but not the disk: the file is synced by us, and so is whatever sled puts beside it.
//! - `flush_async()` hangs for ever when eight call at once: it is never called (clippy.toml).
//! - A snapshot that was being written when the process died keeps sled from opening: such files are removed first, under a lock
//!   of our own.
//! - A write that failed leaves memory and disk apart: the store is read-only from then on, until it is opened again.

mod committer;
mod disk;
mod open;
mod shared;
mod stats;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use self::{open::SledOptions, stats::StoreStats, store::SledStore};
