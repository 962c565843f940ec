//! Leases: how long a delegate's process may be taken to be at work on its tasks, and when they may be handed on.
//!
//! A lease belongs to an instance (one process), never to a delegate: a restarted delegate does not count as the process that died.
//! It is renewed when a heartbeat *arrives*; the delegate counts it from when it *sent* it, so here it always ends later than
//! there. A task is handed on only a margin after that end. A lease that ran out is not renewed by a late heartbeat: the instance
//! has to say hello again, which tells it first which tasks it has lost.
//!
//! Nothing of this is stored: who holds what is the engine's state, and after a restart every lease counts as renewed at start.
//!
//! If the observer itself slept (the process was stopped, the machine paused), every lease seems to have run out at once although
//! the heartbeats lie unread in the sockets. That is noticed by the gap between two looks at the clock, and all leases count as
//! renewed: the safe side, since a lease that is longer here only delays a hand-over. If its network was cut, most delegates fall
//! silent at once: then the [observer](super::observer) is suspected before they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    ids::{DelegateId, InstanceId},
    task::TaskKey,
};

use super::observer::Observer;

/// The durations that leases go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    /// How long a heartbeat is good for.
    pub lease: Duration,
    /// How often a delegate is to send one.
    pub heartbeat: Duration,
    /// How long after a lease's end its tasks are handed on.
    pub margin: Duration,
}

impl Default for LeaseTerms {
    fn default() -> Self {
        Self { lease: Duration::from_secs(10), heartbeat: Duration::from_secs(2), margin: Duration::from_secs(1) }
    }
}

/// What became of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// The lease runs on.
    Renewed,
    /// It had run out before: the instance must say hello again.
    RanOut,
}

/// When the tasks of an instance may be handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOver {
    /// Now: the lease ended, and so did the margin after it.
    LeaseEnded,
    /// Now: the instance said goodbye.
    GivenUp,
    /// Not before this time, and then only if the lease was not renewed.
    NotBefore(Duration),
}

/// All leases. Times are the clock's monotonic ones.
pub struct Leases {
    terms: LeaseTerms,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    // Ordered, as what is sent again in its order is to be the same in every run of the simulation.
    leases: BTreeMap<InstanceId, Lease>,
    looked: Duration,
    observer: Observer,
}

struct Lease {
    delegate: DelegateId,
    ends: Duration,
    /// It said goodbye.
    given_up: bool,
    tasks: BTreeSet<TaskKey>,
}

impl Leases {
    /// No leases yet.
    pub fn new(terms: LeaseTerms, now: Duration) -> Self {
        Self { terms, table: Mutex::new(Table { looked: now, ..Table::default() }) }
    }

    /// What they go by.
    pub fn terms(&self) -> LeaseTerms {
        self.terms
    }

    /// An instance said hello: it has a lease from now on, whatever was before. Whoever calls this must tell the instance which
    /// tasks it has lost before it may use the lease.
    pub fn grant(&self, instance: InstanceId, delegate: DelegateId, now: Duration) {
        let mut table = self.look(now);
        let margin = self.terms.margin;
        table.leases.retain(|_, lease| !lease.tasks.is_empty() || (!lease.given_up && now < lease.ends + margin));
        let lease = table.leases.entry(instance).or_insert_with(|| Lease::new(delegate));
        lease.ends = now + self.terms.lease;
        lease.given_up = false;
    }

    /// A heartbeat arrived.
    pub fn renew(&self, instance: InstanceId, now: Duration) -> Renewal {
        let mut table = self.look(now);
        let terms = self.terms;
        match table.leases.get_mut(&instance) {
            Some(lease) if !lease.given_up && now < lease.ends + terms.margin => {
                lease.ends = now + terms.lease;
                Renewal::Renewed
            }
            _ => Renewal::RanOut,
        }
    }

    /// A clean goodbye: its lease ends at once. Returns the tasks that it still held, which can be handed on.
    pub fn give_up(&self, instance: InstanceId, now: Duration) -> Vec<TaskKey> {
        let mut table = self.look(now);
        let Some(lease) = table.leases.get_mut(&instance) else { return Vec::new() };
        lease.given_up = true;
        lease.tasks.iter().copied().collect()
    }

