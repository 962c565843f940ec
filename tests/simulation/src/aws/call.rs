//! One call: on its way, at the weather's mercy, taking effect, answered. A write is AWS's once it was sent: it takes effect
//! whatever becomes of the process that sent it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use delegate::aws::budget::Budgets;
use domain::{
    failure::{Effect, Failure, FailureKind, PeerAnswer},
    ids::{DeploymentId, InstanceId},
    task::{Direction, TaskKey},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use runtime::{
    chance::Chance,
    gate::{Gate, Standing},
    tasks::Tasks,
};
use tokio::{sync::oneshot, time::Instant};

use super::{
    account::Account,
    book::{Book, Writer},
    truth,
    weather::{Fate, Weather},
};
use crate::{clock::HostClock, network::Path, planted::Planted, trace::Trace};

/// The client's limit for a read with all its tries, and for a write, as the delegate's own client has them.
pub(super) const READ: Duration = Duration::from_secs(15);
pub(crate) const WRITE: Duration = Duration::from_secs(4);

tokio::task_local! {
    /// The attempt that calls.
    pub static TASK: TaskKey;
}

/// The simulated AWS.
pub struct Cloud {
    pub(super) began: Instant,
    pub(super) trace: Arc<Trace>,
    /// AWS's own: its effects do not end with a caller.
    tasks: Tasks,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) account: Account,
    /// What reads may still show.
    earlier: Option<Account>,
    pub(super) weather: Weather,
    rng: StdRng,
    pub(super) book: Book,
    /// How the account stood before a deployment's first write.
    pub(super) before: BTreeMap<DeploymentId, Account>,
    /// How it stood, and when, before the next deployment of the same line wrote.
    pub(super) after: BTreeMap<DeploymentId, (Account, u64)>,
    lines: BTreeMap<DeploymentId, String>,
    /// The last to write, by line.
    latest: BTreeMap<String, DeploymentId>,
    ambush: Option<Ambush>,
    /// Whose way to AWS is bad since an ambush.
    struck: Option<Arc<str>>,
    victims: BTreeMap<Arc<str>, (Arc<Path>, Arc<HostClock>)>,
}

/// The worst moment to lose somebody: while it writes, and AWS takes its time with it and refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ambush {
    /// At which write from now on; the first is 1.
    pub write: u64,
    /// By how much the sender's time of day is set then, in milliseconds.
    pub jump_ms: i64,
}

/// AWS as one delegate's process sees it.
#[derive(Clone)]
pub struct DelegatesAws {
    pub(super) cloud: Arc<Cloud>,
    /// The process.
    pub instance: InstanceId,
    /// Its name in the story.
    pub name: Arc<str>,
    /// Stops and kills it.
    pub gate: Gate,
    /// What is wrong with it.
    pub planted: Planted,
    /// How often it calls.
    pub(super) budgets: Arc<Budgets>,
    pub(super) chance: Chance,
}

impl Cloud {
    /// With this account, in fair weather.
    pub fn new(account: Account, seed: u64, trace: Arc<Trace>, tasks: Tasks) -> Arc<Self> {
        let state = State {
            account,
            earlier: None,
            weather: Weather::FAIR,
            rng: StdRng::seed_from_u64(seed),
            book: Book::default(),
            before: BTreeMap::new(),
            after: BTreeMap::new(),
            lines: BTreeMap::new(),
            latest: BTreeMap::new(),
            ambush: None,
            struck: None,
            victims: BTreeMap::new(),
        };
        Arc::new(Self { began: Instant::now(), trace, tasks, state: Mutex::new(state) })
    }

    /// The weather changes. From now on old answers show what is now.
    pub fn weather(&self, weather: Weather) {
        let mut state = self.lock();
        self.advance(&mut state);
        state.earlier = (weather.stale > 0.0).then(|| state.account.clone());
        state.weather = weather;
        state.struck = None;
    }

    /// A deployment is going to write to this line.
    pub fn expect(&self, deployment: DeploymentId, line: String) {
        self.lock().lines.insert(deployment, line);
    }

