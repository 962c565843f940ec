//! Promises: for how long a delegate that was lost may still put production back by itself.
//!
//! A delegate that watches production after a swap has to be able to swap back while the control plane is down, when no lease is
//! renewed. Before it watches it says for how long ([`Checkpoint::BakeStarted`]); once that is durable it is promised that. A
//! promise does not delay a hand-over: whoever takes the step over is told how long the promise still runs, and until then does
//! nothing that a listener put back to the old version would harm (it takes no old task away, and does not let the deployment end).
//!
//! Counted here from when it was made durable, or, after a restart, from the restart: always later than the delegate's own count.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    ids::DeploymentId,
    step::Checkpoint,
    task::{Direction, TaskKey},
};
use engine::{AttemptEnd, Course, Deployment, Event, Loss};

/// The promises that may still run: one at most for a deployment. Times are the clock's monotonic ones.
pub(super) struct Promises {
    table: Mutex<HashMap<DeploymentId, Promise>>,
    margin: Duration,
}

struct Promise {
    task: TaskKey,
    ends: Duration,
}

impl Promises {
    /// None yet. `margin` is added to each.
    pub(super) fn new(margin: Duration) -> Self {
        Self { table: Mutex::default(), margin }
    }

    /// A deployment that was read from the store: what it promised counts from now.
    pub(super) fn recover(&self, deployment: &Deployment, now: Duration) {
        for (record, step) in deployment.steps().iter().zip(0..) {
            if let Some((attempt, length)) = outstanding(record.course(Direction::Perform)) {
                let task = TaskKey { deployment: deployment.id(), step, direction: Direction::Perform, attempt };
                self.lock().insert(deployment.id(), Promise { task, ends: now + length + self.margin });
            }
        }
    }

    /// Events of a deployment became durable.
    pub(super) fn heard(&self, deployment: DeploymentId, events: &[Event], now: Duration) {
        for event in events {
            match event {
                Event::CheckpointRecorded { task, checkpoint: Checkpoint::BakeStarted { promise_ms }, .. } => {
                    let ends = now + Duration::from_millis(*promise_ms) + self.margin;
                    self.lock().insert(deployment, Promise { task: *task, ends });
                }
                Event::CheckpointRecorded { task, checkpoint: Checkpoint::BakeEnded, .. }
                | Event::Succeeded { task, .. }
                | Event::AttemptFailed { task, .. } => self.kept(deployment, *task),
                Event::TaskLost { task, why, .. } if is_certain(*why) => self.kept(deployment, *task),
                Event::Finished { .. } => drop(self.lock().remove(&deployment)),
                _ => {}
            }
        }
    }

    /// How much longer the deployment's promise runs.
    pub(super) fn remaining(&self, deployment: DeploymentId, now: Duration) -> Duration {
        self.lock().get(&deployment).map_or(Duration::ZERO, |promise| promise.ends.saturating_sub(now))
    }

    /// Whoever had the promise has said that it is done with it.
    fn kept(&self, deployment: DeploymentId, task: TaskKey) {
        let mut table = self.lock();
        if table.get(&deployment).is_some_and(|promise| promise.task == task) {
            table.remove(&deployment);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeploymentId, Promise>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a delegate that lost a task in this way certainly writes no more, promise or not.
fn is_certain(why: Loss) -> bool {
    match why {
        Loss::DelegateRestarted | Loss::Disowned | Loss::HandedBack => true,
        Loss::LeaseEnded => false,
    }
}

/// The promise that a step forward leaves open: to which attempt, and how long it is.
fn outstanding(course: &Course) -> Option<(u32, Duration)> {
    let (position, length) =
        course.checkpoints.iter().enumerate().rev().find_map(|(at, checkpoint)| match checkpoint.as_ref() {
            Checkpoint::BakeStarted { promise_ms } => Some((at, Some(Duration::from_millis(*promise_ms)))),
            Checkpoint::BakeEnded => Some((at, None)),
            _ => None,
        })?;
    let attempts = course.attempts.iter().zip(1..).take_while(|(attempt, _)| attempt.first_checkpoint <= position);
    let (attempt, number) = attempts.last()?;
    let over = attempt.ended.as_ref().is_some_and(|(how, _)| match how {
        AttemptEnd::Succeeded | AttemptEnd::Failed(_) => true,
        AttemptEnd::Lost(why) => is_certain(*why),
    });
    length.filter(|_| !over).map(|length| (number, length))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn task(attempt: u32) -> TaskKey {
        TaskKey { deployment: DeploymentId::new(Uuid::from_u128(1)), step: 2, direction: Direction::Perform, attempt }
    }

    fn recorded(attempt: u32, checkpoint: Checkpoint) -> Event {
        Event::CheckpointRecorded { task: task(attempt), number: 0, checkpoint }
    }

    #[test]
    fn it_runs_on_for_a_delegate_that_was_lost_and_ends_when_its_attempt_reports() {
        let promises = Promises::new(S);
        let id = task(1).deployment;
        promises.heard(id, &[recorded(1, Checkpoint::BakeStarted { promise_ms: 60_000 })], 10 * S);
        assert_eq!(promises.remaining(id, 20 * S), 51 * S);
        let lost = |why| Event::TaskLost { task: task(1), why, at_ms: 0 };
        promises.heard(id, &[lost(Loss::LeaseEnded)], 21 * S);
        let failure = domain::failure::Failure::refused(domain::failure::FailureKind::Application, "another attempt's");
        promises.heard(id, &[Event::AttemptFailed { task: task(2), failure, at_ms: 0 }], 22 * S);
        assert_eq!(promises.remaining(id, 30 * S), 41 * S, "the lost one's promise stands");
        promises.heard(id, &[lost(Loss::HandedBack)], 31 * S);
        assert_eq!(promises.remaining(id, 31 * S), Duration::ZERO);
        promises.heard(id, &[recorded(3, Checkpoint::BakeStarted { promise_ms: 5_000 }), recorded(3, Checkpoint::BakeEnded)], S);
        assert_eq!(promises.remaining(id, S), Duration::ZERO);
    }
}
