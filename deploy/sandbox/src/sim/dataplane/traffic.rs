//! Who was served: requests (of a Network Load Balancer: flows) per target group and version, since the beginning; and what has been
//! counted per load balancer and group since CloudWatch last took it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;

use crate::sim::cloudwatch::Numbers;

/// What was counted, by the load balancer's ARN and the target group's; an empty one: no group got it.
pub type Tallies = BTreeMap<String, BTreeMap<String, Tally>>;

/// What was counted of one load balancer and target group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Requests, or flows.
    pub requests: u64,
    /// Targets' answers of 2XX, 3XX, 4XX and 5XX.
    pub classes: [u64; 4],
    /// Answers of 5XX of the load balancer itself.
    pub refused: u64,
    /// How long targets took, in real seconds.
    pub times: Option<Numbers>,
}

/// Counts.
#[derive(Debug, Default)]
pub struct Traffic {
    served: Mutex<BTreeMap<String, BTreeMap<String, u64>>>,
    tallies: Mutex<Tallies>,
}

impl Traffic {
    /// One request that a target answered, or one flow to it.
    pub fn count(&self, group: &str, version: &str) {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = served.get_mut(group).and_then(|versions| versions.get_mut(version)) {
            *count += 1;
            return;
        }
        *served.entry(group.to_owned()).or_default().entry(version.to_owned()).or_default() += 1;
    }

    /// A flow to a target of a group.
    pub fn flow(&self, balancer: &str, group: &str) {
        self.tally(balancer, group, |tally| tally.requests += 1);
    }

    /// A request that a target of a group answered with a status, after a time.
    pub fn answered(&self, balancer: &str, group: &str, status: u16, time: Duration) {
        self.tally(balancer, group, |tally| {
            tally.requests += 1;
            if let Some(class) = usize::from(status / 100).checked_sub(2).and_then(|class| tally.classes.get_mut(class)) {
                *class += 1;
            }
            let time = Numbers::one(time.as_secs_f64());
            tally.times = Some(tally.times.map_or(time, |times| times.and(time)));
        });
    }

    /// A request that the load balancer answered itself, for a target of a group or, with an empty one, for the lack of any.
    pub fn refused(&self, balancer: &str, group: &str, status: u16) {
        self.tally(balancer, group, |tally| {
            // AWS counts the requests for which a target was chosen.
            tally.requests += u64::from(!group.is_empty());
            tally.refused += u64::from(status >= 500);
        });
    }

    fn tally(&self, balancer: &str, group: &str, count: impl FnOnce(&mut Tally)) {
        let mut tallies = self.tallies();
        if let Some(tally) = tallies.get_mut(balancer).and_then(|groups| groups.get_mut(group)) {
            return count(tally);
        }
        count(tallies.entry(balancer.to_owned()).or_default().entry(group.to_owned()).or_default());
    }

    /// What was counted since this was last asked.
    pub fn take(&self) -> Tallies {
        std::mem::take(&mut *self.tallies())
    }

    fn tallies(&self) -> MutexGuard<'_, Tallies> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that was served.
    pub fn counts(&self) -> Value {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_value(&*served).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_taken_once() {
        let traffic = Traffic::default();
        for (status, millis) in [(200, 10), (204, 30), (503, 20)] {
            traffic.answered("b", "g", status, Duration::from_millis(millis));
        }
        traffic.refused("b", "", 502);
        traffic.refused("b", "", 404);
        traffic.flow("n", "g");
        let taken = traffic.take();
        let tally = &taken["b"]["g"];
        assert_eq!((tally.requests, tally.classes, tally.refused), (3, [2, 0, 0, 1], 0));
        assert!(tally.times.is_some_and(|times| times.count == 3.0 && times.max == 0.03));
        assert_eq!((taken["b"][""].requests, taken["b"][""].refused, taken["n"]["g"].requests), (0, 1, 1));
        assert!(traffic.take().is_empty());
    }
}
