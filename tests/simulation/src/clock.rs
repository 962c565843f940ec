//! A host's clock on the runtime's simulated time: its monotonic part drifts, its time of day is off by something and may be set.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use runtime::clock::Clock;
use tokio::time::Instant;

/// 2026-01-01, milliseconds since 1970-01-01 UTC: when every simulated world begins.
pub const BEGINNING_MS: i64 = 1_767_225_600_000;

/// One host's clock.
pub struct HostClock {
    began: Instant,
    drift_ppm: i64,
    off_ms: AtomicI64,
    /// The monotonic clock is made of the time of day: a mistake that the simulation has to find.
    trusts_wall: bool,
}

impl HostClock {
    /// A clock that is fast by `drift_ppm` millionths, and whose time of day is `off_ms` milliseconds ahead.
    pub fn new(drift_ppm: i64, off_ms: i64, trusts_wall: bool) -> Self {
        Self { began: Instant::now(), drift_ppm, off_ms: AtomicI64::new(off_ms), trusts_wall }
    }

    /// Its time of day is set forward or back.
    pub fn jump(&self, by_ms: i64) {
        self.off_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    fn passed_us(&self) -> i64 {
        let passed = i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX / 2);
        passed + passed / 1_000 * self.drift_ppm / 1_000
    }
}

impl Clock for HostClock {
    fn now_ms(&self) -> i64 {
        BEGINNING_MS + self.passed_us() / 1_000 + self.off_ms.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        match self.trusts_wall {
            true => Duration::from_millis(u64::try_from(self.now_ms()).unwrap_or(0)),
            false => Duration::from_micros(u64::try_from(self.passed_us()).unwrap_or(0)),
        }
    }
}
