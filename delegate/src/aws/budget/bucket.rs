//! One token bucket whose rate gives way. When AWS throttles all the same (others use the account too), the rate is halved and grows
//! back slowly: everyone who waits here slows down by the same, instead of each by a back-off of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::groups::Limit;

/// The smallest part of its rate that a bucket is cut to.
const SMALLEST: f64 = 1.0 / 16.0;
/// What the part grows by in a second.
const GROWTH: f64 = 0.05;
/// Throttled answers within this time of a cut are of calls that were sent before it: they cut no further.
const ONE_CUT: Duration = Duration::from_secs(1);

/// A bucket. Time comes in.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: Limit,
    /// How much faster than here AWS's clock runs, as far as cuts go.
    speed: f64,
    tokens: f64,
    filled_at: Instant,
    /// The part of the rate that was left by the last cut, and when that was.
    cut: Option<(f64, Instant)>,
}

impl Bucket {
    /// A full one. `speed` multiplies the rate, and how fast a cut is recovered from.
    pub(super) fn full(limit: Limit, speed: f64, now: Instant) -> Self {
        let limit = Limit { rate: limit.rate * speed, ..limit };
        Self { limit, speed, tokens: limit.burst, filled_at: now, cut: None }
    }

    fn part(&self, now: Instant) -> f64 {
        self.cut.map_or(1.0, |(part, at)| (part + GROWTH * self.speed * (now - at).as_secs_f64()).min(1.0))
    }

    /// Calls a second, now.
    pub(super) fn rate(&self, now: Instant) -> f64 {
        self.limit.rate * self.part(now)
    }

    /// What may be used now: a call that is not urgent leaves what is kept.
    pub(super) fn available(&mut self, urgent: bool, now: Instant) -> f64 {
        self.fill(now);
        self.tokens - if urgent { 0.0 } else { self.limit.kept }
    }

    fn fill(&mut self, now: Instant) {
        // The rate grows in a straight line between two looks, so the middle of both is exact but for the moment it ends to grow.
        let rate = self.limit.rate * f64::midpoint(self.part(self.filled_at), self.part(now));
        let since = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + since * rate).min(self.limit.burst);
        self.filled_at = now;
    }

    /// Takes tokens; more than there are is a debt that later calls wait for.
    pub(super) fn take(&mut self, tokens: f64) {
        self.tokens -= tokens;
    }

    /// A token was not used.
    pub(super) fn give_back(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.limit.burst);
    }

    /// AWS throttled a call: there are no tokens, and fewer come. Returns the part of the rate that is left, if that is new.
    pub(super) fn throttled(&mut self, now: Instant) -> Option<f64> {
        self.fill(now);
        if self.cut.is_some_and(|(_, at)| now - at < ONE_CUT.div_f64(self.speed)) {
            return None;
        }
        let part = (self.part(now) / 2.0).max(SMALLEST);
        self.cut = Some((part, now));
        self.tokens = self.tokens.min(0.0);
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(now: Instant) -> Bucket {
        Bucket::full(Limit { burst: 4.0, rate: 2.0, kept: 1.0 }, 1.0, now)
    }

    #[test]
    fn the_burst_then_the_rate_and_never_more_than_the_burst() {
        let start = Instant::now();
        let mut bucket = bucket(start);
        assert_eq!(bucket.available(true, start), 4.0);
        assert_eq!(bucket.available(false, start), 3.0);
        bucket.take(4.0);
        assert_eq!(bucket.available(true, start + Duration::from_secs(1)), 2.0);
        assert_eq!(bucket.available(true, start + Duration::from_secs(100)), 4.0);
    }

    #[test]
    fn a_throttled_answer_halves_the_rate_once_and_it_grows_back() {
        let start = Instant::now();
        let mut bucket = bucket(start);
        assert_eq!(bucket.throttled(start), Some(0.5));
        assert_eq!(bucket.available(true, start), 0.0);
        assert_eq!(bucket.rate(start), 1.0);
        assert_eq!(bucket.throttled(start + Duration::from_millis(200)), None, "of the same bunch");
        assert_eq!(bucket.rate(start + Duration::from_secs(4)), 1.4);
        assert_eq!(bucket.throttled(start + Duration::from_secs(4)), Some(0.35));
        assert_eq!(bucket.rate(start + Duration::from_secs(60)), 2.0);
    }

    #[test]
    fn it_is_never_cut_to_nothing() {
        let start = Instant::now();
        let mut bucket = bucket(start);
        let parts: Vec<_> = (0..20).filter_map(|n| bucket.throttled(start + Duration::from_secs(n))).collect();
        assert!(parts.iter().all(|part| *part >= SMALLEST), "{parts:?}");
    }

    #[test]
    fn a_debt_is_waited_for() {
        let start = Instant::now();
        let mut bucket = bucket(start);
        bucket.take(6.0);
        assert_eq!(bucket.available(true, start + Duration::from_secs(1)), 0.0);
    }
}
