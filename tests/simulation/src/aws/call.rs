//! One call: on its way, at the weather's mercy, taking effect, answered. A write is AWS's once it was sent: it takes effect
//! whatever becomes of the process that sent it.

use std::{sync::Arc, time::Duration};

use delegate::aws::budget::Budgets;
use domain::{
    failure::{Effect, Failure},
    ids::InstanceId,
    task::TaskKey,
};
use rand::Rng;
use runtime::{
    chance::Chance,
    gate::{Gate, Standing},
};
use tokio::{sync::oneshot, time::Instant};

use super::{
    account::Account,
    book::Writer,
    cloud::Cloud,
    failures::{faulty, lost, throttled},
    truth,
    weather::{Fate, Weather},
};
use crate::planted::Planted;

/// The client's limit for a read with all its tries, and for a write, as the delegate's own client has them.
pub(super) const READ: Duration = Duration::from_secs(15);
pub(crate) const WRITE: Duration = Duration::from_secs(4);

tokio::task_local! {
    /// The attempt that calls.
    pub static TASK: TaskKey;
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
