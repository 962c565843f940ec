//! How often AWS is asked while a step waits.
//!
//! The largest waste a deployer adds is the time between an event and the poll that sees it. A wait is asked about often while it
//! may end at any moment, and rarely before: the shortest time that this kind of wait ever took here is remembered, and until
//! then one poll in [`Polling::max`] is enough. With nothing remembered it is asked about often for a minute, then ever more
//! rarely while nothing moves.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Of the shortest time seen, the part after which the end may come.
const MAY_END_AFTER: f64 = 0.8;
/// Polls at the shortest interval without any change before it grows.
const PATIENCE: u32 = 60;

/// The bounds of the interval, and with them the speed of AWS's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polling {
    /// The shortest interval.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
}

impl Default for Polling {
    fn default() -> Self {
        Self { min: Duration::from_millis(1_000), max: Duration::from_millis(5_000) }
    }
}

impl Polling {
    /// A time of AWS's (a health check's interval, say) as this delegate waits for it: a simulated AWS whose clock runs faster
    /// is polled faster by the same factor. Never longer than it is.
    pub fn aws_time(&self, duration: Duration) -> Duration {
        let factor = self.min.as_secs_f64() / Self::default().min.as_secs_f64();
        if factor < 1.0 { duration.mul_f64(factor) } else { duration }
    }

    /// The next interval, `elapsed` after the wait began and `quiet` after anything last changed, when the shortest such wait so
    /// far took `shortest`.
    pub fn interval(&self, elapsed: Duration, quiet: Duration, shortest: Option<Duration>) -> Duration {
        let (min, max) = (self.min.min(self.max), self.max);
        if let Some(may_end) = shortest.map(|shortest| shortest.mul_f64(MAY_END_AFTER))
            && elapsed < may_end
        {
            return (may_end - elapsed).clamp(min, max);
        }
        let patience = min * PATIENCE;
        if quiet <= patience { min } else { (min + (quiet - patience) / PATIENCE).min(max) }
    }
}

/// The shortest time that each kind of wait took in this process.
#[derive(Debug, Default)]
pub struct WaitMemory {
    shortest: Mutex<HashMap<String, Duration>>,
}

/// Kinds of waits that are remembered: more than a delegate ever sees, so that names from outside can't fill the memory.
const MOST_KINDS: usize = 10_000;

impl WaitMemory {
    /// The shortest time a wait of this kind took, if one ended.
    pub fn shortest(&self, kind: &str) -> Option<Duration> {
        self.shortest.lock().unwrap_or_else(PoisonError::into_inner).get(kind).copied()
    }

    /// A wait of this kind took so long.
    pub fn ended(&self, kind: &str, took: Duration) {
        let mut shortest = self.shortest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shortest.get_mut(kind) {
            *known = took.min(*known);
        } else if shortest.len() < MOST_KINDS {
            shortest.insert(kind.to_owned(), took);
        }
    }
}

/// The pace of one wait.
#[derive(Debug)]
pub struct Pace {
    polling: Polling,
    shortest: Option<Duration>,
    last_change: Duration,
}

impl Pace {
    /// The pace of a wait that begins now.
    pub fn new(polling: Polling, shortest: Option<Duration>) -> Self {
        Self { polling, shortest, last_change: Duration::ZERO }
    }

    /// How long to pause, `elapsed` after the wait began, when the last answer differed from the one before it or not.
    pub fn next(&mut self, elapsed: Duration, changed: bool) -> Duration {
        if changed {
            self.last_change = elapsed;
        }
        self.polling.interval(elapsed, elapsed.saturating_sub(self.last_change), self.shortest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn rarely_before_the_shortest_time_seen_and_often_after_it() {
        let polling = Polling::default();
        assert_eq!(polling.interval(s(0), s(0), Some(s(40))), s(5));
        assert_eq!(polling.interval(s(30), s(30), Some(s(40))), s(2));
        assert_eq!(polling.interval(s(32), s(32), Some(s(40))), s(1));
        assert_eq!(polling.interval(s(60), s(60), Some(s(40))), s(1));
    }

    #[test]
    fn slower_while_nothing_moves_and_fast_again_after_a_change() {
        let mut pace = Pace::new(Polling::default(), None);
        assert_eq!(pace.next(s(1), false), s(1));
        assert_eq!(pace.next(s(180), false), s(3));
        assert_eq!(pace.next(s(900), false), s(5));
        assert_eq!(pace.next(s(905), true), s(1));
    }

    #[test]
    fn a_fast_aws_is_waited_for_faster_and_a_lazy_poller_does_not_slow_it() {
        let fast = Polling { min: Duration::from_millis(50), max: Duration::from_millis(250) };
        assert_eq!(fast.aws_time(s(30)), Duration::from_millis(1_500));
        let lazy = Polling { min: s(10), max: s(20) };
        assert_eq!(lazy.aws_time(s(30)), s(30));
    }

    #[test]
    fn the_shortest_is_remembered() {
        let memory = WaitMemory::default();
        assert_eq!(memory.shortest("running"), None);
        memory.ended("running", s(40));
        memory.ended("running", s(30));
        memory.ended("running", s(50));
        assert_eq!(memory.shortest("running"), Some(s(30)));
    }
}
