//! The log buffer as steps write into it and the shipper reads from it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{
    log::{LogLevel, LogLine},
    task::TaskKey,
};
use runtime::clock::Clock;
use tokio::sync::{Notify, watch};

use super::{LogBuffer, buffer::Chunk, line};
use crate::executor::StepLog;

/// Lines of all attempts that are not acknowledged yet.
pub struct Logs {
    buffer: Mutex<LogBuffer>,
    clock: Arc<dyn Clock>,
    written: Notify,
    progress: watch::Sender<()>,
}

impl Logs {
    /// Keeps about `memory` bytes at most.
    pub fn new(memory: usize, clock: Arc<dyn Clock>) -> Self {
        let buffer = Mutex::new(LogBuffer::new(memory));
        Self { buffer, clock, written: Notify::new(), progress: watch::Sender::new(()) }
    }

    /// See [`LogBuffer::push`].
    pub fn write(&self, task: TaskKey, level: LogLevel, text: &str) {
        let line = LogLine { number: 0, at_ms: self.clock.now_ms(), level, text: line::clean(text) };
        self.lock().push(task, line);
        self.written.notify_one();
    }

    /// See [`LogBuffer::end`].
    pub fn end(&self, task: TaskKey) {
        self.lock().end(task);
    }

    /// See [`LogBuffer::acknowledge`].
    pub fn acknowledge(&self, task: TaskKey, next: u64) {
        self.lock().acknowledge(task, next);
        self.progress.send_replace(());
    }

    /// See [`LogBuffer::reject`].
    pub fn reject(&self, task: TaskKey) {
        self.lock().reject(task);
        self.progress.send_replace(());
    }

    /// See [`LogBuffer::rewind`].
    pub fn rewind(&self) {
        self.lock().rewind();
    }

    /// See [`LogBuffer::take_chunk`].
    pub fn take_chunk(&self) -> Option<Chunk> {
        let chunk = self.lock().take_chunk();
        self.progress.send_replace(());
        chunk
    }

    /// Whether lines wait to be sent and may be.
    pub fn has_chunk(&self) -> bool {
        self.lock().has_chunk()
    }

    /// Resolves when something was written since the last time. For one listener: the shipper.
    pub async fn written(&self) {
        self.written.notified().await;
    }

    /// Resolves when every line of this attempt is at least on its way.
    pub async fn sent(&self, task: TaskKey) {
        let mut progress = self.progress.subscribe();
        // The sender lives in `self`: an error cannot be.
        while self.lock().is_unsent(task) && progress.changed().await.is_ok() {}
    }

    /// Resolves when every line is acknowledged.
    pub async fn flushed(&self) {
        let mut progress = self.progress.subscribe();
        while !self.lock().is_empty() && progress.changed().await.is_ok() {}
    }

    fn lock(&self) -> MutexGuard<'_, LogBuffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log of one attempt, for its step.
pub struct AttemptLog {
    /// Where its lines go.
    pub logs: Arc<Logs>,
    /// The attempt.
    pub task: TaskKey,
}

impl StepLog for AttemptLog {
    fn line(&self, level: LogLevel, text: &str) {
        self.logs.write(self.task, level, text);
    }
}