    /// The instance holds a task (or is about to: before the claim is durable). An instance that is not known yet, as after a
    /// restart of the control plane, gets a lease that counts as renewed now.
    pub fn hold(&self, instance: InstanceId, delegate: DelegateId, task: TaskKey, now: Duration) {
        let mut table = self.look(now);
        let ends = now + self.terms.lease;
        table.leases.entry(instance).or_insert_with(|| Lease { ends, ..Lease::new(delegate) }).tasks.insert(task);
    }

    /// It holds the task no longer.
    pub fn release(&self, instance: InstanceId, task: TaskKey) {
        if let Some(lease) = self.lock().leases.get_mut(&instance) {
            lease.tasks.remove(&task);
        }
    }

    /// When the instance's tasks may be handed on.
    pub fn hand_over(&self, instance: InstanceId, now: Duration) -> HandOver {
        let mut table = self.look(now);
        let Table { leases, observer, .. } = &mut *table;
        let end = match leases.get(&instance) {
            // Whoever holds a task was entered by `hold`. If not, the safe side is a whole lease from now.
            None => return HandOver::NotBefore(now + self.terms.lease + self.terms.margin),
            Some(lease) if lease.given_up => return HandOver::GivenUp,
            Some(lease) => lease.ends + self.terms.margin,
        };
        if now < end {
            return HandOver::NotBefore(end);
        }
        let lost = leases.values().filter(|lease| !lease.given_up);
        let silences = lost.map(|lease| (now + self.terms.lease).saturating_sub(lease.ends));
        observer.paused(silences, self.terms, now).map_or(HandOver::LeaseEnded, HandOver::NotBefore)
    }

    /// Tasks that the instance holds.
    pub fn held(&self, instance: InstanceId) -> Vec<TaskKey> {
        self.lock().leases.get(&instance).map(|lease| lease.tasks.iter().copied().collect()).unwrap_or_default()
    }

    /// Tasks that any instance of the delegate holds.
    pub fn held_by(&self, delegate: DelegateId) -> Vec<TaskKey> {
        let table = self.lock();
        let of_delegate = table.leases.values().filter(|lease| lease.delegate == delegate);
        of_delegate.flat_map(|lease| lease.tasks.iter().copied()).collect()
    }

    /// How many tasks the instance holds.
    pub fn load(&self, instance: InstanceId) -> usize {
        self.lock().leases.get(&instance).map_or(0, |lease| lease.tasks.len())
    }

    /// How much longer the instance's lease runs; zero if it has none.
    pub fn remaining(&self, instance: InstanceId, now: Duration) -> Duration {
        match self.look(now).leases.get(&instance) {
            Some(lease) if !lease.given_up => lease.ends.saturating_sub(now),
            _ => Duration::ZERO,
        }
    }

    /// A look at the clock, to be made several times in a lease even if nothing else happens.
    pub fn pulse(&self, now: Duration) {
        drop(self.look(now));
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, now: Duration) -> MutexGuard<'_, Table> {
        let mut table = self.lock();
        let asleep = now.saturating_sub(table.looked);
        table.looked = table.looked.max(now);
        if asleep > self.terms.lease / 2 && !table.leases.is_empty() {
            tracing::warn!(?asleep, "the control plane itself was held up: every lease counts as renewed");
            for lease in table.leases.values_mut() {
                lease.ends = lease.ends.max(now + self.terms.lease);
            }
        }
        table
    }
}

