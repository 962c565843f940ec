//! Logs on their way in: chunks of numbered lines from one delegate, made durable, then acknowledged. A chunk of a task that was
//! never this delegate's is refused; one that comes too fast is acknowledged late.

use std::{collections::HashMap, sync::Arc};

use domain::{ids::DelegateId, task::TaskKey};
use proto::{
    convert::{document::parse, log::lines_from_wire},
    delegate::{LogAck, LogChunk},
};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::dispatcher::Dispatch;
use crate::logs::{LogError, LogHub, TaskLines};

/// Tasks whose step names are remembered, so that not every chunk asks for them.
const REMEMBERED: usize = 1024;

/// One stream of logs.
pub(super) struct Shipping {
    dispatch: Arc<Dispatch>,
    logs: Arc<LogHub>,
    /// As the certificate says.
    delegate: DelegateId,
    acks: mpsc::Sender<Result<LogAck, Status>>,
    names: HashMap<TaskKey, Arc<str>>,
}

impl Shipping {
    pub(super) fn new(
        dispatch: Arc<Dispatch>,
        logs: Arc<LogHub>,
        delegate: DelegateId,
        acks: mpsc::Sender<Result<LogAck, Status>>,
    ) -> Self {
        Self { dispatch, logs, delegate, acks, names: HashMap::new() }
    }

    /// Takes chunks until the stream ends.
    pub(super) async fn run(mut self, mut chunks: Streaming<LogChunk>) {
        while let Ok(Some(chunk)) = chunks.message().await {
            let now = self.dispatch.clock.monotonic();
            let wait = self.dispatch.quotas.take(self.delegate, chunk.lines.iter().map(|line| line.text.len()), now);
            let taken = self.take(chunk).await;
            let ended = taken.is_err();
            tokio::time::sleep(wait).await;
            // A delegate that reads no acknowledgements is not read either: its lines wait where they are.
            if self.acks.send(taken).await.is_err() || ended {
                return;
            }
        }
    }

    /// One chunk. An error ends the stream, and the delegate sends again what was not acknowledged.
    async fn take(&mut self, chunk: LogChunk) -> Result<LogAck, Status> {
        let name = chunk.task.clone();
        let ack = |next, rejection: String| Ok(LogAck { task: name.clone(), next, rejection });
        let task: TaskKey = match parse("task", &chunk.task) {
            Ok(task) => task,
            Err(malformed) => return ack(0, malformed.to_string()),
        };
        let Some(step_name) = self.step_name(task).await? else {
            tracing::warn!(target: "audit", delegate = %self.delegate, %task, "log lines of another delegate's task were refused");
            return ack(0, "the task is not this delegate's".to_owned());
        };
        let dropped = chunk.dropped;
        let lines = match lines_from_wire(chunk) {
            Ok(lines) => lines,
            Err(malformed) => return ack(0, malformed.to_string()),
        };
        match self.logs.append(TaskLines { task, step_name, lines, dropped }).await {
            Ok(taken) => ack(taken.next, String::new()),
            Err(error @ LogError::Malformed { .. }) => ack(0, error.to_string()),
            Err(error @ (LogError::Unavailable { .. } | LogError::Corrupt { .. })) => Err(Status::unavailable(error.to_string())),
        }
    }

    /// The name of the task's step, if the task was ever this delegate's.
    async fn step_name(&mut self, task: TaskKey) -> Result<Option<Arc<str>>, Status> {
        if let Some(name) = self.names.get(&task) {
            return Ok(Some(name.clone()));
        }
        let name = self.dispatch.was_held(task, self.delegate).await;
        let Some(name) = name.map_err(|error| Status::unavailable(error.to_string()))? else { return Ok(None) };
        if self.names.len() >= REMEMBERED {
            self.names.clear();
        }
        let name: Arc<str> = name.into();
        self.names.insert(task, name.clone());
        Ok(Some(name))
    }
}
