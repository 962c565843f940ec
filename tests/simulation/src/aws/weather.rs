//! How AWS behaves now.

use std::time::Duration;

use rand::Rng;

/// Chances of a call, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weather {
    /// Nothing happens, and AWS says that it is throttling.
    pub throttled: f64,
    /// Nothing happens, and no answer comes.
    pub lost_before: f64,
    /// It happens, and no answer comes.
    pub lost_after: f64,
    /// It takes seconds.
    pub slow: f64,
    /// A read shows what was some time ago, while that is remembered.
    pub stale: f64,
}

impl Weather {
    /// Nothing goes wrong.
    pub const FAIR: Self = Self { throttled: 0.0, lost_before: 0.0, lost_after: 0.0, slow: 0.0, stale: 0.0 };
    /// Much does: writes are tried again and again, up to the last moment.
    pub const STORM: Self = Self { throttled: 0.5, slow: 0.9, ..Self::FAIR };
}

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    Throttled,
    LostBefore,
    LostAfter,
}

impl Weather {
    /// What becomes of the next call, how long it takes to its effect, and from there to the answer.
    pub(super) fn fate(&self, rng: &mut impl Rng) -> (Fate, Duration, Duration) {
        let fate = match rng.random::<f64>() {
            drawn if drawn < self.throttled => Fate::Throttled,
            drawn if drawn < self.throttled + self.lost_before => Fate::LostBefore,
            drawn if drawn < self.throttled + self.lost_before + self.lost_after => Fate::LostAfter,
            _ => Fate::Answered,
        };
        // What AWS has not done within the caller's time limit it does not do any more: see ARCHITECTURE.md on leases.
        let most = if rng.random_bool(self.slow) { 3_900 } else { 60 };
        let there = Duration::from_millis(rng.random_range(5..=most));
        let back = Duration::from_millis(rng.random_range(5..=60));
        (fate, there, back)
    }
}
