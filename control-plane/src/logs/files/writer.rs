//! The thread that writes: everything that waits, then one sync for each file, then the answers.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    path::PathBuf,
    sync::Arc,
};

use domain::ids::DeploymentId;
use tokio::sync::{mpsc, oneshot};

use super::{
    books::Books,
    extents::{Extent, Extents},
};
use crate::{
    logs::{
        entry::{LogAck, TaskLines},
        error::LogError,
        newest::Newest,
    },
    store::FolderLock,
};

/// Appends that may wait.
pub(super) const QUEUE: usize = 256;
/// Appends in one group, at most.
const GROUP: usize = 256;
/// Bytes of text after which a group takes no more.
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// Logs that are kept open.
const OPEN: usize = 256;

pub(super) type Answer = Result<LogAck, LogError>;

pub(super) struct Request {
    pub(super) lines: TaskLines,
    pub(super) answer: oneshot::Sender<Answer>,
}

pub(super) struct Writer {
    pub(super) logs: PathBuf,
    pub(super) extents: Arc<Extents>,
    pub(super) newest: Newest,
    pub(super) queue: mpsc::Receiver<Request>,
    pub(super) open: HashMap<DeploymentId, Books>,
    /// Deployments in the order of their last use, with the group it was in.
    pub(super) used: HashMap<DeploymentId, u64>,
    /// Logs of which nobody knows how they end on disk: nothing more is written to them until the next start.
    pub(super) stuck: HashSet<DeploymentId>,
    pub(super) groups: u64,
    pub(super) _lock: FolderLock,
}

impl Writer {
    /// Until the store is closed and nothing waits any more.
    pub(super) fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut bytes = size(&first);
            let mut group = vec![first];
            while group.len() < GROUP
                && bytes < GROUP_BYTES
                && let Ok(next) = self.queue.try_recv()
            {
                bytes += size(&next);
                group.push(next);
            }
            self.group(group);
        }
    }

    fn group(&mut self, group: Vec<Request>) {
        self.groups += 1;
        let mut touched: BTreeMap<DeploymentId, Result<u64, LogError>> = BTreeMap::new();
        let mut taken = Vec::with_capacity(group.len());
        for Request { lines, answer } in group {
            let deployment = lines.task.deployment;
            let first = touched.entry(deployment).or_insert_with(|| self.prepare(deployment));
            let verdict = match (first, self.open.get_mut(&deployment)) {
                (Ok(_), Some(books)) => books.take(lines),
                (Err(error), _) => Err(error.clone()),
                (Ok(_), None) => Err(LogError::unavailable("the log is not open")),
            };
            taken.push((deployment, verdict, answer));
        }
        let written: BTreeMap<DeploymentId, Result<(), LogError>> = touched
            .into_iter()
            .map(|(deployment, first)| (deployment, first.and_then(|first| self.write(deployment, first))))
            .collect();
        for (deployment, verdict, answer) in taken {
            let written = written.get(&deployment).cloned().unwrap_or(Ok(()));
            // Whoever asked may have gone away.
            let _ = answer.send(verdict.and_then(|next| written.map(|()| LogAck { next })));
        }
        self.close_idle();
    }

    /// Opens a log if need be; gives the number of the entry that comes next.
    fn prepare(&mut self, deployment: DeploymentId) -> Result<u64, LogError> {
        if self.stuck.contains(&deployment) {
            return Err(LogError::unavailable("this log could not be written before, and not be cleaned up after that"));
        }
        self.used.insert(deployment, self.groups);
        if let Some(books) = self.open.get(&deployment) {
            return Ok(books.next_entry());
        }
        let books = Books::open(&self.logs, deployment).map_err(|error| self.failed(deployment, &error))?;
        let next = books.next_entry();
        // Before anything is written: readers take what is on disk for durable until the log is in this map.
        self.extents.lock().insert(deployment, books.extent());
        self.open.insert(deployment, books);
        Ok(next)
    }

    /// Makes durable what was taken since `first`, the entry that was to come next.
    fn write(&mut self, deployment: DeploymentId, first: u64) -> Result<(), LogError> {
        let Some(books) = self.open.get_mut(&deployment) else { return Ok(()) };
        let before = books.extent();
        match books.write(first) {
            Ok(()) => {
                let (extent, newest) = (books.extent(), books.next_entry() - 1);
                if extent != before {
                    self.extents.lock().insert(deployment, extent);
                    self.newest.tell(deployment, newest);
                }
                Ok(())
            }
            Err(error) => {
                self.open.remove(&deployment);
                self.used.remove(&deployment);
                if self.on_disk(deployment).is_ok_and(|extent| extent == before) {
                    self.extents.lock().remove(&deployment);
                } else {
                    // Readers keep to what is known to be durable.
                    self.stuck.insert(deployment);
                }
                Err(self.failed(deployment, &error))
            }
        }
    }

    /// How the log's files look, whatever the books say. A segment that was begun and is empty is as good as none.
    fn on_disk(&self, deployment: DeploymentId) -> io::Result<Extent> {
        let folder = super::segment::folder(&self.logs, deployment);
        let mut segments = super::segment::list(&folder)?;
        while let Some(first) = segments.pop() {
            let path = super::segment::path(&folder, first);
            let bytes = std::fs::metadata(&path)?.len();
            if bytes > 0 || segments.is_empty() {
                return Ok(if bytes > 0 { Extent { last: Some(first), bytes } } else { Extent::default() });
            }
        }
        Ok(Extent::default())
    }

    fn failed(&self, deployment: DeploymentId, error: &io::Error) -> LogError {
        tracing::error!(%deployment, %error, "a log cannot be written");
        LogError::unavailable(error)
    }

    /// Closes the logs that were not written for the longest time, so that memory and files stay bounded.
    fn close_idle(&mut self) {
        while self.open.len() > OPEN {
            let Some((&idle, _)) = self.used.iter().min_by_key(|(_, group)| **group) else { return };
            self.used.remove(&idle);
            self.open.remove(&idle);
            self.extents.lock().remove(&idle);
        }
    }
}

fn size(request: &Request) -> usize {
    request.lines.lines.iter().map(|line| line.text.len() + 32).sum()
}
