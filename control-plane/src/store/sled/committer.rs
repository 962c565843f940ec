//! The commit thread: the only one that writes.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use ::sled::transaction::{ConflictableTransactionError, TransactionError, TransactionalTree};
use tokio::sync::{mpsc, oneshot};

use super::{disk::Syncer, shared::Shared};
use crate::store::{
    change::{ChangeSet, Expect, Write},
    error::StoreError,
};

/// Change sets that may wait.
pub(super) const QUEUE: usize = 256;
/// Change sets in one group, at most: sled has no limit of its own on what waits to be written, and would take seconds.
const GROUP: usize = 256;
/// Bytes after which a group takes no more.
const GROUP_BYTES: usize = 1024 * 1024;

/// Where a test may look, or stop the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Change sets are applied and sled has flushed; the disk may still lose them.
    BeforeSync,
    /// The disk keeps them; nobody was told.
    Synced,
}

pub(super) type Hook = Arc<dyn Fn(Moment) -> io::Result<()> + Send + Sync>;

pub(super) struct Request {
    pub(super) change: ChangeSet,
    pub(super) answer: oneshot::Sender<Result<(), StoreError>>,
}

pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) syncer: Syncer,
    pub(super) queue: mpsc::Receiver<Request>,
    pub(super) hook: Option<Hook>,
}

impl Committer {
    /// Until the store is closed and nothing waits any more.
    pub(super) fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut bytes = first.change.bytes();
            let mut group = vec![first];
            while group.len() < GROUP
                && bytes < GROUP_BYTES
                && let Ok(next) = self.queue.try_recv()
            {
                bytes += next.change.bytes();
                group.push(next);
            }
            let (changes, answers): (Vec<_>, Vec<_>) =
                group.into_iter().map(|Request { change, answer }| (change, answer)).unzip();
            self.shared.counters.take_in_hand(changes.len() as u64);
            let verdicts = self.commit_or_fail(&changes);
            self.shared.counters.take_in_hand(0);
            for (answer, verdict) in answers.into_iter().zip(verdicts) {
                // Whoever asked may have gone away.
                let _ = answer.send(verdict);
            }
        }
    }

    fn commit_or_fail(&mut self, changes: &[ChangeSet]) -> Vec<Result<(), StoreError>> {
        if let Err(error) = self.shared.check() {
            return vec![Err(error); changes.len()];
        }
        // sled panics on some errors of the disk. Nothing of ours is half done then but the group, which is hidden from then on.
        let committed = catch_unwind(AssertUnwindSafe(|| self.commit(changes)));
        let reason = match committed {
            Ok(Ok(verdicts)) => return verdicts,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "writing failed in a way that was not expected".to_owned(),
        };
        self.shared.fail(reason.clone());
        vec![Err(StoreError::unavailable(reason)); changes.len()]
    }

    /// A group: applied one after another, then made durable together. Also a conflict is told only after the flush, because what it
    /// conflicts with may be in this group.
    fn commit(&mut self, changes: &[ChangeSet]) -> Result<Vec<Result<(), StoreError>>, ::sled::Error> {
        let mut verdicts = Vec::with_capacity(changes.len());
        for change in changes {
            verdicts.push(apply(&self.shared, change)?);
        }
        let made = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
        let written = changes.iter().zip(&verdicts).any(|(change, verdict)| verdict.is_ok() && !change.writes.is_empty());
        if written {
            let started = Instant::now();
            self.shared.db.flush()?;
            self.look(Moment::BeforeSync)?;
            self.syncer.sync()?;
            self.look(Moment::Synced)?;
            self.shared.counters.flushed(started.elapsed());
        }
        self.shared.applying().forget();
        self.shared.counters.count(made as u64, (changes.len() - made) as u64);
        Ok(verdicts)
    }

    fn look(&self, moment: Moment) -> io::Result<()> {
        self.hook.as_ref().map_or(Ok(()), |hook| hook(moment))
    }
}

/// One change set: one transaction over all tables, with its preconditions.
fn apply(shared: &Shared, change: &ChangeSet) -> Result<Result<(), StoreError>, ::sled::Error> {
    let mut before = shared.applying();
    before.remember(shared, &change.writes)?;
    let done = ::sled::Transactional::transaction(shared.trees.as_slice(), |trees: &Vec<TransactionalTree>| {
        for Expect { table, key, value } in &change.expect {
            if trees[table.position()].get(key)?.as_deref() != value.as_deref() {
                let conflict = StoreError::Conflict { table: *table, key: key.clone() };
                return Err(ConflictableTransactionError::Abort(conflict));
            }
        }
        for Write { table, key, value } in &change.writes {
            let tree = &trees[table.position()];
            match value {
                Some(value) => tree.insert(key.as_ref(), value.as_ref())?,
                None => tree.remove(key.as_ref())?,
            };
        }
        Ok(())
    });
    match done {
        Ok(()) => Ok(Ok(())),
        Err(TransactionError::Abort(conflict)) => Ok(Err(conflict)),
        Err(TransactionError::Storage(error)) => Err(error),
    }
}
