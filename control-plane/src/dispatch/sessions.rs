//! The delegates that are connected now. A session is entered when its hello was answered and taken out when its stream ends,
//! however it ends. What goes down to a delegate passes a bounded channel: a delegate that does not read loses its session, not
//! the server its memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use domain::{
    ids::{DelegateId, InstanceId},
    step::StepKind,
};
use proto::delegate::{ToDelegate, to_delegate::Message};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::access::AccessChecks;

/// Messages that may wait for one delegate to read them.
pub const DOWN_QUEUE: usize = 256;

/// The way down to a delegate.
pub type Down = mpsc::Sender<Result<ToDelegate, Status>>;

/// A connected delegate.
pub struct Session {
    /// The delegate, as its certificate says.
    pub delegate: DelegateId,
    /// Its process, as it says.
    pub instance: InstanceId,
    /// Its name, for people.
    pub name: String,
    /// Version of its program.
    pub version: String,
    /// Kinds of steps it can perform.
    pub kinds: BTreeSet<StepKind>,
    /// What it calls itself.
    pub selectors: BTreeSet<String>,
    /// Whether it can be asked about its access to AWS.
    pub tells_access: bool,
    /// What it said of its access to AWS.
    pub access: AccessChecks,
    certificate: Mutex<String>,
    draining: AtomicBool,
    last_seen_ms: AtomicI64,
    down: Down,
    closed: CancellationToken,
}

/// What a hello and a certificate say of a delegate.
pub struct Introduction {
    /// The delegate, as its certificate says.
    pub delegate: DelegateId,
    /// Its process.
    pub instance: InstanceId,
    /// Its name, for people.
    pub name: String,
    /// Version of its program.
    pub version: String,
    /// Kinds of steps it can perform.
    pub kinds: BTreeSet<StepKind>,
    /// What it calls itself.
    pub selectors: BTreeSet<String>,
    /// Whether it can be asked about its access to AWS.
    pub tells_access: bool,
    /// It takes no new tasks.
    pub draining: bool,
}

impl Session {
    /// A session that is not entered anywhere yet.
    pub fn new(introduction: Introduction, down: Down, now_ms: i64) -> Self {
        let Introduction { delegate, instance, name, version, kinds, selectors, tells_access, draining } = introduction;
        Self {
            delegate,
            instance,
            name,
            version,
            kinds,
            selectors,
            tells_access,
            access: AccessChecks::default(),
            certificate: Mutex::default(),
            draining: AtomicBool::new(draining),
            last_seen_ms: AtomicI64::new(now_ms),
            down,
            closed: CancellationToken::new(),
        }
    }

    /// Sends a message down. A delegate whose channel is full does not read: its session is closed.
    pub fn send(&self, message: Message) {
        match self.down.try_send(Ok(ToDelegate { message: Some(message) })) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                tracing::warn!(delegate = %self.delegate, "a delegate does not read what it is sent: its session is closed");
                self.close();
            }
            // The stream has ended: the delegate comes back and is told again what matters.
            Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
    }

    /// Ends the session: the delegate is to come back with a new hello.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Cancelled when the session is to end.
    pub fn closed(&self) -> &CancellationToken {
        &self.closed
    }

    /// It shows the certificate of this serial number, or says that it keeps it.
    pub fn shows(&self, serial: String) {
        *self.certificate.lock().unwrap_or_else(PoisonError::into_inner) = serial;
    }

    /// Serial number of the certificate that it showed last, or said that it keeps.
    pub fn certificate(&self) -> String {
        self.certificate.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it takes no new tasks.
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// It spoke. Returns whether it has begun or ceased to drain.
    pub fn seen(&self, draining: bool, now_ms: i64) -> bool {
        self.last_seen_ms.store(now_ms, Ordering::Relaxed);
        self.draining.swap(draining, Ordering::Relaxed) != draining
    }

    /// When it last spoke, milliseconds since 1970-01-01 UTC.
    pub fn last_seen_ms(&self) -> i64 {
        self.last_seen_ms.load(Ordering::Relaxed)
    }
}

/// All connected delegates, at most one session for each.
pub struct Sessions {
    // Ordered: who is chosen among equals is to be the same in every run of the simulation.
    open: RwLock<BTreeMap<DelegateId, Arc<Session>>>,
    /// How often something changed so far.
    changes: AtomicU64,
    // No watch channel: it wakes those who wait in a random order, and who comes first is to be the same in every run of the
    // simulation.
    changed: Notify,
}

