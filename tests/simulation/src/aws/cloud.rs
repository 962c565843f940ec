//! The simulated AWS: the account, how AWS behaves now and to whom, and what stood before each deployment wrote.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    ids::DeploymentId,
    task::{Direction, TaskKey},
};
use rand::{SeedableRng, rngs::StdRng};
use runtime::tasks::Tasks;
use tokio::time::Instant;

use super::{account::Account, book::Book, weather::Weather};
use crate::{clock::HostClock, network::Path, trace::Trace};

/// The simulated AWS.
pub struct Cloud {
    pub(super) began: Instant,
    pub(super) trace: Arc<Trace>,
    /// AWS's own: its effects do not end with a caller.
    pub(super) tasks: Tasks,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) account: Account,
    /// What reads may still show.
    pub(super) earlier: Option<Account>,
    pub(super) weather: Weather,
    pub(super) rng: StdRng,
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
    pub(super) fn begins(&mut self, deployment: DeploymentId, now: u64) {
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
    pub(super) fn weather_at(&self, sender: &Arc<str>) -> Weather {
        match self.struck.as_ref() == Some(sender) {
            true => Weather::STORM,
            false => self.weather,
        }
    }

    /// A write is sent: perhaps the one that somebody lies in wait for.
    pub(super) fn strikes(&mut self, sender: &Arc<str>) -> bool {
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
    pub(super) fn is_put_back(&self, task: TaskKey) -> bool {
        let (Some(before), Some(line)) = (self.before.get(&task.deployment), self.lines.get(&task.deployment)) else {
            return false;
        };
        task.direction == Direction::Perform && before.prod_groups(line) == self.account.prod_groups(line)
    }
}
