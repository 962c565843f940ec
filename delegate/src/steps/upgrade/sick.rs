//! What became of the new targets, look by look. A target that is unhealthy failed several checks already; it may still be an
//! accident, so it has to stay so for another health-check interval, or a second one has to go the same way.

use std::{collections::BTreeMap, time::Duration};

use super::super::targets::complaints;
use crate::aws::model::Target;

/// So many targets that turned unhealthy and were taken away are not an accident.
const TAKEN_AWAY: usize = 2;

/// The history of a target group's targets. Times count from the beginning of the wait.
#[derive(Debug, Default)]
pub(super) struct Sick {
    interval: Duration,
    grace: Duration,
    known: BTreeMap<String, History>,
    complaint: Option<String>,
}

#[derive(Debug)]
struct History {
    first_seen: Duration,
    ill_since: Option<Duration>,
    last: Target,
    here: bool,
}

impl Sick {
    /// `interval`: between two health checks. `grace`: how long after its first appearance ECS overlooks a failing target.
    pub(super) fn new(interval: Duration, grace: Duration) -> Self {
        Self { interval, grace, known: BTreeMap::new(), complaint: None }
    }

    /// One look at all targets.
    pub(super) fn look(&mut self, now: Duration, targets: &[Target]) {
        for history in self.known.values_mut() {
            history.here = false;
        }
        for target in targets {
            let name = format!("{}:{:?}", target.id, target.port);
            let fresh = || History { first_seen: now, ill_since: None, last: target.clone(), here: true };
            let history = self.known.entry(name).or_insert_with(fresh);
            if target.is_leaving() {
                continue;
            }
            history.here = true;
            // "unused" says that nobody checks it, and "unavailable" that checks are off.
            let ill = target.state == "unhealthy" && now.saturating_sub(history.first_seen) >= self.grace;
            history.ill_since = if ill { history.ill_since.or(Some(now)) } else { None };
            history.last = target.clone();
        }
        let ill = |history: &&History| history.ill_since.is_some();
        let staying: Vec<Target> = self
            .known
            .values()
            .filter(|history| history.here && history.ill_since.is_some_and(|since| now.saturating_sub(since) >= self.interval))
            .map(|history| history.last.clone())
            .collect();
        let gone: Vec<Target> =
            self.known.values().filter(ill).filter(|history| !history.here).map(|history| history.last.clone()).collect();
        self.complaint = if !staying.is_empty() {
            Some(complaints(&staying))
        } else if gone.len() >= TAKEN_AWAY {
            Some(format!("{}; ECS took them away", complaints(&gone)))
        } else {
            None
        };
    }

    /// Whether any target is, or was, unhealthy.
    pub(super) fn any(&self) -> bool {
        self.known.values().any(|history| history.ill_since.is_some())
    }

    /// What is wrong with them, when there is no hope.
    pub(super) fn verdict(&self) -> Option<&str> {
        self.complaint.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn target(id: &str, state: &str) -> Target {
        Target { id: id.into(), port: Some(80), state: state.into(), reason: None, description: None }
    }

    #[test]
    fn one_that_gets_well_again_is_forgiven() {
        let mut sick = Sick::new(s(10), s(0));
        sick.look(s(0), &[target("a", "unhealthy")]);
        sick.look(s(5), &[target("a", "healthy")]);
        sick.look(s(30), &[target("a", "unhealthy")]);
        assert!(sick.verdict().is_none() && sick.any());
        sick.look(s(40), &[target("a", "unhealthy")]);
        assert_eq!(sick.verdict(), Some("a:80 is unhealthy"));
    }

    #[test]
    fn nothing_counts_within_the_grace_period() {
        let mut sick = Sick::new(s(10), s(60));
        sick.look(s(0), &[target("a", "unhealthy")]);
        sick.look(s(59), &[target("a", "unhealthy")]);
        assert!(!sick.any());
        sick.look(s(60), &[target("a", "unhealthy")]);
        assert!(sick.any() && sick.verdict().is_none());
        sick.look(s(70), &[target("a", "unhealthy")]);
        assert!(sick.verdict().is_some());
    }

    #[test]
    fn two_that_were_taken_away_are_enough_and_one_is_not() {
        let mut sick = Sick::new(s(30), s(0));
        sick.look(s(0), &[target("a", "unhealthy")]);
        sick.look(s(1), &[target("a", "unhealthy.draining"), target("b", "initial")]);
        assert!(sick.verdict().is_none());
        sick.look(s(2), &[target("b", "unhealthy")]);
        sick.look(s(3), &[]);
        assert_eq!(sick.verdict(), Some("a:80 is unhealthy; b:80 is unhealthy; ECS took them away"));
    }
}
