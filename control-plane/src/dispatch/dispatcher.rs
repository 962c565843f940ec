//! Dispatch: every open deployment has a driver here; inputs from people, delegates and time reach it through its inbox.
//!
//! Drivers are started for all open deployments when the control plane starts ([`Dispatch::recover`], which is the whole recovery),
//! for a new one when it is accepted, and for one that has ended as long as somebody asks about it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    deployment::DeploymentView,
    ids::{DelegateId, DeploymentId},
    signal::Signal,
    task::TaskKey,
};
use engine::{Holder, Input, Plan};
use runtime::{clock::Clock, tasks::Tasks};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    copies::Copies,
    driver::{Driver, Origin},
    error::DispatchError,
    lease::{LeaseTerms, Leases},
    message::{Message, Reply},
    promises::Promises,
    queries::Queries,
    queue::Queue,
    quota::Quotas,
    records::{AcceptKey, RecordError, Records},
    roster::Roster,
    sessions::{Session, Sessions},
};

/// Messages that may wait for one driver.
const INBOX: usize = 256;

/// All drivers and what they share.
pub struct Dispatch {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tasks: Tasks,
    pub(super) records: Records,
    /// The connected delegates.
    pub sessions: Arc<Sessions>,
    /// Their leases.
    pub leases: Leases,
    /// The delegates that have ever joined.
    pub roster: Roster,
    /// Questions to delegates.
    pub queries: Queries,
    /// Certificates that are used twice.
    pub copies: Copies,
    pub(super) quotas: Quotas,
    pub(super) queue: Queue,
    pub(super) promises: Promises,
    live: Mutex<HashMap<DeploymentId, Live>>,
}

/// The way to a driver.
struct Live {
    inbox: mpsc::Sender<Message>,
    changes: watch::Receiver<u64>,
}

impl Dispatch {
    /// Without drivers yet.
    pub fn new(clock: Arc<dyn Clock>, tasks: Tasks, records: Records, roster: Roster, terms: LeaseTerms) -> Arc<Self> {
        let leases = Leases::new(terms, clock.monotonic());
        Arc::new(Self {
            clock,
            tasks,
            records,
            sessions: Sessions::new(),
            leases,
            roster,
            queries: Queries::default(),
            copies: Copies::default(),
            quotas: Quotas::default(),
            queue: Queue::default(),
            promises: Promises::new(terms.margin),
            live: Mutex::default(),
        })
    }

    /// Takes up every deployment that has not ended. To be called before delegates are let in, so that they find their tasks.
    /// Returns how many there are.
    ///
    /// # Errors
    /// When the store can't be read. A journal that is damaged is logged and left alone.
    pub async fn recover(self: &Arc<Self>) -> Result<usize, RecordError> {
        let mut open = Vec::new();
        for id in self.records.open().await? {
            match self.records.load(id).await {
                Ok(Some(deployment)) => open.push(deployment),
                Ok(None) => tracing::error!(deployment = %id, "an open deployment has no journal: it is left alone"),
                Err(RecordError::Corrupt(why)) => {
                    tracing::error!(deployment = %id, why, "an open deployment's journal cannot be read: it is left alone");
                }
                Err(error) => return Err(error),
            }
        }
        // Whoever has begun goes first on its lane, then by acceptance.
        open.sort_by_key(|deployment| (!deployment.is_started(), deployment.id()));
        for deployment in &open {
            self.queue.enter(&super::queue::Lane::of(deployment.plan()), deployment.id());
        }
        let count = open.len();
        let mut live = self.live();
        for deployment in open {
            self.start(&mut live, deployment.id(), Origin::Loaded(Box::new(deployment)));
        }
        Ok(count)
    }

