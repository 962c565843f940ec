//! Named, owned tasks: nothing runs in the background without a name and without somebody who waits for its end.
//!
//! A [`Tasks`] is a set with a token. Whoever cancels the token asks every task to end; [`Tasks::drain`] waits for them and says
//! who was late. A task that panics is logged with its name and counted, and [`Tasks::panicked`] resolves, so that a server can
//! decide to stop instead of limping on.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::gate::Gate;

/// A set of named tasks. Cloning gives another handle to the same set.
#[derive(Clone)]
pub struct Tasks {
    set: Arc<Set>,
}

struct Set {
    tracker: TaskTracker,
    token: CancellationToken,
    names: Mutex<BTreeMap<u64, Cow<'static, str>>>,
    next: AtomicU64,
    panics: AtomicU64,
    panicked: CancellationToken,
    gate: Option<Gate>,
}

/// Tasks that had not ended when the time for it was over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("still running after {limit:?}: {}", .names.join(", "))]
pub struct Late {
    /// Their names, oldest first.
    pub names: Vec<String>,
    /// How long they had.
    pub limit: Duration,
}

impl Tasks {
    /// An empty set whose tasks are to end when `token` is cancelled.
    pub fn new(token: CancellationToken) -> Self {
        Self::with(token, None)
    }

    /// The same for a process that runs within another: its tasks go on only as the gate lets them.
    pub fn gated(token: CancellationToken, gate: Gate) -> Self {
        Self::with(token, Some(gate))
    }

    fn with(token: CancellationToken, gate: Option<Gate>) -> Self {
        Self {
            set: Arc::new(Set {
                tracker: TaskTracker::new(),
                token,
                names: Mutex::default(),
                next: AtomicU64::new(0),
                panics: AtomicU64::new(0),
                panicked: CancellationToken::new(),
                gate,
            }),
        }
    }

    /// The token that asks the tasks of this set to end.
    pub fn token(&self) -> &CancellationToken {
        &self.set.token
    }

    /// Starts a task. It is not stopped by the token: it has to watch it, because only it knows where it may stop.
    ///
    /// The handle may be dropped: the set owns the task.
    pub fn spawn<F>(&self, name: impl Into<Cow<'static, str>>, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let running = Running::register(&self.set, name.into());
        let gate = self.set.gate.clone();
        self.set.tracker.spawn(async move {
            let _running = running;
            let mut future = pin!(future);
            poll_fn(|context| match &gate {
                None => future.as_mut().poll(context),
                Some(gate) => gate.poll(future.as_mut(), context),
            })
            .await
        })
    }

    /// Starts a task that is dropped where it stands as soon as the token is cancelled.
    pub fn spawn_until_cancelled<F>(&self, name: impl Into<Cow<'static, str>>, future: F) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let token = self.set.token.clone();
        self.spawn(name, async move {
            token.run_until_cancelled(future).await;
        })
    }

    /// Cancels the token and waits for every task.
    ///
    /// # Errors
    /// When some are still running after `limit`; they go on running.
    pub async fn drain(&self, limit: Duration) -> Result<(), Late> {
        self.set.token.cancel();
        self.set.tracker.close();
        tokio::time::timeout(limit, self.set.tracker.wait()).await.map_err(|_| Late { names: self.running(), limit })
    }

    /// Names of the tasks that run now, oldest first.
    pub fn running(&self) -> Vec<String> {
        self.set.names.lock().unwrap_or_else(PoisonError::into_inner).values().map(|name| name.to_string()).collect()
    }

    /// How many tasks run now.
    pub fn len(&self) -> usize {
        self.set.tracker.len()
    }

    /// Whether none runs.
    pub fn is_empty(&self) -> bool {
        self.set.tracker.is_empty()
    }

    /// How many tasks have panicked.
    pub fn panics(&self) -> u64 {
        self.set.panics.load(Ordering::Relaxed)
    }

    /// Resolves when a task has panicked.
    pub async fn panicked(&self) {
        self.set.panicked.cancelled().await;
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.running()).finish()
    }
}

/// A task's entry in the set, for as long as its future lives: also while it unwinds.
struct Running {
    set: Arc<Set>,
    id: u64,
}

impl Running {
    fn register(set: &Arc<Set>, name: Cow<'static, str>) -> Self {
        let id = set.next.fetch_add(1, Ordering::Relaxed);
        set.names.lock().unwrap_or_else(PoisonError::into_inner).insert(id, name);
        Self { set: set.clone(), id }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let name = self.set.names.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        if std::thread::panicking() {
            tracing::error!(task = name.as_deref().unwrap_or_default(), "a task panicked");
            self.set.panics.fetch_add(1, Ordering::Relaxed);
            self.set.panicked.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn draining_waits_and_then_names_who_is_late() {
        let tasks = Tasks::new(CancellationToken::new());
        let token = tasks.token().clone();
        tasks.spawn("obedient", async move { token.cancelled().await });
        tasks.spawn_until_cancelled("dropped", std::future::pending());
        let stubborn = tasks.spawn("stubborn", std::future::pending::<()>());
        let late = tasks.drain(Duration::from_millis(50)).await.expect_err("one is late");
        assert_eq!(late.names, ["stubborn"]);
        stubborn.abort();
        tasks.drain(Duration::from_secs(5)).await.expect("nobody is late");
        assert!(tasks.is_empty() && tasks.running().is_empty());
    }

    #[tokio::test]
    async fn a_panic_surfaces() {
        let tasks = Tasks::new(CancellationToken::new());
        let handle = tasks.spawn("unlucky", async {
            tokio::task::yield_now().await;
            panic!("on purpose");
        });
        tasks.panicked().await;
        assert!(handle.await.expect_err("panicked").is_panic());
        assert_eq!(tasks.panics(), 1);
        assert!(tasks.running().is_empty());
    }

    #[tokio::test]
    async fn a_task_hands_back_its_result() {
        let tasks = Tasks::new(CancellationToken::new());
        assert_eq!(tasks.spawn("sum", async { 2 + 3 }).await.expect("ends"), 5);
    }
}