impl Lease {
    fn new(delegate: DelegateId) -> Self {
        Self { delegate, ends: Duration::ZERO, given_up: false, tasks: BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use domain::{ids::DeploymentId, task::Direction};
    use uuid::Uuid;

    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn instance(number: u128) -> InstanceId {
        InstanceId::new(Uuid::from_u128(number))
    }

    fn delegate() -> DelegateId {
        DelegateId::new(Uuid::from_u128(9))
    }

    fn task() -> TaskKey {
        TaskKey { deployment: DeploymentId::new(Uuid::from_u128(5)), step: 0, direction: Direction::Perform, attempt: 1 }
    }

    fn leases() -> Leases {
        Leases::new(LeaseTerms::default(), Duration::ZERO)
    }

    #[test]
    fn tasks_are_handed_on_a_margin_after_the_last_renewal_and_not_before() {
        let leases = leases();
        leases.grant(instance(1), delegate(), Duration::ZERO);
        leases.hold(instance(1), delegate(), task(), S);
        assert_eq!(leases.renew(instance(1), 4 * S), Renewal::Renewed);
        assert_eq!(leases.hand_over(instance(1), 8 * S), HandOver::NotBefore(15 * S));
        leases.pulse(12 * S);
        assert_eq!(leases.hand_over(instance(1), 14 * S), HandOver::NotBefore(15 * S));
        assert_eq!(leases.hand_over(instance(1), 15 * S), HandOver::LeaseEnded);
    }

    #[test]
    fn a_lease_that_ran_out_needs_a_new_hello() {
        let leases = leases();
        leases.grant(instance(1), delegate(), Duration::ZERO);
        for second in [4, 8] {
            leases.pulse(second * S);
        }
        assert_eq!(leases.hand_over(instance(1), 11 * S), HandOver::LeaseEnded);
        assert_eq!(leases.renew(instance(1), 11 * S), Renewal::RanOut);
        leases.grant(instance(1), delegate(), 12 * S);
        assert_eq!(leases.renew(instance(1), 13 * S), Renewal::Renewed);
    }

    #[test]
    fn a_goodbye_gives_up_at_once_and_names_what_was_held() {
        let leases = leases();
        leases.grant(instance(1), delegate(), Duration::ZERO);
        leases.hold(instance(1), delegate(), task(), S);
        assert_eq!(leases.load(instance(1)), 1);
        assert_eq!(leases.give_up(instance(1), 2 * S), [task()]);
        assert_eq!(leases.hand_over(instance(1), 2 * S), HandOver::GivenUp);
        assert_eq!(leases.renew(instance(1), 2 * S), Renewal::RanOut);
        leases.release(instance(1), task());
        assert!(leases.held_by(delegate()).is_empty());
    }

    #[test]
    fn a_holder_known_from_before_a_restart_counts_as_renewed_at_start() {
        let leases = leases();
        leases.hold(instance(1), delegate(), task(), Duration::ZERO);
        assert_eq!(leases.hand_over(instance(1), S), HandOver::NotBefore(11 * S));
        assert_eq!(leases.renew(instance(1), 2 * S), Renewal::Renewed);
    }

    #[test]
    fn an_observer_that_slept_takes_nothing_from_anybody() {
        let leases = leases();
        leases.grant(instance(1), delegate(), Duration::ZERO);
        leases.hold(instance(1), delegate(), task(), S);
        assert_eq!(leases.hand_over(instance(1), 60 * S), HandOver::NotBefore(71 * S));
        assert_eq!(leases.renew(instance(1), 60 * S), Renewal::Renewed);
    }

    #[test]
    fn when_most_fall_silent_at_once_they_find_their_tasks_when_they_come_back() {
        let leases = leases();
        for number in 1..=4 {
            leases.grant(instance(number), delegate(), Duration::ZERO);
            leases.hold(instance(number), delegate(), task(), Duration::ZERO);
        }
        for second in [4, 8] {
            leases.pulse(second * S);
        }
        assert_eq!(leases.hand_over(instance(1), 11 * S), HandOver::NotBefore(31 * S));
        // Those who come back have a lease of their own time; the one who does not is handed on after the pause.
        for second in [16, 20, 24, 28, 31] {
            (1..=3).for_each(|number| leases.grant(instance(number), delegate(), second * S));
        }
        assert_eq!(leases.hand_over(instance(1), 31 * S), HandOver::NotBefore(42 * S));
        assert_eq!(leases.hand_over(instance(4), 31 * S), HandOver::LeaseEnded);
    }

    #[test]
    fn an_instance_has_its_own_lease_even_of_the_same_delegate() {
        let leases = leases();
        leases.hold(instance(1), delegate(), task(), Duration::ZERO);
        leases.grant(instance(2), delegate(), S);
        for second in [4, 8] {
            leases.pulse(second * S);
        }
        assert_eq!(leases.renew(instance(2), 9 * S), Renewal::Renewed);
        assert_eq!(leases.hand_over(instance(1), 10 * S), HandOver::NotBefore(11 * S));
        assert_eq!(leases.hand_over(instance(1), 11 * S), HandOver::LeaseEnded);
    }
}