    /// Whoever sends that write is cut off in this moment, and AWS takes its time and refuses. None: nobody any more.
    pub fn ambush(&self, ambush: Option<Ambush>) {
        self.lock().ambush = ambush;
    }

    /// How a delegate's machine can be hurt.
    pub fn knows(&self, name: Arc<str>, path: Arc<Path>, clock: Arc<HostClock>) {
        self.lock().victims.insert(name, (path, clock));
    }

    /// Writes so far.
    pub fn writes(&self) -> u64 {
        self.lock().book.writes()
    }

    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn advance(&self, state: &mut State) {
        state.account.advance(self.now());
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A deployment is about to write: what stood before is kept, for the judgement in the end.
    fn begins(&mut self, deployment: DeploymentId, now: u64) {
        if !self.before.contains_key(&deployment) {
            self.before.insert(deployment, self.account.clone());
        }
        let Some(line) = self.lines.get(&deployment) else { return };
        match self.latest.insert(line.clone(), deployment) {
            Some(last) if last != deployment => drop(self.after.insert(last, (self.account.clone(), now))),
            _ => {}
        }
    }

    /// How AWS is to this delegate.
    fn weather_at(&self, sender: &Arc<str>) -> Weather {
        match self.struck.as_ref() == Some(sender) {
            true => Weather::STORM,
            false => self.weather,
        }
    }

    /// A write is sent: perhaps the one that somebody lies in wait for.
    fn strikes(&mut self, sender: &Arc<str>) -> bool {
        let Some(ambush) = &mut self.ambush else { return false };
        ambush.write = ambush.write.saturating_sub(1);
        if ambush.write > 0 {
            return false;
        }
        let jump_ms = ambush.jump_ms;
        self.ambush = None;
        if let Some((path, clock)) = self.victims.get(sender) {
            path.up.cut(true);
            path.down.cut(true);
            clock.jump(jump_ms);
        }
        self.struck = Some(sender.clone());
        true
    }

    /// Whether production leads where it led before the deployment: the one write that needs no lease brings that about.
    fn is_put_back(&self, task: TaskKey) -> bool {
        let (Some(before), Some(line)) = (self.before.get(&task.deployment), self.lines.get(&task.deployment)) else {
            return false;
        };
        task.direction == Direction::Perform && before.prod_groups(line) == self.account.prod_groups(line)
    }
}

impl DelegatesAws {
    /// AWS for a process.
    pub fn new(cloud: Arc<Cloud>, instance: InstanceId, name: Arc<str>, gate: Gate, planted: Planted, chance: Chance) -> Self {
        Self { cloud, instance, name, gate, planted, budgets: Arc::new(Budgets::published(1.0)), chance }
    }

    /// A read. `may_be_old`: one of those that AWS answers eventually consistent.
    pub(super) async fn read<T>(
        &self,
        operation: &'static str,
        may_be_old: bool,
        look: impl FnOnce(&Account, u64) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (fate, there, back, old) = {
            let state = &mut *self.cloud.lock();
            let weather = Weather { lost_after: 0.0, ..state.weather_at(&self.name) };
            let (fate, there, back) = weather.fate(&mut state.rng);
            (fate, there, back, may_be_old && state.weather.stale > 0.0 && state.rng.random_bool(state.weather.stale))
        };
        if fate == Fate::LostBefore {
            // One try; whether there is another is the budget's matter.
            tokio::time::sleep(READ / 2).await;
            return Err(lost(operation, Effect::DidNotHappen));
        }
        tokio::time::sleep(there + back).await;
        match fate {
            Fate::Throttled => return Err(throttled(operation)),
            Fate::Faulty => return Err(faulty(operation, Effect::DidNotHappen)),
            _ => {}
        }
        let mut state = self.cloud.lock();
        self.cloud.advance(&mut state);
        let now = self.cloud.now();
        match &mut state.earlier {
            Some(earlier) if old => {
                earlier.advance(now);
                look(earlier, now)
            }
            _ => look(&state.account, now),
        }
    }

