//! How fast a delegate may ship log lines. What is faster is acknowledged later, and the delegate, which keeps its lines until then,
//! sends no faster than that: nothing is lost here, and nobody else waits.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::ids::DelegateId;

/// Lines a second for as long as one likes: a hundred scripts that each write as fast as a person could never read.
const PER_SECOND: u64 = 50_000;
/// For how long a delegate that was quiet may be faster: 100,000 lines at once.
const AHEAD: Duration = Duration::from_secs(2);
/// Bytes of a line that cost as much as one line.
const LINE: usize = 256;
/// What a chunk costs beside its lines: it is written and flushed for itself.
const CHUNK: u64 = 10;

/// What each delegate has shipped.
#[derive(Default)]
pub(super) struct Quotas {
    /// When all that it has shipped would be there at the sustained rate.
    due: Mutex<HashMap<DelegateId, Duration>>,
}

impl Quotas {
    /// A delegate has shipped a chunk of lines of so many bytes. Says how long its acknowledgement is to wait.
    pub(super) fn take(&self, delegate: DelegateId, lines: impl Iterator<Item = usize>, now: Duration) -> Duration {
        let price = lines.fold(CHUNK, |price, bytes| price.saturating_add(1 + u64::try_from(bytes / LINE).unwrap_or(u64::MAX)));
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let due = due.entry(delegate).or_default();
        *due = (*due).max(now) + Duration::from_secs(price) / u32::try_from(PER_SECOND).unwrap_or(u32::MAX);
        due.saturating_sub(now + AHEAD)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Duration = Duration::from_secs(5);

    fn delegate(number: u128) -> DelegateId {
        DelegateId::new(Uuid::from_u128(number))
    }

    /// Chunks of 490 short lines (500 with what a chunk costs, so 10 ms) until one waits.
    fn burst(quotas: &Quotas, now: Duration) -> usize {
        (0..).take_while(|_| quotas.take(delegate(1), [10; 490].into_iter(), now).is_zero()).count()
    }

    #[test]
    fn a_burst_is_free_what_is_beyond_waits_and_rest_gives_it_back() {
        let quotas = Quotas::default();
        assert_eq!(burst(&quotas, NOW), 200);
        assert_eq!(quotas.take(delegate(1), [10; 490].into_iter(), NOW), Duration::from_millis(20));
        assert_eq!(quotas.take(delegate(2), [10; 490].into_iter(), NOW), Duration::ZERO, "everybody has his own");
        assert_eq!(burst(&quotas, NOW + Duration::from_secs(1)), 98);
        assert_eq!(burst(&quotas, NOW + Duration::from_secs(60)), 200);
    }

    #[test]
    fn long_lines_cost_more() {
        let quotas = Quotas::default();
        let chunks = (0..).take_while(|_| quotas.take(delegate(1), [16 * 1024].into_iter(), NOW).is_zero()).count();
        assert_eq!(chunks, 100_000 / 75);
    }
}
