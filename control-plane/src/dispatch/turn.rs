//! One turn of a deployment: inputs and what follows from them, decided on a copy of the state and gathered into one append. The
//! report of a step and the claim of the next become durable in the same flush.

use std::{sync::Arc, time::Duration};

use domain::{ids::DeploymentId, task::TaskKey};
use engine::{Deployment, Event, Holder, Input, Loss, Next, Rejection, WantedTask, decide, next};

use super::{dispatcher::Dispatch, eligibility::Need, lease::HandOver, queue::Lane};

/// A turn in the making: nothing of it is durable yet.
pub(super) struct Turn {
    /// The state as it will be.
    pub(super) deployment: Deployment,
    /// What the journal gets.
    pub(super) events: Vec<Event>,
    /// The task that was given to a delegate, if one was. The lease knows of it already.
    pub(super) claimed: Option<(TaskKey, Holder)>,
    /// Why nobody is eligible for the task that is wanted.
    pub(super) waiting: Option<Vec<String>>,
    now_ms: i64,
    now: Duration,
}

impl Turn {
    /// Begins with a copy of the state and the events that led to it and are not durable (of a deployment that is just made).
    pub(super) fn new(deployment: Deployment, events: Vec<Event>, dispatch: &Dispatch) -> Self {
        let (now_ms, now) = (dispatch.clock.now_ms(), dispatch.clock.monotonic());
        Self { deployment, events, claimed: None, waiting: None, now_ms, now }
    }

    /// One input.
    ///
    /// # Errors
    /// When the engine refuses it: it changes nothing then.
    pub(super) fn input(&mut self, input: &Input) -> Result<(), Rejection> {
        for event in decide(&self.deployment, input, self.now_ms)? {
            if let Err(misfit) = self.deployment.apply(&event) {
                // The engine decided it on this very state.
                tracing::error!(deployment = %self.deployment.id(), %misfit, "an event does not fit; it and those after it are dropped");
                break;
            }
            self.events.push(event);
        }
        Ok(())
    }

    /// Everything that follows without anybody asking: timers that are due, leases that have ended, the turn in the queue, a
    /// delegate for the task that is wanted.
    pub(super) fn follow_up(&mut self, dispatch: &Arc<Dispatch>, lane: &Lane) {
        loop {
            let before = self.events.len();
            let Some(input) = self.following(dispatch, lane) else { return };
            if let Err(rejection) = self.input(&input) {
                tracing::error!(deployment = %self.deployment.id(), ?input, %rejection, "the engine refuses what it asked for");
            }
            if self.events.len() == before {
                self.give_back(dispatch);
                return;
            }
        }
    }

    fn following(&mut self, dispatch: &Arc<Dispatch>, lane: &Lane) -> Option<Input> {
        let id: DeploymentId = self.deployment.id();
        let (wanted, held, timers) = match next(&self.deployment) {
            Next::Finished(_) => return None,
            Next::Queued => return dispatch.queue.is_first(lane, id).then_some(Input::Start),
            Next::Outstanding { wanted, held, cancel: _, timers, hold: _ } => (wanted, held, timers),
        };
        if let Some(due) = timers.iter().find(|timer| timer.due_ms <= self.now_ms) {
            return Some(Input::TimerFired(due.id));
        }
        // What was claimed in this turn was given to a lease that runs.
        if let (Some(held), None) = (held, self.claimed) {
            let why = match dispatch.leases.hand_over(held.holder.instance, self.now) {
                HandOver::NotBefore(_) => return None,
                // Nobody takes an aborted step over who could wait the promise out: it has to end before the deployment does.
                HandOver::LeaseEnded if self.deployment.is_aborting() && !self.promised(dispatch).is_zero() => return None,
                HandOver::LeaseEnded => Loss::LeaseEnded,
                HandOver::GivenUp => Loss::DelegateRestarted,
            };
            tracing::info!(task = %held.task, holder = %held.holder, why = why.as_str(), "a task is handed on");
            return Some(Input::TaskLost { task: held.task, why });
        }
        self.claim(dispatch, wanted?)
    }

    fn promised(&self, dispatch: &Dispatch) -> Duration {
        dispatch.promises.remaining(self.deployment.id(), self.now)
    }

    fn claim(&mut self, dispatch: &Arc<Dispatch>, wanted: WantedTask) -> Option<Input> {
        let need = Need::of_task(self.deployment.plan(), wanted.kind, wanted.task.direction, self.now);
        match dispatch.taker(need, wanted.preferred) {
            Ok(session) => {
                let holder = Holder { delegate: session.delegate, instance: session.instance };
                dispatch.leases.hold(holder.instance, holder.delegate, wanted.task, self.now);
                self.claimed = Some((wanted.task, holder));
                self.waiting = None;
                Some(Input::Claim { task: wanted.task, holder })
            }
            Err(reasons) => {
                self.waiting = Some(reasons);
                None
            }
        }
    }

    /// The turn does not count: nobody holds what it claimed.
    pub(super) fn give_back(&mut self, dispatch: &Dispatch) {
        if let Some((task, holder)) = self.claimed.take() {
            dispatch.leases.release(holder.instance, task);
        }
    }
}
