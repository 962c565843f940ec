//! One read within the budget: a turn for every try, and tried again where that may help. The SDK itself tries nothing again: it
//! would not wait for a turn.

use std::{future::Future, time::Duration};

use domain::failure::Failure;
use runtime::{backoff::Backoff, chance::Chance};
use tokio::time::Instant;

use super::{accounts::Budget, groups::Operation};

/// A read is sent up to so many times when AWS can't be reached or has a fault.
const ATTEMPTS: u32 = 4;
/// How long a read is tried again while AWS throttles it: its turns come more rarely meanwhile, so this is a handful of tries.
const THROTTLED_FOR: Duration = Duration::from_secs(90);
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// Reads of one connection.
#[derive(Clone)]
pub(super) struct Reads {
    pub(super) budget: Budget,
    /// How long one read may take, all tries together, the wait for its turn not counted.
    pub(super) limit: Duration,
    /// Where the waits between tries get their jitter from.
    pub(super) chance: Chance,
}

impl Reads {
    /// Sends the call when its turn has come.
    pub(super) async fn send<T, F>(&self, operation: Operation, mut call: impl FnMut() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut backoff = Backoff::new(FIRST_DELAY, LONGEST_DELAY);
        let mut sending = Duration::ZERO;
        let mut throttled_since = None;
        loop {
            self.budget.turn(operation).await;
            let sent = Instant::now();
            let failure = match call().await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            sending += sent.elapsed();
            let again = if self.budget.failed(operation, &failure) {
                throttled_since.get_or_insert(sent).elapsed() < THROTTLED_FOR
            } else {
                failure.transient && backoff.failures() + 1 < ATTEMPTS && sending < self.limit
            };
            if !again {
                return Err(failure);
            }
            let delay = backoff.next_delay(&mut self.chance.draw());
            tokio::time::sleep(delay).await;
        }
    }

    /// The answer had this many items and came in pages of `page`: all but the first page are charged.
    pub(super) fn paged(&self, operation: Operation, items: usize, page: usize) {
        self.budget.charge(operation, items.div_ceil(page).saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use domain::failure::{FailureKind, PeerAnswer};

    use super::*;
    use crate::aws::budget::Budgets;

    fn throttled() -> Failure {
        let answer =
            PeerAnswer { operation: "ecs:X".into(), code: Some("ThrottlingException".into()), message: None, request_id: None };
        Failure {
            transient: true,
            answer: Some(Box::new(answer)),
            ..Failure::refused(FailureKind::Connectivity, "rate exceeded")
        }
    }

    fn broken() -> Failure {
        Failure { transient: true, ..Failure::refused(FailureKind::Connectivity, "no route") }
    }

    async fn tries(of: impl Fn(u32) -> Result<(), Failure>) -> (Result<(), Failure>, u32) {
        let reads =
            Reads { budget: Budgets::published(1.0).of(None, "r"), limit: Duration::from_secs(15), chance: Chance::seeded(1) };
        let sent = Cell::new(0);
        let call = || async {
            sent.set(sent.get() + 1);
            of(sent.get())
        };
        (reads.send(Operation::ReadTasks, call).await, sent.get())
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_help_is_tried_again_and_nothing_else() {
        assert_eq!(tries(|n| if n < 4 { Err(broken()) } else { Ok(()) }).await, (Ok(()), 4));
        assert_eq!(tries(|_| Err(broken())).await, (Err(broken()), 4));
        let refused = Failure::refused(FailureKind::Authorization, "no");
        assert_eq!(tries(|_| Err(refused.clone())).await, (Err(refused.clone()), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn throttled_reads_outlast_a_crowded_account() {
        assert_eq!(tries(|n| if n < 12 { Err(throttled()) } else { Ok(()) }).await, (Ok(()), 12));
        let began = Instant::now();
        let (ended, sent) = tries(|_| Err(throttled())).await;
        assert_eq!(ended, Err(throttled()));
        assert!(began.elapsed() >= THROTTLED_FOR && sent < 60, "{sent}");
    }
}
