//! A promise: for how long this attempt may write without a lease. Only for putting production back after a swap, and only after
//! the control plane has made it durable; see the control plane's `dispatch/promises.rs` for what it makes of it.

use std::time::Duration;

use crate::lease::{Reading, SAFETY};

/// Until when writes need no lease. Counted, as a lease is, on both clocks, from before it was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promise {
    pub(super) asked: Reading,
    pub(super) length: Duration,
}

impl Promise {
    /// Whether a write that takes `budget` at most may start now.
    pub(super) fn allows(&self, budget: Duration, now: Reading) -> bool {
        self.length.saturating_sub(self.asked.age(now)) > budget + SAFETY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_a_write_and_a_moment_before_its_end_by_whichever_clock_is_ahead() {
        let at = |monotonic, wall_ms| Reading { monotonic: Duration::from_secs(monotonic), wall_ms };
        let promise = Promise { asked: at(100, 0), length: Duration::from_secs(60) };
        let budget = Duration::from_secs(4);
        assert!(promise.allows(budget, at(155, 55_000)));
        assert!(!promise.allows(budget, at(156, 56_000)));
        assert!(!promise.allows(budget, at(101, 56_000)), "the machine slept");
        assert!(promise.allows(budget, at(101, -9_000_000)), "a clock set back prolongs nothing, and ends nothing");
    }
}
