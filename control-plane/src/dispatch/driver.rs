//! The driver of one deployment: the only one that changes it in this process.
//!
//! ```text
//! inbox --> turn (decide, on a copy) --> append + flush --> state := copy --> act: answer, assign, cancel, wake
//!   ^                                        | conflict: read again, decide again
//!   '-- timers, leases, queue, delegates     | store unusable: nothing happened; try again later
//! ```
//!
//! Nothing leaves before it is durable. What to do is derived from the state each time, so that a driver that was just started on
//! an old journal does the same as the one that wrote it. Another node's append is noticed by the compare-and-set.

use std::{sync::Arc, time::Duration};

use domain::{
    deployment::{DeploymentStatus, DeploymentView},
    ids::DeploymentId,
    task::TaskKey,
};
use engine::{Deployment, Next, Plan, Rejection, assignment, next, view};
use proto::{
    convert::document::to_json,
    delegate::{self, to_delegate},
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    dispatcher::Dispatch,
    error::DispatchError,
    lease::HandOver,
    message::{Message, Reply},
    queue::Lane,
    records::{AcceptKey, RecordError},
    sessions::Session,
    turn::Turn,
};

/// Messages taken into one turn.
const BATCH: usize = 32;
/// How often a turn is decided anew after another node's append.
const CONFLICTS: usize = 8;
/// How long after the store failed the next attempt is made.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How often a deployment that nobody is eligible for looks again, beside whenever a delegate comes or goes.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// The longest sleep: the wall clock, which timers go by, may jump.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How a driver begins.
pub(super) enum Origin {
    /// With a new deployment.
    New {
        /// What it is to do.
        plan: Arc<Plan>,
        /// By which the same request is known again.
        key: Option<AcceptKey>,
        /// Told when it is durable.
        reply: oneshot::Sender<Result<(), DispatchError>>,
    },
    /// With one that was read already.
    Loaded(Box<Deployment>),
    /// With one that is in the store, if it is.
    Stored,
}

/// The driver of one deployment.
pub(super) struct Driver {
    pub(super) dispatch: Arc<Dispatch>,
    pub(super) id: DeploymentId,
    inbox: mpsc::Receiver<Message>,
    changes: watch::Sender<u64>,
    pub(super) state: Option<Deployment>,
    pub(super) lane: Lane,
    waiting: Option<Vec<String>>,
    /// The task whose delegate was told to stop, and on which session.
    told_to_stop: Option<(TaskKey, Arc<Session>)>,
    store_failed: bool,
}

impl Driver {
    pub(super) fn new(
        dispatch: Arc<Dispatch>,
        id: DeploymentId,
        inbox: mpsc::Receiver<Message>,
        changes: watch::Sender<u64>,
    ) -> Self {
        let lane = Lane::default();
        Self { dispatch, id, inbox, changes, state: None, lane, waiting: None, told_to_stop: None, store_failed: false }
    }

    /// Drives until the deployment has ended and nobody asks about it.
    pub(super) async fn run(mut self, origin: Origin) {
        match origin {
            Origin::New { plan, key, reply } => {
                let accepted = self.accept(plan, key).await;
                let refused = accepted.is_err();
                // Whoever asked may have gone away.
                let _ = reply.send(accepted);
                if refused {
                    self.dispatch.forget(self.id);
                    return;
                }
            }
            Origin::Loaded(deployment) => {
                self.adopt(*deployment);
                self.turn(Vec::new()).await;
            }
            Origin::Stored => {}
        }
        let mut delegates = self.dispatch.sessions.changes();
        loop {
            if self.may_retire() && self.dispatch.retire(self.id, &self.inbox) {
                return;
            }
            let waits = self.waiting.is_some();
            let sleep = self.wake_in();
            let mut messages = Vec::new();
            tokio::select! {
                biased;
                count = self.inbox.recv_many(&mut messages, BATCH) => if count == 0 { return },
                () = delegates.changed(), if waits => {}
                () = tokio::time::sleep(sleep) => {}
            }
            if waits {
                delegates.mark_unchanged();
            }
            self.handle(messages).await;
        }
    }

