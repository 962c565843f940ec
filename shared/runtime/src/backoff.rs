//! Waits between attempts to reach a peer: growing, bounded and jittered, so that a thousand peers that lost the same server do
//! not come back in the same instant. Data that yields delays; who waits, and with which randomness, is the caller's matter.

use std::time::Duration;

use rand::Rng;

/// A growing wait.
#[derive(Debug, Clone)]
pub struct Backoff {
    base: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits that grow from `base` to `max`, doubling with each failure.
    pub fn new(base: Duration, max: Duration) -> Self {
        Self { base, max, failures: 0 }
    }

    /// For a delegate that lost its control plane: from 100 ms to 5 s.
    pub fn reconnect() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(5))
    }

    /// The wait before the next attempt: between a quarter and the whole of the present step.
    pub fn next_delay(&mut self, rng: &mut impl Rng) -> Duration {
        let step = self.base.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        step.mul_f64(rng.random_range(0.25..=1.0))
    }

    /// Attempts that failed since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// An attempt succeeded: the next wait is short again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn waits_grow_stay_bounded_and_differ() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut backoff = Backoff::reconnect();
        let waits: Vec<_> = (0..100).map(|_| backoff.next_delay(&mut rng)).collect();
        assert!(waits[0] >= Duration::from_millis(25) && waits[0] <= Duration::from_millis(100));
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(5)));
        assert!(waits[50..].iter().all(|wait| *wait >= Duration::from_millis(1_250)));
        assert!(waits[50..].windows(2).any(|pair| pair[0] != pair[1]));
        backoff.reset();
        assert!(backoff.next_delay(&mut rng) <= Duration::from_millis(100));
    }
}