    /// A write.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        what: String,
        act: impl FnOnce(&mut Account, u64) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (fate, there, back) = {
            let state = &mut *self.cloud.lock();
            if state.strikes(&self.name) {
                self.cloud.trace.say(&self.name, format!("is cut off while it sends {operation}"));
            }
            let weather = state.weather_at(&self.name);
            weather.fate(&mut state.rng)
        };
        let task = TASK.try_with(|task| *task).ok();
        let (answer, answered) = oneshot::channel();
        let (sender, cloud) = (self.clone(), self.cloud.clone());
        let sent = Instant::now();
        self.cloud.tasks.spawn("aws", async move {
            tokio::time::sleep(there).await;
            let result = match fate {
                Fate::Throttled => Err(throttled(operation)),
                Fate::Faulty => Err(faulty(operation, Effect::MayHaveHappened)),
                Fate::LostBefore => {
                    cloud.trace.say(&sender.name, format!("{operation} {what}: lost"));
                    return;
                }
                Fate::Answered | Fate::LostAfter => sender.effect(operation, &what, task, act),
            };
            if fate == Fate::LostAfter {
                cloud.trace.say(&sender.name, format!("{operation}: its answer is lost"));
                return;
            }
            tokio::time::sleep(back).await;
            // Whoever asked may have gone.
            let _ = answer.send(result);
        });
        let answered = async {
            match answered.await {
                Ok(result) => result,
                // No answer comes; the client's time goes by.
                Err(_) => std::future::pending().await,
            }
        };
        let result =
            tokio::time::timeout(WRITE, answered).await.unwrap_or_else(|_| Err(lost(operation, Effect::MayHaveHappened)));
        if sent.elapsed() > WRITE * 4 && self.gate.standing() == Standing::Running {
            self.cloud.trace.say(&self.name, format!("{operation}: came back to it after a pause"));
        }
        result
    }

    fn effect<T>(
        &self,
        operation: &'static str,
        what: &str,
        task: Option<TaskKey>,
        act: impl FnOnce(&mut Account, u64) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let cloud = &self.cloud;
        let state = &mut *cloud.lock();
        cloud.advance(state);
        let now = cloud.now();
        let was = truth::unserved(&state.account, now);
        if let Some(task) = task {
            cloud.trace.say(&self.name, format!("{operation} {what} [{task}]"));
            state.begins(task.deployment, now);
        }
        let result = act(&mut state.account, now);
        cloud.advance(state);
        if let Some(task) = task {
            let promised = operation == "ModifyListener" && state.is_put_back(task);
            if let Err(wrong) = state.book.enter(Writer { instance: self.instance, task }, operation, promised) {
                cloud.trace.violated(format!("two writers: {} {wrong}", self.name));
            }
        }
        for line in truth::unserved(&state.account, now).into_iter().filter(|line| !was.contains(line)) {
            cloud.trace.violated(format!("production of {line} has no healthy target after {operation} {what} of {}", self.name));
        }
        result
    }
}

fn throttled(operation: &str) -> Failure {
    let answer = PeerAnswer {
        operation: operation.into(),
        code: Some("ThrottlingException".into()),
        message: Some("Rate exceeded".into()),
        request_id: None,
    };
    let failure = Failure::refused(FailureKind::Connectivity, format!("{operation}: AWS is throttling."));
    Failure { transient: true, answer: Some(Box::new(answer)), ..failure }
}

fn faulty(operation: &str, effect: Effect) -> Failure {
    Failure {
        effect,
        transient: true,
        ..Failure::refused(FailureKind::Connectivity, format!("{operation}: HTTP status 500 from AWS."))
    }
}

fn lost(operation: &str, effect: Effect) -> Failure {
    Failure {
        effect,
        transient: true,
        ..Failure::refused(FailureKind::Connectivity, format!("{operation}: no answer from AWS."))
    }
}

pub(super) fn refused(operation: &str, code: &str, message: &str) -> Failure {
    let answer =
        PeerAnswer { operation: operation.into(), code: Some(code.into()), message: Some(message.into()), request_id: None };
    let failure = Failure::refused(FailureKind::Application, format!("{operation}: {code}: {message}"));
    Failure { answer: Some(Box::new(answer)), ..failure }
}