    /// A new deployment: its first events, its turn in the queue and its first claim in one append.
    async fn accept(&mut self, plan: Arc<Plan>, key: Option<AcceptKey>) -> Result<(), DispatchError> {
        let events = engine::create(plan, self.dispatch.clock.now_ms())?;
        let deployment = Deployment::replay(&events).map_err(|error| self.corrupt(error))?;
        self.lane = Lane::of(deployment.plan());
        self.dispatch.queue.enter(&self.lane, self.id);
        let mut turn = Turn::new(deployment, events, &self.dispatch);
        turn.follow_up(&self.dispatch, &self.lane);
        match self.dispatch.records.append(&turn.deployment, 0, &turn.events, key.as_ref()).await {
            Ok(()) => {
                self.act(turn);
                Ok(())
            }
            Err(error) => {
                turn.give_back(&self.dispatch);
                self.leave_queue();
                Err(match (error, key) {
                    (RecordError::Conflict, Some(key)) => match self.dispatch.records.accepted_as(&key).await {
                        Ok(Some(id)) => DispatchError::AcceptedBefore(id),
                        Ok(None) | Err(_) => DispatchError::Busy,
                    },
                    (error, _) => self.failed(error),
                })
            }
        }
    }

    /// Takes on a state that was read from the store.
    fn adopt(&mut self, deployment: Deployment) {
        self.lane = Lane::of(deployment.plan());
        if deployment.outcome().is_none() {
            self.dispatch.queue.enter(&self.lane, self.id);
        }
        if let Some((task, holder)) = held(&deployment) {
            self.dispatch.leases.hold(holder.instance, holder.delegate, task, self.dispatch.clock.monotonic());
        }
        self.dispatch.promises.recover(&deployment, self.dispatch.clock.monotonic());
        self.state = Some(deployment);
    }

    async fn load(&mut self) -> Result<(), DispatchError> {
        if let Some((task, holder)) = self.state.take().as_ref().and_then(held) {
            self.dispatch.leases.release(holder.instance, task);
        }
        let deployment = self.dispatch.records.load(self.id).await.map_err(|error| self.failed(error))?;
        self.adopt(deployment.ok_or(DispatchError::NotFound(self.id))?);
        Ok(())
    }

    async fn handle(&mut self, messages: Vec<Message>) {
        if self.state.is_none()
            && let Err(error) = self.load().await
        {
            for message in messages {
                refuse(message, &error);
            }
            return;
        }
        let mut inputs = Vec::new();
        let mut questions = Vec::new();
        for message in messages {
            match message {
                Message::Input { input, reply } => inputs.push((*input, reply)),
                Message::Nudge => {}
                question => questions.push(question),
            }
        }
        let inputs = self.admit(inputs).await;
        self.turn(inputs).await;
        if self.state.as_ref().is_some_and(|state| state.outcome().is_some()) {
            self.leave_queue();
        }
        for question in questions {
            self.answer(question);
        }
    }

    /// Inputs, and whatever follows: decided, made durable, then acted on.
    async fn turn(&mut self, inputs: Vec<(engine::Input, Reply)>) {
        let mut failure = DispatchError::Busy;
        for _ in 0..CONFLICTS {
            let Some(state) = &self.state else { break };
            let base = state.revision();
            let mut turn = Turn::new(state.clone(), Vec::new(), &self.dispatch);
            let verdicts: Vec<Result<(), Rejection>> = inputs.iter().map(|(input, _)| turn.input(input)).collect();
            turn.follow_up(&self.dispatch, &self.lane);
            let appended = match turn.events.is_empty() {
                true => Ok(()),
                false => self.dispatch.records.append(&turn.deployment, base, &turn.events, None).await,
            };
            match appended {
                Ok(()) => {
                    self.store_failed = false;
                    self.act(turn);
                    for ((_, reply), verdict) in inputs.into_iter().zip(verdicts) {
                        reply.give(verdict.map_err(DispatchError::from), || self.view());
                    }
                    return;
                }
                Err(error) => {
                    turn.give_back(&self.dispatch);
                    let conflict = matches!(error, RecordError::Conflict);
                    failure = self.failed(error);
                    if !conflict {
                        break;
                    }
                    if let Err(error) = self.load().await {
                        failure = error;
                        break;
                    }
                }
            }
        }
        self.store_failed = true;
        for (_, reply) in inputs {
            reply.give(Err(failure.clone()), || self.view());
        }
    }

