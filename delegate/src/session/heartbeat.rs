//! Heartbeats, in a task of their own: however busy a step or the agent is, they go out on time. They carry what the delegate holds
//! and renew its lease. One that stays unanswered for the length of a lease means that nobody is at the other end.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use proto::delegate::{Heartbeat, from_delegate::Message};
use runtime::clock::Clock;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior},
};

use super::{Connect, Uplink};
use crate::{
    agent::Holding,
    lease::{Reading, SharedLease},
};

/// Heartbeats that were sent in this session and not answered yet. The hello counts as number 0.
#[derive(Debug)]
pub struct Beats {
    unanswered: Mutex<VecDeque<(u64, Reading)>>,
}

impl Beats {
    /// The hello is about to be sent.
    pub fn begin(now: Reading) -> Self {
        Self { unanswered: Mutex::new(VecDeque::from([(0, now)])) }
    }

    /// This heartbeat is about to be sent.
    pub fn sent(&self, number: u64, now: Reading) {
        self.lock().push_back((number, now));
    }

    /// This heartbeat was answered: when it was sent, if it was. Those before it need no answer any more.
    pub fn answered(&self, number: u64) -> Option<Reading> {
        let mut unanswered = self.lock();
        let position = unanswered.iter().position(|(sent, _)| *sent == number)?;
        unanswered.drain(..=position).next_back().map(|(_, sent)| sent)
    }

    /// When the oldest unanswered heartbeat was sent.
    pub fn oldest(&self) -> Option<Reading> {
        self.lock().front().map(|(_, sent)| *sent)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(u64, Reading)>> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What heartbeats need.
pub struct Pulse {
    /// The way up.
    pub uplink: Uplink,
    /// Where sendings are noted.
    pub beats: Arc<Beats>,
    /// What the delegate holds.
    pub holding: watch::Receiver<Holding>,
    /// Whoever waits for a lease asks for a heartbeat here.
    pub lease: Arc<SharedLease>,
    /// Knows which certificate is kept.
    pub connector: Arc<dyn Connect>,
    /// The clock that leases go by.
    pub clock: Arc<dyn Clock>,
}

impl Pulse {
    /// Sends heartbeats until it is dropped, or until none was answered for the length of a lease: then it gives the uplink up.
    pub async fn beat(mut self, every: Duration, lease_length: Duration) {
        let mut interval = tokio::time::interval_at(Instant::now() + every, every);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut number = 0;
        let mut draining = self.holding.borrow().draining;
        loop {
            tokio::select! {
                biased;
                // Leaving is said at once, so that no task is sent here in vain. The agent outlives the session.
                Ok(_) = self.holding.wait_for(|holding| holding.draining), if !draining => draining = true,
                () = self.lease.wanted() => {}
                _ = interval.tick() => {}
            }
            let now = Reading::of(self.clock.as_ref());
            if self.beats.oldest().is_some_and(|oldest| oldest.age(now) > lease_length) {
                tracing::warn!("the control plane does not answer heartbeats: connecting anew");
                return self.uplink.give_up();
            }
            number += 1;
            self.beats.sent(number, now);
            let message = {
                let holding = self.holding.borrow();
                let tasks = holding.tasks.iter().map(ToString::to_string).collect();
                Heartbeat { number, tasks, draining: holding.draining, certificate: self.connector.certificate() }
            };
            self.uplink.send(Message::Heartbeat(message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_when_its_heartbeat_was_sent_and_settles_those_before_it() {
        let at = |second: u64| Reading { monotonic: Duration::from_secs(second), wall_ms: 0 };
        let beats = Beats::begin(at(0));
        for number in 1..5 {
            beats.sent(number, at(number));
        }
        assert_eq!(beats.answered(2), Some(at(2)));
        assert_eq!(beats.answered(2), None);
        assert_eq!(beats.answered(1), None);
        assert_eq!(beats.oldest(), Some(at(3)));
        assert_eq!(beats.answered(4), Some(at(4)));
        assert_eq!(beats.oldest(), None);
    }
}
