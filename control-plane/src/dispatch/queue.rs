//! One deployment at a time per infrastructure and ECS line, first come first served.
//!
//! The order is that of the deployments' ids, which grow with the time of their acceptance and are the keys in the store: after a
//! restart the queue is built again from the open deployments and comes out the same.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use domain::ids::DeploymentId;
use engine::Plan;

/// What only one deployment may work on at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Lane {
    /// Application of the infrastructure.
    pub application: String,
    /// Name of the infrastructure.
    pub infrastructure: String,
    /// The ECS family.
    pub line: String,
}

impl Lane {
    /// The lane of a plan.
    pub fn of(plan: &Plan) -> Self {
        let (infrastructure, line) = plan.queue_key();
        Self { application: plan.application.clone(), infrastructure: infrastructure.to_owned(), line: line.to_owned() }
    }
}

/// Who goes first on each lane.
#[derive(Default)]
pub struct Queue {
    lanes: Mutex<HashMap<Lane, Waiting>>,
}

#[derive(Default)]
struct Waiting {
    /// Whose turn it is: it keeps the turn until it has ended, even if one with a smaller id were to come later.
    first: Option<DeploymentId>,
    others: BTreeSet<DeploymentId>,
}

impl Queue {
    /// Enters a deployment; entering twice is entering once.
    pub fn enter(&self, lane: &Lane, deployment: DeploymentId) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = lanes.entry(lane.clone()).or_default();
        match waiting.first {
            None => waiting.first = Some(deployment),
            Some(first) if first == deployment => {}
            Some(_) => {
                waiting.others.insert(deployment);
            }
        }
    }

    /// Whether it is this deployment's turn.
    pub fn is_first(&self, lane: &Lane, deployment: DeploymentId) -> bool {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.get(lane).is_some_and(|waiting| waiting.first == Some(deployment))
    }

    /// Whose turn it is, if it is another deployment's.
    pub fn ahead(&self, lane: &Lane, deployment: DeploymentId) -> Option<DeploymentId> {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.get(lane)?.first.filter(|first| *first != deployment)
    }

    /// The deployment has ended, or left the queue before its turn. Returns the one whose turn has come by that.
    pub fn leave(&self, lane: &Lane, deployment: DeploymentId) -> Option<DeploymentId> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = lanes.get_mut(lane)?;
        if waiting.first != Some(deployment) {
            waiting.others.remove(&deployment);
            return None;
        }
        waiting.first = waiting.others.pop_first();
        let next = waiting.first;
        if next.is_none() {
            lanes.remove(lane);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> DeploymentId {
        DeploymentId::new(Uuid::from_u128(number))
    }

    fn lane(line: &str) -> Lane {
        Lane { application: "shop".into(), infrastructure: "prod".into(), line: line.into() }
    }

    #[test]
    fn first_come_first_served_on_each_lane() {
        let queue = Queue::default();
        let (a, b) = (lane("a"), lane("b"));
        for number in [1, 3, 2, 1] {
            queue.enter(&a, id(number));
        }
        queue.enter(&b, id(4));
        assert!(queue.is_first(&a, id(1)) && queue.is_first(&b, id(4)));
        assert!(!queue.is_first(&a, id(2)) && !queue.is_first(&b, id(1)));
        assert_eq!(queue.leave(&a, id(1)), Some(id(2)));
        assert_eq!(queue.leave(&a, id(1)), None);
        assert_eq!(queue.leave(&a, id(3)), None);
        assert!(queue.is_first(&a, id(2)));
        assert_eq!(queue.leave(&a, id(2)), None);
        assert!(queue.lanes.lock().expect("no panic").keys().eq([&b]));
    }
}