    /// What was decided is durable: now it may be seen.
    fn act(&mut self, turn: Turn) {
        let Turn { deployment, events, claimed, waiting, .. } = turn;
        self.dispatch.promises.heard(self.id, &events, self.dispatch.clock.monotonic());
        let before = self.state.as_ref().and_then(held);
        let after = held(&deployment);
        if let Some((task, holder)) = before.filter(|_| before != after) {
            self.dispatch.leases.release(holder.instance, task);
        }
        let changed = !events.is_empty() || self.waiting != waiting;
        self.waiting = waiting;
        if let Some((task, holder)) = claimed
            && let Some(session) = self.dispatch.sessions.of_instance(holder.delegate, holder.instance)
        {
            self.assign(&deployment, task, &session);
        }
        self.tell_to_stop(&deployment);
        let finished = deployment.outcome().cloned();
        self.state = Some(deployment);
        if changed {
            self.changes.send_modify(|count| *count = count.wrapping_add(1));
        }
        if let (Some(outcome), false) = (finished, events.is_empty()) {
            tracing::info!(deployment = %self.id, %outcome, "a deployment has ended");
            self.leave_queue();
        }
    }

    /// Tells the holder of a task to stop, once on each of its sessions.
    fn tell_to_stop(&mut self, deployment: &Deployment) {
        let Next::Outstanding { cancel: Some(task), held: Some(held), .. } = next(deployment) else { return };
        let Some(session) = self.dispatch.sessions.of_instance(held.holder.delegate, held.holder.instance) else { return };
        if self.told_to_stop.as_ref().is_some_and(|(told, on)| *told == task && Arc::ptr_eq(on, &session)) {
            return;
        }
        let reason = "its time is over, or somebody asked to stop or to roll back".to_owned();
        session.send(to_delegate::Message::Cancel(delegate::Cancel { task: task.to_string(), reason }));
        self.told_to_stop = Some((task, session));
    }

    /// What the delegate is given. The promise is told as it stands now: it ends later here than where it is kept.
    fn assign(&self, deployment: &Deployment, task: TaskKey, session: &Session) {
        if let Some(mut assignment) = assignment(deployment, task) {
            let promised = self.dispatch.promises.remaining(self.id, self.dispatch.clock.monotonic());
            assignment.promised_ms = u64::try_from(promised.as_millis()).unwrap_or(u64::MAX);
            let assign = delegate::Assign { task: task.to_string(), assignment_json: to_json(&assignment) };
            session.send(to_delegate::Message::Assign(assign));
        }
    }

    fn leave_queue(&self) {
        if let Some(next) = self.dispatch.queue.leave(&self.lane, self.id) {
            self.dispatch.nudge(next);
        }
    }

    fn answer(&mut self, question: Message) {
        // Whoever asks may have gone away: a failed send is no loss.
        match question {
            Message::View(reply) => drop(reply.send(self.view())),
            Message::Listed { holder, mut tasks, revoked } => {
                let own = self.state.as_ref().and_then(held);
                tasks.retain(|task| own != Some((*task, holder)));
                drop(revoked.send(Ok(tasks)));
            }
            Message::Resend { task, session } => {
                let holder = engine::Holder { delegate: session.delegate, instance: session.instance };
                if let Some(state) = self.state.as_ref().filter(|state| held(state) == Some((task, holder))) {
                    self.assign(state, task, &session);
                }
                if let Some(state) = self.state.take() {
                    self.tell_to_stop(&state);
                    self.state = Some(state);
                }
            }
            Message::WasHeld { task, delegate, answer } => {
                let name = self.state.as_ref().and_then(|state| was_held(state, task, delegate));
                drop(answer.send(Ok(name)));
            }
            Message::Nudge | Message::Input { .. } => {}
        }
    }

