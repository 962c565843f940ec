//! Clocks: time comes in as an argument where logic depends on it, and from here at the edges.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Two readings of time.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970-01-01 UTC: for records and for people. May jump.
    fn now_ms(&self) -> i64;
    /// Time since some moment in the past that does not change: for limits and leases. Never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands until it is moved, for tests and simulation.
#[derive(Debug, Clone, Default)]
pub struct ManualClock {
    start_ms: i64,
    elapsed_ms: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that shows `now_ms` milliseconds since 1970-01-01 UTC.
    pub fn new(now_ms: i64) -> Self {
        Self { start_ms: now_ms, elapsed_ms: Arc::default() }
    }

    /// Moves it forward. Copies of the clock move along.
    pub fn advance(&self, by: Duration) {
        self.elapsed_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.start_ms + self.elapsed_ms.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms.load(Ordering::SeqCst).unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told_and_with_its_copies() {
        let clock = ManualClock::new(1_000);
        let copy = clock.clone();
        clock.advance(Duration::from_millis(250));
        assert_eq!((copy.now_ms(), copy.monotonic()), (1_250, Duration::from_millis(250)));
    }
}
