//! One call for several who ask at once.
//!
//! Whoever asks joins the call that waits to be sent, as long as it has room. Nobody joins a call that was sent: what a caller wrote
//! before it asked may not be in its answer. A call is sent when its turn in the budget has come, so the fewer turns there are, the
//! fuller are the calls; and while another call like it is on its way, not before a moment has passed in which others can join.
//! Whoever asks alone never waits.
//!
//! A call belongs to all who wait for its answer: it goes on as long as one of them does.

use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::failure::Failure;
use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use tokio::{sync::Notify, time::Instant};

use super::lane::{self, Lane};

type Answering<V> = BoxFuture<'static, Answered<V>>;

/// The answer of a call, for all who asked.
#[derive(Debug)]
pub(super) struct Answered<V> {
    pub(super) result: Result<Arc<V>, Failure>,
    /// How many names the call asked for.
    pub(super) names: usize,
}

impl<V> Clone for Answered<V> {
    fn clone(&self) -> Self {
        Self { result: self.result.clone(), names: self.names }
    }
}

/// Calls that are shared by those who ask about the same `K`, and in the same lane: what takes something back does not wait behind
/// what goes forward.
pub(super) struct SharedCalls<K, V> {
    calls: Open<K, V>,
    window: Duration,
    room: usize,
}

/// The calls that may be joined or are on their way.
type Open<K, V> = Arc<Mutex<HashMap<(K, Lane), Calls<V>>>>;

struct Calls<V> {
    waiting: Option<Waiting<V>>,
    on_their_way: usize,
    last_sent: Option<Instant>,
}

impl<V> Default for Calls<V> {
    fn default() -> Self {
        Self { waiting: None, on_their_way: 0, last_sent: None }
    }
}

/// A call that was not sent yet.
struct Waiting<V> {
    call: Arc<Gathering>,
    answer: WeakShared<Answering<V>>,
}

/// The names of one call.
#[derive(Debug, Default)]
struct Gathering {
    names: Mutex<Vec<String>>,
    full: Notify,
}

/// One call, in the hands of whoever sends it.
pub(super) struct Call<K: Eq + Hash, V> {
    calls: Open<K, V>,
    key: (K, Lane),
    gathering: Arc<Gathering>,
    /// How long others may join.
    open_for: Duration,
    sent: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K, V> SharedCalls<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Send + Sync + 'static,
{
    /// Calls that ask for at most `room` names, and are open for `window` while others like them are on their way.
    pub(super) fn new(window: Duration, room: usize) -> Self {
        Self { calls: Arc::default(), window, room }
    }

    /// The answer of a call about `key` that asks for these names, maybe among others. `send` sends it.
    pub(super) async fn ask<F>(&self, key: K, names: &[String], send: impl FnOnce(Call<K, V>) -> F) -> Answered<V>
    where
        F: Future<Output = Result<V, Failure>> + Send + 'static,
    {
        self.join((key, lane::current()), names, send).await
    }

    fn join<F>(&self, key: (K, Lane), names: &[String], send: impl FnOnce(Call<K, V>) -> F) -> Shared<Answering<V>>
    where
        F: Future<Output = Result<V, Failure>> + Send + 'static,
    {
        let mut all = lock(&self.calls);
        // What nobody waits for and nothing is on its way of is as good as new.
        all.retain(|_, calls| {
            calls.on_their_way > 0 || calls.waiting.as_ref().is_some_and(|call| call.answer.upgrade().is_some())
        });
        let calls = all.entry(key.clone()).or_default();
        if let Some(waiting) = &calls.waiting
            && let Some(answer) = waiting.answer.upgrade()
            && waiting.call.take(names, self.room)
        {
            return answer;
        }
        let gathering = Arc::new(Gathering::default());
        gathering.take(names, self.room);
        let since = calls.last_sent.map_or(self.window, |at| at.elapsed());
        let open_for = if calls.on_their_way > 0 { self.window.saturating_sub(since) } else { Duration::ZERO };
        let call = Call { calls: self.calls.clone(), key, gathering: gathering.clone(), open_for, sent: false };
        let names = gathering.clone();
        let sending = send(call);
        let answer = async move {
            let result = sending.await.map(Arc::new);
            Answered { result, names: lock(&names.names).len() }
        };
        let answer = answer.boxed().shared();
        calls.waiting = answer.downgrade().map(|answer| Waiting { call: gathering, answer });
        answer
    }
}

impl Gathering {
    /// Takes these names along, if there is room for all of them.
    fn take(&self, more: &[String], room: usize) -> bool {
        let mut names = lock(&self.names);
        let new: Vec<_> = more.iter().filter(|name| !names.contains(name)).cloned().collect();
        // The first to come always has room.
        if !names.is_empty() && names.len() + new.len() > room {
            return false;
        }
        names.extend(new);
        if names.len() >= room {
            self.full.notify_one();
        }
        true
    }
}

impl<K: Eq + Hash, V> Call<K, V> {
    /// Waits while others may join.
    pub(super) async fn gather(&self) {
        if !self.open_for.is_zero() {
            // A call that is full has nothing to wait for.
            let _ = tokio::time::timeout(self.open_for, self.gathering.full.notified()).await;
        }
    }

