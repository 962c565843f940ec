//! What the commit thread counts.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// What a store has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Change sets made.
    pub commits: u64,
    /// Change sets refused because a precondition did not hold.
    pub conflicts: u64,
    /// Flushes, each for all change sets that had come until then.
    pub flushes: u64,
    /// How long all of them took together.
    pub flush_total: Duration,
    /// How long the longest took.
    pub flush_longest: Duration,
    /// Change sets that wait in the queue now.
    pub queued: usize,
    /// Change sets that are being written now.
    pub in_hand: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    commits: AtomicU64,
    conflicts: AtomicU64,
    flushes: AtomicU64,
    flush_micros: AtomicU64,
    longest_micros: AtomicU64,
    in_hand: AtomicU64,
}

impl Counters {
    pub(super) fn count(&self, commits: u64, conflicts: u64) {
        self.commits.fetch_add(commits, Ordering::Relaxed);
        self.conflicts.fetch_add(conflicts, Ordering::Relaxed);
    }

    pub(super) fn take_in_hand(&self, changes: u64) {
        self.in_hand.store(changes, Ordering::Relaxed);
    }

    pub(super) fn flushed(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.flushes.fetch_add(1, Ordering::Relaxed);
        self.flush_micros.fetch_add(micros, Ordering::Relaxed);
        self.longest_micros.fetch_max(micros, Ordering::Relaxed);
    }

    pub(super) fn read(&self, queued: usize) -> StoreStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StoreStats {
            commits: read(&self.commits),
            conflicts: read(&self.conflicts),
            flushes: read(&self.flushes),
            flush_total: Duration::from_micros(read(&self.flush_micros)),
            flush_longest: Duration::from_micros(read(&self.longest_micros)),
            queued,
            in_hand: read(&self.in_hand),
        }
    }
}
