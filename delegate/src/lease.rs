//! The delegate's view of its lease: how long it may still change anything in AWS.
//!
//! The lease is counted from when the heartbeat that was acknowledged was *sent*, so here it always ends before the control plane
//! believes that it ends. It is counted on two clocks, and what is left is the smaller of the two: the monotonic one, which nobody
//! can set, stands still while the machine is suspended; the wall clock, which moves on meanwhile, shows the pause. A wall clock
//! that is set forward costs one heartbeat, never safety.
//!
//! ```text
//! heartbeat sent ----- acknowledged ------------------ end here ... end at the control plane ... hand-over
//!        |<------------------- lease ---------------------->|
//!                                   a write may start up to |<- safety + the write's own limit before the end
//! ```

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use domain::failure::{Failure, FailureKind};
use runtime::clock::Clock;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::executor::WritePermit;

/// What a lease has to outlast beyond a write's own limit: the way of the request to AWS, and this process being scheduled late.
pub const SAFETY: Duration = Duration::from_millis(500);

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The clock that never goes back, and stands still while the machine is suspended.
    pub monotonic: Duration,
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
}

impl Reading {
    /// Both clocks now.
    pub fn of(clock: &dyn Clock) -> Self {
        Self { monotonic: clock.monotonic(), wall_ms: clock.now_ms() }
    }

    /// How long ago this was, by whichever clock says longer.
    pub fn age(&self, now: Self) -> Duration {
        let wall = u64::try_from(now.wall_ms.saturating_sub(self.wall_ms)).unwrap_or(0);
        now.monotonic.saturating_sub(self.monotonic).max(Duration::from_millis(wall))
    }
}

/// Whether a write may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The lease outlasts it.
    Go,
    /// Not now: it has to be renewed first.
    Wait,
    /// Never: even a lease that was renewed just now would be too short.
    TooShort(Duration),
}

/// The lease itself: pure, time comes in.
#[derive(Debug, Default)]
pub struct Lease {
    renewed: Option<Renewed>,
}

#[derive(Debug, Clone, Copy)]
struct Renewed {
    sent: Reading,
    length: Duration,
}

impl Lease {
    /// A heartbeat that was sent at `sent` was acknowledged: it is good for `length`. One older than what is known changes nothing.
    pub fn renew(&mut self, sent: Reading, length: Duration) {
        if self.renewed.is_none_or(|known| sent.monotonic >= known.sent.monotonic) {
            self.renewed = Some(Renewed { sent, length });
        }
    }

    /// It is given back: nothing may be written any more.
    pub fn give_up(&mut self) {
        self.renewed = None;
    }

    /// How much is left.
    pub fn remaining(&self, now: Reading) -> Duration {
        self.renewed.map_or(Duration::ZERO, |renewed| renewed.length.saturating_sub(renewed.sent.age(now)))
    }

    /// Whether a write that takes `budget` at most may start now.
    pub fn allows(&self, budget: Duration, now: Reading) -> Verdict {
        let needed = budget + SAFETY;
        match self.renewed {
            Some(renewed) if renewed.length <= needed => Verdict::TooShort(renewed.length),
            Some(_) if self.remaining(now) > needed => Verdict::Go,
            _ => Verdict::Wait,
        }
    }
}

/// The lease as the session renews it and the steps ask it.
pub struct SharedLease {
    lease: Mutex<Lease>,
    clock: Arc<dyn Clock>,
    // No watch channel: it wakes steps in a random order, and a run of the simulation is to go the same way again.
    renewed: Notify,
    wanted: Notify,
}

impl SharedLease {
    /// No lease yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { lease: Mutex::default(), clock, renewed: Notify::new(), wanted: Notify::new() }
    }

    /// See [`Lease::renew`].
    pub fn renew(&self, sent: Reading, length: Duration) {
        self.lock().renew(sent, length);
        self.renewed.notify_waiters();
    }

    /// See [`Lease::give_up`].
    pub fn give_up(&self) {
        self.lock().give_up();
    }

    /// How much is left now.
    pub fn remaining(&self) -> Duration {
        let now = Reading::of(self.clock.as_ref());
        self.lock().remaining(now)
    }

    /// Resolves when a write waits for a fresher lease: the next heartbeat is to go out at once.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    fn allows(&self, budget: Duration) -> Verdict {
        let now = Reading::of(self.clock.as_ref());
        self.lock().allows(budget, now)
    }

    fn lock(&self) -> MutexGuard<'_, Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One attempt's permit to write.
pub struct Permit {
    /// The lease.
    pub lease: Arc<SharedLease>,
    /// When waiting for a lease is over.
    pub deadline: Instant,
    /// The attempt is to stop: waiting is over too.
    pub cancel: CancellationToken,
    /// The delegate is leaving: waiting is over too.
    pub drain: CancellationToken,
}

