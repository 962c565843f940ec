//! The outside of the logs in files.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use async_trait::async_trait;
use domain::ids::DeploymentId;
use runtime::files::create_private_dir;
use tokio::sync::{mpsc, oneshot};

use super::{
    extents::Extents,
    reader,
    writer::{QUEUE, Request, Writer},
};
use crate::{
    logs::{
        entry::{LogAck, LogCursor, LogEntry, TaskLines},
        error::LogError,
        interface::LogStore,
        newest::{Newest, Subscription},
    },
    store::FolderLock,
};

/// Logs in a folder of this machine, for one process.
///
/// Dropping it waits until what was taken is durable and the folder is free for the next one.
pub struct LogFiles {
    logs: PathBuf,
    extents: Arc<Extents>,
    newest: Newest,
    queue: Option<mpsc::Sender<Request>>,
    writer: Option<thread::JoinHandle<()>>,
}

impl LogFiles {
    /// Opens the logs in a folder, which is created if need be. Reads none of them.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when another process has them open, or the folder can't be used.
    pub fn open(folder: &Path) -> Result<Self, LogError> {
        let failed = |error: std::io::Error| LogError::unavailable(format!("{}: {error}", folder.display()));
        create_private_dir(folder).map_err(failed)?;
        let lock = FolderLock::take(folder).map_err(LogError::unavailable)?;
        let (logs, extents, newest) = (folder.to_owned(), Arc::<Extents>::default(), Newest::default());
        let (sender, queue) = mpsc::channel(QUEUE);
        let writer = Writer {
            logs: logs.clone(),
            extents: extents.clone(),
            newest: newest.clone(),
            queue,
            open: HashMap::new(),
            used: HashMap::new(),
            stuck: HashSet::new(),
            groups: 0,
            _lock: lock,
        };
        let writer = thread::Builder::new().name("log writer".into()).spawn(move || writer.run()).map_err(failed)?;
        Ok(Self { logs, extents, newest, queue: Some(sender), writer: Some(writer) })
    }
}

impl Drop for LogFiles {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // A panic in it was logged by the panic hook; there is nobody here to tell.
            let _ = writer.join();
        }
    }
}

#[async_trait]
impl LogStore for LogFiles {
    async fn append(&self, lines: TaskLines) -> Result<LogAck, LogError> {
        let closed = || LogError::unavailable("the logs are closed");
        let (answer, answered) = oneshot::channel();
        self.queue.as_ref().ok_or_else(closed)?.send(Request { lines, answer }).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    async fn read(
        &self,
        deployment: DeploymentId,
        cursor: LogCursor,
        limit: usize,
    ) -> Result<(Vec<LogEntry>, LogCursor), LogError> {
        let (logs, extents) = (self.logs.clone(), self.extents.clone());
        let read = tokio::task::spawn_blocking(move || reader::read(&logs, &extents, deployment, cursor, limit)).await;
        read.map_err(|_| LogError::unavailable("a read failed in a way that was not expected"))?
    }

    fn subscribe(&self, deployment: DeploymentId) -> Subscription {
        self.newest.subscribe(deployment)
    }
}