    pub(super) fn view(&self) -> Result<DeploymentView, DispatchError> {
        let state = self.state.as_ref().ok_or(DispatchError::NotFound(self.id))?;
        // Without a reason, it is a delegate's answer that is waited for: that takes no time worth a word.
        let mut shown = view(state, self.waiting.clone().filter(|reasons| !reasons.is_empty()));
        if let DeploymentStatus::Queued { behind } = &mut shown.status {
            *behind = self.dispatch.queue.ahead(&self.lane, self.id);
        }
        Ok(shown)
    }

    /// How long nothing is due.
    fn wake_in(&self) -> Duration {
        if self.store_failed {
            return STORE_PAUSE;
        }
        let Some(state) = &self.state else { return LONGEST_SLEEP };
        let Next::Outstanding { held, timers, .. } = next(state) else { return LONGEST_SLEEP };
        let (now_ms, now) = (self.dispatch.clock.now_ms(), self.dispatch.clock.monotonic());
        let due = timers.iter().map(|timer| millis(timer.due_ms.saturating_sub(now_ms)));
        let lease = held.map(|held| match self.dispatch.leases.hand_over(held.holder.instance, now) {
            HandOver::NotBefore(at) => at.saturating_sub(now),
            HandOver::LeaseEnded if state.is_aborting() => self.dispatch.promises.remaining(self.id, now),
            HandOver::LeaseEnded | HandOver::GivenUp => Duration::ZERO,
        });
        let look = self.waiting.is_some().then_some(LOOK_AGAIN);
        // At least a millisecond: what is due was dealt with in this turn, or could not be.
        due.chain(lease).chain(look).min().unwrap_or(LONGEST_SLEEP).clamp(Duration::from_millis(1), LONGEST_SLEEP)
    }

    /// Nothing is outstanding: it has ended, or there is no such deployment.
    fn may_retire(&self) -> bool {
        !self.store_failed && self.state.as_ref().is_none_or(|state| state.outcome().is_some())
    }

    pub(super) fn failed(&self, error: RecordError) -> DispatchError {
        match error {
            RecordError::Conflict => DispatchError::Busy,
            RecordError::Unavailable(why) => DispatchError::Unavailable(why),
            RecordError::TooLarge(why) => DispatchError::TooLarge(why),
            RecordError::Corrupt(why) => DispatchError::Corrupt { id: self.id, why },
        }
    }

    fn corrupt(&self, error: impl ToString) -> DispatchError {
        DispatchError::Corrupt { id: self.id, why: error.to_string() }
    }
}

fn held(deployment: &Deployment) -> Option<(TaskKey, engine::Holder)> {
    match next(deployment) {
        Next::Outstanding { held: Some(held), .. } => Some((held.task, held.holder)),
        _ => None,
    }
}

/// The name of a task's step, if the delegate ever held it.
fn was_held(deployment: &Deployment, task: TaskKey, delegate: domain::ids::DelegateId) -> Option<String> {
    let step = usize::try_from(task.step).ok()?;
    let attempt = deployment.steps().get(step)?.course(task.direction).attempt(task.attempt)?;
    let planned = deployment.plan().steps.get(step).filter(|_| attempt.holder.delegate == delegate)?;
    let undo = planned.undo_title().map(str::to_owned);
    match task.direction {
        domain::task::Direction::Perform => Some(planned.name.clone()),
        domain::task::Direction::Undo => undo,
    }
}

fn refuse(message: Message, error: &DispatchError) {
    let error = error.clone();
    match message {
        Message::Input { reply, .. } => reply.give(Err(error.clone()), || Err(error)),
        Message::View(reply) => drop(reply.send(Err(error))),
        Message::Listed { tasks, revoked, .. } => {
            // A deployment that is not there has no tasks.
            let missing = matches!(error, DispatchError::NotFound(_));
            drop(revoked.send(if missing { Ok(tasks) } else { Err(error) }));
        }
        Message::WasHeld { answer, .. } => {
            let missing = matches!(error, DispatchError::NotFound(_));
            drop(answer.send(if missing { Ok(None) } else { Err(error) }));
        }
        Message::Nudge | Message::Resend { .. } => {}
    }
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
