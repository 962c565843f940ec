//! Who fell silent: the delegates, or the control plane itself?
//!
//! One delegate that is not heard of any more has died, or was cut off. When most of them fall silent within one lease, it is far more
//! likely that the control plane is the one that was cut off, and that they are alive. Then their tasks are not thrown from one to the
//! next: hand-over waits for two leases, once for each silence, so that they can come back to their own tasks. That only ever makes a
//! hand-over later, never earlier.

use std::time::Duration;

use super::lease::LeaseTerms;

/// So many delegates are needed for "most of them" to mean something.
const ENOUGH: usize = 4;
/// For how many leases nothing is handed on.
const PAUSE: u32 = 2;

/// Suspects the observer.
#[derive(Debug, Default)]
pub(super) struct Observer {
    paused_until: Duration,
}

impl Observer {
    /// Until when nothing is handed on, if that is so. To be asked when something is about to be handed on. `silences` are how long ago
    /// each process was last heard of that did not say goodbye.
    pub(super) fn paused(
        &mut self,
        silences: impl Iterator<Item = Duration>,
        terms: LeaseTerms,
        now: Duration,
    ) -> Option<Duration> {
        if now < self.paused_until {
            return Some(self.paused_until);
        }
        // Who is silent for longer belongs to a silence that was waited for already: a pause is longer than what is left of this.
        let mut known = 0_usize;
        let mut silent = 0_usize;
        for silence in silences.filter(|silence| *silence < terms.lease * PAUSE) {
            known += 1;
            silent += usize::from(silence > terms.lease / 2);
        }
        if known < ENOUGH || silent * 2 <= known {
            return None;
        }
        let pause = terms.lease * PAUSE;
        self.paused_until = now + pause;
        tracing::error!(
            "{silent} of {known} delegates fell silent at once: this control plane may be cut off; no task is handed on for {} s",
            pause.as_secs_f32()
        );
        Some(self.paused_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn paused(observer: &mut Observer, silences: &[u32], now: u32) -> Option<Duration> {
        observer.paused(silences.iter().map(|seconds| S * *seconds), LeaseTerms::default(), S * now)
    }

    #[test]
    fn most_of_enough_delegates_are_waited_for_and_fewer_are_not() {
        let fewer: [&[u32]; 4] = [&[11, 11, 11], &[11, 11, 1, 1], &[11, 1, 1, 1, 1], &[11, 11, 11, 30, 30, 30]];
        for few in fewer {
            assert_eq!(paused(&mut Observer::default(), few, 100), None, "{few:?}");
        }
        // Whoever missed two heartbeats is silent, whether or not its own lease has ended.
        assert_eq!(paused(&mut Observer::default(), &[11, 9, 8, 1], 100), Some(120 * S));
    }

    #[test]
    fn a_silence_is_waited_for_once_and_the_next_one_again() {
        let mut observer = Observer::default();
        assert_eq!(paused(&mut observer, &[11, 9, 8, 9], 100), Some(120 * S));
        assert_eq!(paused(&mut observer, &[30, 28, 27, 28], 119), Some(120 * S));
        assert_eq!(paused(&mut observer, &[31, 29, 28, 29], 120), None);
        assert_eq!(paused(&mut observer, &[31, 29, 28, 29, 11, 11, 10, 10], 120), Some(140 * S));
    }
}