#[async_trait]
impl WritePermit for Permit {
    async fn acquire(&self, budget: Duration) -> Result<(), Failure> {
        let mut asked = false;
        loop {
            let mut renewed = pin!(self.lease.renewed.notified());
            // Before the look: a renewal after it is not missed.
            renewed.as_mut().enable();
            match self.lease.allows(budget) {
                Verdict::Go => return Ok(()),
                Verdict::TooShort(length) => return Err(too_short(length, budget)),
                Verdict::Wait if !asked => {
                    asked = true;
                    self.lease.wanted.notify_one();
                }
                Verdict::Wait => {}
            }
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(lost("The step was told to stop while it waited for a lease")),
                () = self.drain.cancelled() => return Err(lost("The delegate left while the step waited for a lease")),
                () = renewed => {}
                () = tokio::time::sleep_until(self.deadline) => {
                    return Err(lost("Lost the control plane: no lease came in the time that the step may take"));
                }
            }
        }
    }
}

fn lost(what: &str) -> Failure {
    let failure = Failure::refused(FailureKind::Connectivity, format!("{what}. Without one, nothing is changed in AWS."));
    Failure { transient: true, ..failure }
        .hint("Look at the delegate's own log for why its session with the control plane is down.")
}

fn too_short(length: Duration, budget: Duration) -> Failure {
    let needed = budget + SAFETY;
    Failure::refused(
        FailureKind::Policy,
        format!("The control plane's lease of {length:?} is too short: one change in AWS needs more than {needed:?}."),
    )
    .hint("Start the control plane with a longer --lease.")
}

#[cfg(test)]
mod tests {
    use runtime::clock::ManualClock;

    use super::*;

    const S: Duration = Duration::from_secs(1);
    const BUDGET: Duration = Duration::from_secs(4);

    fn at(seconds: u32) -> Reading {
        Reading { monotonic: S * seconds, wall_ms: 1_000_000 + i64::from(seconds) * 1_000 }
    }

    #[test]
    fn it_counts_from_the_sending_and_only_the_newest_counts() {
        let mut lease = Lease::default();
        assert_eq!((lease.remaining(at(0)), lease.allows(BUDGET, at(0))), (Duration::ZERO, Verdict::Wait));
        lease.renew(at(4), 10 * S);
        lease.renew(at(2), 10 * S);
        assert_eq!(lease.remaining(at(5)), 9 * S);
        assert_eq!(lease.allows(BUDGET, at(9)), Verdict::Go);
        assert_eq!(lease.allows(BUDGET, at(10)), Verdict::Wait);
        assert_eq!(lease.remaining(at(99)), Duration::ZERO);
        lease.give_up();
        assert_eq!(lease.remaining(at(5)), Duration::ZERO);
    }

    #[test]
    fn a_pause_that_only_the_wall_clock_saw_ends_it_and_a_clock_set_back_does_not_prolong_it() {
        let mut lease = Lease::default();
        lease.renew(at(0), 10 * S);
        let suspended = Reading { monotonic: S, ..at(60) };
        assert_eq!(lease.remaining(suspended), Duration::ZERO);
        let set_back = Reading { monotonic: 8 * S, wall_ms: 0 };
        assert_eq!(lease.remaining(set_back), 2 * S);
    }

    #[test]
    fn a_lease_that_no_write_fits_into_is_said_to_be_too_short() {
        let mut lease = Lease::default();
        lease.renew(at(0), 4 * S);
        assert_eq!(lease.allows(BUDGET, at(0)), Verdict::TooShort(4 * S));
    }

    fn permit(lease: &Arc<SharedLease>, patience: Duration) -> Permit {
        Permit {
            lease: lease.clone(),
            deadline: Instant::now() + patience,
            cancel: CancellationToken::new(),
            drain: CancellationToken::new(),
        }
    }

    #[tokio::test]
    async fn a_write_waits_for_a_fresh_lease_and_asks_for_it() {
        let clock = ManualClock::new(0);
        let lease = Arc::new(SharedLease::new(Arc::new(clock.clone())));
        lease.renew(Reading::of(&clock), 10 * S);
        clock.advance(6 * S);
        let permit = permit(&lease, 60 * S);
        let (permitted, ()) = tokio::join!(permit.acquire(BUDGET), async {
            lease.wanted().await;
            lease.renew(Reading::of(&clock), 10 * S);
        });
        assert_eq!(permitted, Ok(()));
        assert_eq!(lease.remaining(), 10 * S);
    }

    #[tokio::test]
    async fn without_a_lease_there_is_no_permit() {
        let clock = ManualClock::new(0);
        let lease = Arc::new(SharedLease::new(Arc::new(clock.clone())));
        let failure = permit(&lease, S / 50).acquire(BUDGET).await.expect_err("no lease");
        assert!(failure.message.contains("no lease") && failure.transient, "{failure:?}");
        let waiting = permit(&lease, 60 * S);
        waiting.cancel.cancel();
        assert!(waiting.acquire(BUDGET).await.is_err());
        let waiting = permit(&lease, 60 * S);
        waiting.drain.cancel();
        assert!(waiting.acquire(BUDGET).await.is_err());
    }
}
