//! What a running step has of its session: checkpoints that come back durable, however often the connection is lost meanwhile.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    limits::CHECKPOINT_BYTES,
    step::Checkpoint,
    task::TaskKey,
};
use proto::convert::document::to_json;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::Event;
use crate::executor::CheckpointLog;

/// The checkpoints of one attempt.
pub struct AttemptCheckpoints {
    task: TaskKey,
    events: mpsc::Sender<Event>,
    stopped: CancellationToken,
    deadline: Instant,
    next: AtomicU32,
}

impl AttemptCheckpoints {
    /// For one attempt, until `stopped` is cancelled or `limit` is over.
    pub fn new(task: TaskKey, events: mpsc::Sender<Event>, stopped: CancellationToken, limit: Duration) -> Self {
        Self { task, events, stopped, deadline: Instant::now() + limit, next: AtomicU32::new(0) }
    }
}

#[async_trait]
impl CheckpointLog for AttemptCheckpoints {
    async fn record(&self, checkpoint: Checkpoint) -> Result<(), Failure> {
        let size = to_json(&checkpoint).len();
        if size > CHECKPOINT_BYTES {
            return Err(Failure::refused(
                FailureKind::Application,
                format!("A fact that the step must not lose is too large to be kept: {size} bytes, at most {CHECKPOINT_BYTES}."),
            ));
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (recorded, answer) = oneshot::channel();
        let event = Event::Checkpoint { task: self.task, number, checkpoint, recorded };
        if self.events.send(event).await.is_err() {
            return Err(not_recorded("the delegate is ending"));
        }
        tokio::select! {
            biased;
            answer = answer => match answer {
                Ok(Ok(())) => Ok(()),
                Ok(Err(reason)) => Err(not_recorded(&reason)),
                Err(_) => Err(not_recorded("the delegate is ending")),
            },
            () = self.stopped.cancelled() => Err(not_recorded("the step was told to stop")),
            () = tokio::time::sleep_until(self.deadline) => {
                Err(not_recorded("the control plane did not confirm it in the time that the step may take"))
            }
        }
    }
}

fn not_recorded(reason: &str) -> Failure {
    let failure = Failure::refused(
        FailureKind::Connectivity,
        format!("A fact that the step must not lose could not be recorded: {reason}."),
    );
    Failure { transient: true, ..failure }
}
