//! Logs of steps: taken from delegates exactly once, kept in files, read from any point and followed.
//!
//! ```text
//! delegate --> LogHub::append --> LogStore: number by number, durable, then acknowledged --> tells who follows
//! person   --> LogHub::follow --> subscribe first, then read from the cursor: nothing is missed, nothing comes twice
//! ```
//!
//! Nothing is kept in memory for a reader: a slow one reads from the files later.

mod accept;
#[cfg(test)]
mod contract;
mod entry;
mod error;
mod files;
mod hub;
mod interface;
mod memory;
mod newest;

pub use self::{
    entry::{LogAck, LogCursor, LogEntry, TaskLines},
    error::LogError,
    files::LogFiles,
    hub::{LogFollower, LogHub},
    interface::LogStore,
    memory::MemoryLogs,
    newest::Subscription,
};
