//! Turns at a set of buckets: first come, first served within a lane, and the lane that goes back before the one that goes forward.
//!
//! A call that lacks a token in one group does not hold up calls of other groups behind it, and nobody behind it gets a token that it
//! waits for. Nothing runs on its own here: whoever waits looks again when its turn may have come, and gives all whose turn has come
//! theirs.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

use super::{bucket::Bucket, groups::Group, lane::Lane};

/// Whoever waits looks again at least so often: a rate may have grown back meanwhile.
const LONGEST_LOOK: Duration = Duration::from_secs(1);
/// And not more often.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);

/// The buckets of one account and region.
#[derive(Debug)]
pub(super) struct Turns {
    state: Mutex<State>,
    speed: f64,
}

#[derive(Debug, Default)]
struct State {
    buckets: HashMap<Group, Bucket>,
    back: VecDeque<Waiter>,
    forward: VecDeque<Waiter>,
    next_ticket: u64,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    groups: &'static [Group],
    turn: oneshot::Sender<()>,
}

impl Turns {
    /// Full buckets, `speed` times as fast as published.
    pub(super) fn new(speed: f64) -> Self {
        Self { state: Mutex::default(), speed }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a token of each of these groups and takes them. Dropped before its end, it takes none.
    pub(super) async fn take(&self, groups: &'static [Group], lane: Lane) {
        if groups.is_empty() {
            return;
        }
        let mut place = self.queue(groups, lane);
        while let Some(look) = self.look(&place) {
            tokio::select! {
                biased;
                _ = &mut place.turn => break,
                () = tokio::time::sleep(look) => {}
            }
        }
        place.taken = true;
    }

    fn queue(&self, groups: &'static [Group], lane: Lane) -> Place<'_> {
        let now = Instant::now();
        let (turn, mine) = oneshot::channel();
        let mut state = self.lock();
        for group in groups {
            state.buckets.entry(*group).or_insert_with(|| Bucket::full(group.limit(), self.speed, now));
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.lane(lane).push_back(Waiter { ticket, groups, turn });
        Place { turns: self, ticket, groups, lane, turn: mine, taken: false }
    }

    /// Gives everyone whose turn has come theirs. None: this one is among them, or was before; else when to look again.
    fn look(&self, place: &Place<'_>) -> Option<Duration> {
        let now = Instant::now();
        let mut state = self.lock();
        state.give(now);
        state.wait_of(place, now)
    }

    /// These groups' calls were more than one: so many more.
    pub(super) fn charge(&self, groups: &[Group], calls: usize) {
        let mut state = self.lock();
        for group in groups {
            if let Some(bucket) = state.buckets.get_mut(group) {
                bucket.take(calls as f64);
            }
        }
    }

    /// AWS throttled a call of these groups. Gives the smallest part of a rate that is left, if it is news.
    pub(super) fn throttled(&self, groups: &[Group]) -> Option<f64> {
        let now = Instant::now();
        let mut state = self.lock();
        let cut = groups.iter().filter_map(|group| state.buckets.get_mut(group)?.throttled(now));
        cut.min_by(f64::total_cmp)
    }
}

impl State {
    fn lane(&mut self, lane: Lane) -> &mut VecDeque<Waiter> {
        match lane {
            Lane::Back => &mut self.back,
            Lane::Forward => &mut self.forward,
        }
    }

    fn give(&mut self, now: Instant) {
        let Self { buckets, back, forward, .. } = self;
        let mut waited_for = HashSet::new();
        for (urgent, lane) in [(true, back), (false, forward)] {
            let mut still = VecDeque::with_capacity(lane.len());
            for waiter in lane.drain(..) {
                let mut lacking = waiter.groups.to_vec();
                lacking.retain(|group| {
                    let enough = buckets.get_mut(group).is_some_and(|bucket| bucket.available(urgent, now) >= 1.0);
                    !enough || waited_for.contains(group)
                });
                if lacking.is_empty() {
                    for group in waiter.groups {
                        if let Some(bucket) = buckets.get_mut(group) {
                            bucket.take(1.0);
                        }
                    }
                    // A receiver that is gone has left its place, which gives the tokens back.
                    let _ = waiter.turn.send(());
                } else {
                    waited_for.extend(lacking);
                    still.push_back(waiter);
                }
            }
            *lane = still;
        }
    }

    /// How long this one has to wait as things stand; none if it does not wait any more.
    fn wait_of(&mut self, place: &Place<'_>, now: Instant) -> Option<Duration> {
        let Self { buckets, back, forward, .. } = self;
        let urgent = place.lane == Lane::Back;
        let before = back.iter().chain(forward.iter());
        let mut ahead: HashMap<Group, f64> = HashMap::new();
        for waiter in before {
            if waiter.ticket == place.ticket {
                let wait = place.groups.iter().filter_map(|group| {
                    let bucket = buckets.get_mut(group)?;
                    let missing = ahead.get(group).unwrap_or(&0.0) + 1.0 - bucket.available(urgent, now);
                    Some(missing.max(0.0) / bucket.rate(now))
                });
                let seconds = wait.fold(0.0, f64::max);
                return Some(Duration::from_secs_f64(seconds.min(LONGEST_LOOK.as_secs_f64())).max(SHORTEST_LOOK));
            }
            for group in waiter.groups {
                *ahead.entry(*group).or_default() += 1.0;
            }
        }
        None
    }
}

/// A place in the queue. Left before its turn is taken, it gives up what it has.
struct Place<'t> {
    turns: &'t Turns,
    ticket: u64,
    groups: &'static [Group],
    lane: Lane,
    turn: oneshot::Receiver<()>,
    taken: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let mut state = self.turns.lock();
        let lane = state.lane(self.lane);
        match lane.iter().position(|waiter| waiter.ticket == self.ticket) {
            Some(place) => drop(lane.remove(place)),
            // It had its turn and did not get to use it.
            None => {
                for group in self.groups {
                    if let Some(bucket) = state.buckets.get_mut(group) {
                        bucket.give_back();
                    }
                }
            }
        }
        state.give(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{sync::mpsc, task::JoinSet};

    use super::*;

    const REGISTER: &[Group] = &[Group::DefinitionModify];
    const CHANGE_ELB: &[Group] = &[Group::Elb, Group::ElbModify];
    const READ_ELB: &[Group] = &[Group::Elb];

    /// Many that want a turn; tells who got theirs, and when.
    struct Crowd {
        turns: Arc<Turns>,
        waiting: JoinSet<()>,
        told: mpsc::Sender<(&'static str, usize, Duration)>,
        heard: mpsc::Receiver<(&'static str, usize, Duration)>,
        began: Instant,
    }

    impl Crowd {
        fn new() -> Self {
            let (told, heard) = mpsc::channel(1_000);
            Self { turns: Arc::new(Turns::new(1.0)), waiting: JoinSet::new(), told, heard, began: Instant::now() }
        }

        async fn come(&mut self, name: &'static str, many: usize, groups: &'static [Group], lane: Lane) {
            for number in 0..many {
                let (turns, told, began) = (self.turns.clone(), self.told.clone(), self.began);
                self.waiting.spawn(async move {
                    turns.take(groups, lane).await;
                    told.try_send((name, number, began.elapsed())).expect("heard");
                });
            }
            // All of them get to queue before anyone else comes; no time passes.
            for _ in 0..many * 2 {
                tokio::task::yield_now().await;
            }
        }

        async fn order(mut self) -> Vec<(&'static str, usize, Duration)> {
            while self.waiting.join_next().await.is_some() {}
            self.heard.close();
            let mut order = Vec::new();
            while let Some(told) = self.heard.recv().await {
                order.push(told);
            }
            order
        }
    }

    fn of<'o>(order: &'o [(&'static str, usize, Duration)], name: &str) -> Vec<&'o (&'static str, usize, Duration)> {
        order.iter().filter(|told| told.0 == name).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_registrations_take_the_burst_and_then_one_a_second_in_order() {
        let mut crowd = Crowd::new();
        crowd.come("register", 100, REGISTER, Lane::Forward).await;
        let order = crowd.order().await;
        assert_eq!(order.iter().map(|told| told.1).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        assert_eq!(order.iter().filter(|told| told.2 < Duration::from_millis(10)).count(), 19);
        let last = order.last().expect("100").2.as_secs_f64();
        assert!((82.6..83.0).contains(&last), "81 at 0.98 a second: {last}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_back_goes_before_all_that_wait_to_go_forward() {
        let mut crowd = Crowd::new();
        crowd.come("forward", 100, CHANGE_ELB, Lane::Forward).await;
        crowd.come("back", 3, CHANGE_ELB, Lane::Back).await;
        let order = crowd.order().await;
        let latest = of(&order, "back").iter().map(|told| told.2).max().expect("3");
        // One is kept for it; the other two come at 2.94 a second, before any forward one gets another.
        assert!(latest < Duration::from_millis(1_000), "{latest:?}");
        let after = of(&order, "forward").iter().filter(|told| told.2 > Duration::from_millis(10) && told.2 < latest).count();
        assert_eq!(after, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_that_is_used_up_does_not_hold_up_others_and_is_not_starved_by_them() {
        let mut crowd = Crowd::new();
        crowd.come("change", 30, CHANGE_ELB, Lane::Forward).await;
        crowd.come("read", 200, READ_ELB, Lane::Forward).await;
        let order = crowd.order().await;
        let reads = of(&order, "read");
        assert!(reads.iter().filter(|told| told.2 < Duration::from_millis(10)).count() >= 15, "reads went past the changes");
        let changed = of(&order, "change").iter().map(|told| told.2).max().expect("30");
        assert!(changed < Duration::from_secs(6), "12 at 2.94 a second, however many read: {changed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_the_queue_takes_nothing_along() {
        let turns = Arc::new(Turns::new(1.0));
        for _ in 0..19 {
            turns.take(REGISTER, Lane::Forward).await;
        }
        let mut first = Box::pin(turns.take(REGISTER, Lane::Forward));
        let began = Instant::now();
        assert!(tokio::time::timeout(Duration::from_millis(500), &mut first).await.is_err());
        let second = turns.take(REGISTER, Lane::Forward);
        drop(first);
        second.await;
        let took = began.elapsed().as_secs_f64();
        assert!((1.0..1.1).contains(&took), "the first one's place is the second one's: {took}");
    }

    #[tokio::test(start_paused = true)]
    async fn throttled_calls_slow_everyone_down_by_the_same() {
        let mut crowd = Crowd::new();
        assert_eq!(crowd.turns.throttled(READ_ELB), None, "nothing was ever called");
        crowd.come("first", 1, READ_ELB, Lane::Forward).await;
        assert_eq!(crowd.turns.throttled(READ_ELB), Some(0.5));
        crowd.come("read", 50, READ_ELB, Lane::Forward).await;
        let order = crowd.order().await;
        let soon = order.iter().filter(|told| told.2 <= Duration::from_secs(1)).count();
        // What is kept for going back has to come together first.
        assert!((2..=5).contains(&soon), "{soon} in the first second");
        let reads = of(&order, "read");
        assert!(reads.is_sorted_by_key(|told| told.1), "in order");
        let last = reads.last().expect("50").2.as_secs_f64();
        assert!((5.5..9.0).contains(&last), "50 at a rate that grows from 4.9 to 9.8: {last}");
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_were_more_than_one_are_paid_for_by_those_behind() {
        let turns = Turns::new(1.0);
        turns.take(REGISTER, Lane::Forward).await;
        turns.charge(REGISTER, 20);
        let began = Instant::now();
        turns.take(REGISTER, Lane::Forward).await;
        let took = began.elapsed().as_secs_f64();
        assert!((3.0..3.2).contains(&took), "two missing, and its own: {took}");
    }
}
