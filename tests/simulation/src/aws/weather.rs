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
    /// Nothing happens, and AWS says that it has a fault, which leaves open whether anything happened.
    pub faulty: f64,
    /// It takes seconds.
    pub slow: f64,
    /// A read shows what was some time ago, while that is remembered.
    pub stale: f64,
}

impl Weather {
    /// Nothing goes wrong.
    pub const FAIR: Self = Self { throttled: 0.0, lost_before: 0.0, lost_after: 0.0, faulty: 0.0, slow: 0.0, stale: 0.0 };
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
    Faulty,
}

impl Weather {
    /// What becomes of the next call, how long it takes to its effect, and from there to the answer.
    pub(super) fn fate(&self, rng: &mut impl Rng) -> (Fate, Duration, Duration) {
        let chances = [
            (Fate::Throttled, self.throttled),
            (Fate::LostBefore, self.lost_before),
            (Fate::LostAfter, self.lost_after),
            (Fate::Faulty, self.faulty),
        ];
        let mut drawn = rng.random::<f64>();
        let fate = chances.into_iter().find_map(|(fate, chance)| {
            drawn -= chance;
            (drawn < 0.0).then_some(fate)
        });
        let fate = fate.unwrap_or(Fate::Answered);
        // What AWS has not done within the caller's time limit it does not do any more: see ARCHITECTURE.md on leases.
        let most = if rng.random_bool(self.slow) { 3_900 } else { 60 };
        let there = Duration::from_millis(rng.random_range(5..=most));
        let back = Duration::from_millis(rng.random_range(5..=60));
        (fate, there, back)
    }
}