    /// Looks at the clock several times in a lease: how the leases notice that the control plane itself was held up.
    pub async fn keep_pulse(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(self.leases.terms().lease / 8);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.leases.pulse(self.clock.monotonic());
        }
    }

    /// Accepts a deployment: when this returns, it is durable and on its way. With a key that was used before, nothing is done and
    /// the deployment that was accepted then is named.
    ///
    /// # Errors
    /// When the plan can't be carried out or the store takes nothing.
    pub async fn accept(self: &Arc<Self>, plan: Plan, key: Option<AcceptKey>) -> Result<DeploymentId, DispatchError> {
        let id = plan.deployment;
        let (reply, accepted) = oneshot::channel();
        self.start(&mut self.live(), id, Origin::New { plan: Arc::new(plan), key, reply });
        match accepted.await {
            Ok(Ok(())) => Ok(id),
            Ok(Err(DispatchError::AcceptedBefore(before))) => Ok(before),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(DispatchError::Busy),
        }
    }

    /// The deployment that was accepted under a key, if one was.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn accepted_as(&self, key: &AcceptKey) -> Result<Option<DeploymentId>, DispatchError> {
        Ok(self.records.accepted_as(key).await?)
    }

    /// A person's word, and how the deployment stands then.
    ///
    /// # Errors
    /// When there is no such deployment, its state forbids it, or the store takes nothing.
    pub async fn signal(
        self: &Arc<Self>,
        id: DeploymentId,
        who: String,
        signal: Signal,
        step: Option<u32>,
        comment: Option<String>,
    ) -> Result<DeploymentView, DispatchError> {
        let input = Box::new(Input::Signal { who, signal, step, comment });
        self.ask(id, |reply| Message::Input { input, reply: Reply::Person(reply) }).await
    }

    /// How a deployment stands.
    ///
    /// # Errors
    /// When there is none, or the store can't be read.
    pub async fn view(self: &Arc<Self>, id: DeploymentId) -> Result<DeploymentView, DispatchError> {
        let view = self.ask(id, Message::View).await?;
        self.with_later(view).await
    }

    /// The newest deployments, newest first, of one application or of all.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn newest(self: &Arc<Self>, application: Option<&str>, limit: usize) -> Result<Vec<DeploymentView>, DispatchError> {
        let ids = self.records.newest(application, limit).await?;
        let mut views = Vec::with_capacity(ids.len());
        for id in ids {
            views.push(self.view(id).await?);
        }
        Ok(views)
    }

    /// Changes whenever the deployment's view may have; closed when its driver has retired, which it does some time after the
    /// end.
    pub fn changes(self: &Arc<Self>, id: DeploymentId) -> watch::Receiver<u64> {
        let mut live = self.live();
        self.start(&mut live, id, Origin::Stored).changes.clone()
    }

    /// A message from a delegate for the engine; the answer goes to its session.
    ///
    /// # Errors
    /// When too much waits for this deployment already.
    pub(super) fn input(self: &Arc<Self>, id: DeploymentId, input: Input, reply: Reply) -> Result<(), DispatchError> {
        self.deliver(id, Message::Input { input: Box::new(input), reply })
    }

    /// Of the tasks that an instance lists in its hello, those that it does not hold.
    ///
    /// # Errors
    /// When a deployment's state can't be read now: then the instance can't be let in.
    pub async fn not_held(self: &Arc<Self>, holder: Holder, listed: Vec<TaskKey>) -> Result<Vec<TaskKey>, DispatchError> {
        let mut by_deployment: BTreeMap<DeploymentId, Vec<TaskKey>> = BTreeMap::new();
        for task in listed {
            by_deployment.entry(task.deployment).or_default().push(task);
        }
        let mut revoked = Vec::new();
        for (id, tasks) in by_deployment {
            revoked.extend(self.ask(id, |revoked| Message::Listed { holder, tasks, revoked }).await?);
        }
        Ok(revoked)
    }

    /// A new session is entered: tasks that its instance holds and did not list are assigned again, since the assignment may have
    /// been lost with the stream before.
    pub fn resend(self: &Arc<Self>, session: &Arc<Session>, listed: &[TaskKey]) {
        for task in self.leases.held(session.instance) {
            if !listed.contains(&task) {
                let resend = Message::Resend { task, session: session.clone() };
                if self.deliver(task.deployment, resend).is_err() {
                    session.close();
                }
            }
        }
    }

    /// An instance said goodbye: what it still held is handed on at once.
    pub fn goodbye(self: &Arc<Self>, session: &Session) {
        for task in self.leases.give_up(session.instance, self.clock.monotonic()) {
            self.nudge(task.deployment);
        }
    }

    /// The name of a task's step, if the delegate ever held the task.
    ///
    /// # Errors
    /// When the deployment can't be read now.
    pub async fn was_held(self: &Arc<Self>, task: TaskKey, delegate: DelegateId) -> Result<Option<String>, DispatchError> {
        self.ask(task.deployment, |answer| Message::WasHeld { task, delegate, answer }).await
    }

    /// How many deployments have a driver now.
    pub fn live_count(&self) -> usize {
        self.live().len()
    }

    /// Something that concerns the deployment may have changed.
    pub(super) fn nudge(self: &Arc<Self>, id: DeploymentId) {
        // A full inbox is as good as a nudge: a turn follows.
        let _ = self.deliver(id, Message::Nudge);
    }

    /// A driver ends, unless a message has reached it in this moment.
    pub(super) fn retire(&self, id: DeploymentId, inbox: &mpsc::Receiver<Message>) -> bool {
        let mut live = self.live();
        let idle = inbox.is_empty();
        if idle {
            live.remove(&id);
        }
        idle
    }

    /// A driver ends that never took its deployment up.
    pub(super) fn forget(&self, id: DeploymentId) {
        self.live().remove(&id);
    }

    async fn ask<T>(
        self: &Arc<Self>,
        id: DeploymentId,
        message: impl FnOnce(oneshot::Sender<Result<T, DispatchError>>) -> Message,
    ) -> Result<T, DispatchError> {
        let (reply, answer) = oneshot::channel();
        self.deliver(id, message(reply))?;
        match tokio::time::timeout(ANSWER_LIMIT, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(DispatchError::Busy),
        }
    }

    fn deliver(self: &Arc<Self>, id: DeploymentId, message: Message) -> Result<(), DispatchError> {
        let mut live = self.live();
        // Sent under the lock, so that a driver that is about to retire sees it.
        self.start(&mut live, id, Origin::Stored).inbox.try_send(message).map_err(|_| DispatchError::Busy)
    }

    /// The way to the deployment's driver, which is started if there is none.
    fn start<'a>(
        self: &Arc<Self>,
        live: &'a mut MutexGuard<'_, HashMap<DeploymentId, Live>>,
        id: DeploymentId,
        origin: Origin,
    ) -> &'a Live {
        // A driver that ended by a fault of our own took its inbox with it; the next one begins with what is stored.
        if live.get(&id).is_some_and(|live| live.inbox.is_closed()) {
            live.remove(&id);
        }
        live.entry(id).or_insert_with(|| {
            let (inbox, messages) = mpsc::channel(INBOX);
            let (changed, changes) = watch::channel(0);
            let driver = Driver::new(self.clone(), id, messages, changed);
            self.tasks.spawn_until_cancelled("deployment driver", driver.run(origin));
            Live { inbox, changes }
        })
    }

    fn live(&self) -> MutexGuard<'_, HashMap<DeploymentId, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a question to a driver may take: the store answers in milliseconds or not at all.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