    /// It is sent: nobody joins any more. Gives what it asks for.
    pub(super) fn sent(&mut self) -> Vec<String> {
        let mut all = lock(&self.calls);
        if !self.sent
            && let Some(calls) = all.get_mut(&self.key)
        {
            self.sent = true;
            calls.on_their_way += 1;
            calls.last_sent = Some(Instant::now());
            calls.waiting.take_if(|waiting| Arc::ptr_eq(&waiting.call, &self.gathering));
        }
        lock(&self.gathering.names).clone()
    }
}

impl<K: Eq + Hash, V> Drop for Call<K, V> {
    fn drop(&mut self) {
        if self.sent
            && let Some(calls) = lock(&self.calls).get_mut(&self.key)
        {
            calls.on_their_way = calls.on_their_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::{join_all, try_join};

    use super::*;

    const WINDOW: Duration = Duration::from_millis(250);
    const WAY: Duration = Duration::from_millis(100);

    /// Names, and when they were asked for.
    type Asked = (Vec<String>, Duration);

    /// A peer that keeps what it was asked and when, and takes its time.
    #[derive(Clone)]
    struct Peer {
        asked: Arc<Mutex<Vec<Asked>>>,
        began: Instant,
        calls: Arc<SharedCalls<&'static str, Vec<String>>>,
    }

    impl Peer {
        fn new() -> Self {
            Self { asked: Arc::default(), began: Instant::now(), calls: Arc::new(SharedCalls::new(WINDOW, 10)) }
        }

        /// Asks; the turn of the call comes after `turn`.
        async fn ask(&self, key: &'static str, names: &[&str], turn: Duration) -> Result<Vec<String>, Failure> {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let peer = self.clone();
            let send = |mut call: Call<&'static str, Vec<String>>| async move {
                call.gather().await;
                tokio::time::sleep(turn).await;
                let names = call.sent();
                lock(&peer.asked).push((names.clone(), peer.began.elapsed()));
                tokio::time::sleep(WAY).await;
                if names.iter().any(|name| name == "ill") {
                    return Err(Failure::refused(domain::failure::FailureKind::Application, "ill"));
                }
                Ok(names)
            };
            let answered = self.calls.ask(key, &names, send).await;
            answered.result.map(|found| found.to_vec())
        }

        fn asked(&self) -> Vec<(Vec<String>, Duration)> {
            lock(&self.asked).clone()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_alone_never_waits() {
        let peer = Peer::new();
        for _ in 0..5 {
            peer.ask("c", &["a"], Duration::ZERO).await.expect("answered");
        }
        assert_eq!(peer.began.elapsed(), WAY * 5);
        assert_eq!(peer.asked().len(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_for_a_turn_share_one_call_until_it_is_full() {
        let peer = Peer::new();
        let names: Vec<String> = (0..25).map(|n| format!("s{n}")).collect();
        let turn = Duration::from_millis(50);
        let answers = join_all(names.iter().map(|name| {
            let peer = peer.clone();
            async move { peer.ask("c", &[name], turn).await }
        }))
        .await;
        for (name, answer) in names.iter().zip(answers) {
            assert!(answer.expect("answered").contains(name));
        }
        assert_eq!(peer.asked().iter().map(|(names, _)| names.len()).collect::<Vec<_>>(), [10, 10, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_was_sent_is_joined_by_nobody() {
        let peer = Peer::new();
        let late = async {
            tokio::time::sleep(WAY / 2).await;
            peer.ask("c", &["a"], Duration::ZERO).await
        };
        try_join(peer.ask("c", &["a"], Duration::ZERO), late).await.expect("both");
        let asked = peer.asked();
        assert_eq!(asked.len(), 2, "what was written after the first was sent is in the second's answer");
        assert_eq!(asked[1].1, WINDOW, "with another on its way it is open for a while");
    }

    #[tokio::test(start_paused = true)]
    async fn other_keys_and_other_lanes_have_calls_of_their_own() {
        let peer = Peer::new();
        let turn = Duration::from_millis(10);
        let back = lane::within(Lane::Back, peer.ask("c", &["b"], turn));
        futures::join!(peer.ask("c", &["a"], turn), back, peer.ask("d", &["a"], turn)).0.expect("answered");
        assert_eq!(peer.asked().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn all_get_the_same_failure() {
        let peer = Peer::new();
        let turn = Duration::from_millis(10);
        let (one, other) = futures::join!(peer.ask("c", &["a"], turn), peer.ask("c", &["ill"], turn));
        assert_eq!(one.expect_err("shared"), other.expect_err("its own"));
        assert_eq!(peer.asked().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_when_the_one_who_began_it_leaves_and_ends_when_all_did() {
        let peer = Peer::new();
        let turn = Duration::from_millis(50);
        let mut first = Box::pin(peer.ask("c", &["a"], turn));
        let mut second = Box::pin(peer.ask("c", &["b"], turn));
        assert!(futures::poll!(&mut first).is_pending() && futures::poll!(&mut second).is_pending());
        drop(first);
        assert_eq!(second.await.expect("answered"), ["a", "b"]);
        let mut third = Box::pin(peer.ask("c", &["x"], turn));
        assert!(futures::poll!(&mut third).is_pending());
        drop(third);
        assert_eq!(peer.ask("c", &["y"], turn).await.expect("answered"), ["y"]);
    }
}