impl Sessions {
    /// Nobody is connected.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { open: RwLock::default(), changes: AtomicU64::new(0), changed: Notify::new() })
    }

    /// Enters a session until the returned guard is dropped. An older session of the same delegate is closed.
    pub fn enter(self: &Arc<Self>, session: Arc<Session>) -> Entered {
        let older = self.open.write().unwrap_or_else(PoisonError::into_inner).insert(session.delegate, session.clone());
        if let Some(older) = older {
            older.close();
        }
        self.announce();
        Entered { sessions: self.clone(), session }
    }

    /// The session of a delegate.
    pub fn of(&self, delegate: DelegateId) -> Option<Arc<Session>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).get(&delegate).cloned()
    }

    /// The session of this very process of a delegate.
    pub fn of_instance(&self, delegate: DelegateId, instance: InstanceId) -> Option<Arc<Session>> {
        self.of(delegate).filter(|session| session.instance == instance)
    }

    /// Every session.
    pub fn all(&self) -> Vec<Arc<Session>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// How many are connected.
    pub fn count(&self) -> usize {
        self.open.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Wakes whoever waits for an eligible delegate: one came, or can take tasks again.
    pub fn announce(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    /// Changes when a delegate comes, goes, or begins or ceases to drain.
    pub fn changes(self: &Arc<Self>) -> Changes {
        Changes { sessions: self.clone(), seen: self.changes.load(Ordering::Relaxed) }
    }
}

/// What one who waits for an eligible delegate has seen of the changes.
pub struct Changes {
    sessions: Arc<Sessions>,
    seen: u64,
}

impl Changes {
    /// Returns when there is a change that was not seen. May be dropped and called again: nothing is missed.
    pub async fn changed(&mut self) {
        loop {
            let mut changed = pin!(self.sessions.changed.notified());
            // Before the look: what changes after it is not missed.
            changed.as_mut().enable();
            let now = self.sessions.changes.load(Ordering::Relaxed);
            if now != self.seen {
                self.seen = now;
                return;
            }
            changed.await;
        }
    }

    /// Everything until now was seen.
    pub fn mark_unchanged(&mut self) {
        self.seen = self.sessions.changes.load(Ordering::Relaxed);
    }
}

/// A session's entry; dropping it takes the session out.
pub struct Entered {
    sessions: Arc<Sessions>,
    session: Arc<Session>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.session.close();
        let mut open = self.sessions.open.write().unwrap_or_else(PoisonError::into_inner);
        // A newer session of the same delegate may have taken the place.
        if open.get(&self.session.delegate).is_some_and(|entered| Arc::ptr_eq(entered, &self.session)) {
            open.remove(&self.session.delegate);
        }
        drop(open);
        self.sessions.announce();
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn session(instance: u128) -> (Arc<Session>, mpsc::Receiver<Result<ToDelegate, Status>>) {
        let (down, messages) = mpsc::channel(1);
        let introduction = Introduction {
            delegate: DelegateId::new(Uuid::from_u128(1)),
            instance: InstanceId::new(Uuid::from_u128(instance)),
            name: "one".into(),
            version: "1".into(),
            kinds: BTreeSet::new(),
            selectors: BTreeSet::new(),
            tells_access: false,
            draining: false,
        };
        (Arc::new(Session::new(introduction, down, 0)), messages)
    }

    #[test]
    fn a_newer_session_takes_the_place_of_the_older_and_keeps_it() {
        let sessions = Sessions::new();
        let (older, _older_messages) = session(1);
        let (newer, _newer_messages) = session(2);
        let delegate = older.delegate;
        let older_entry = sessions.enter(older.clone());
        let newer_entry = sessions.enter(newer.clone());
        assert!(older.closed().is_cancelled() && !newer.closed().is_cancelled());
        drop(older_entry);
        assert!(sessions.of(delegate).is_some_and(|entered| entered.instance == newer.instance));
        assert!(sessions.of_instance(delegate, older.instance).is_none());
        drop(newer_entry);
        assert_eq!(sessions.count(), 0);
    }

    #[test]
    fn a_delegate_that_does_not_read_loses_its_session() {
        let (session, messages) = session(1);
        session.send(Message::Drain(proto::delegate::Drain::default()));
        assert!(!session.closed().is_cancelled());
        session.send(Message::Drain(proto::delegate::Drain::default()));
        assert!(session.closed().is_cancelled());
        drop(messages);
    }
}
