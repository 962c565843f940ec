//! What can happen to an agent, from whichever side.

use domain::{
    discovery::Answer,
    failure::Failure,
    ids::QueryId,
    step::Checkpoint,
    task::{TaskKey, TaskReport},
};
use tokio::sync::oneshot;

use crate::session::{Told, Uplink};

/// Everything that reaches the agent, in one queue, so that there is one order.
#[derive(Debug)]
pub enum Event {
    /// A session is being opened: say hello here.
    Opened(Uplink),
    /// The control plane said welcome.
    Welcomed {
        /// Tasks that are no longer ours.
        revoked: Vec<TaskKey>,
        /// To be answered when they were told to stop: not before that is there a lease.
        taken_in: oneshot::Sender<()>,
    },
    /// The control plane said something.
    Told(Told),
    /// The session is over.
    Lost,
    /// A step has a fact that must not be lost.
    Checkpoint {
        /// Its task.
        task: TaskKey,
        /// Position among the task's checkpoints.
        number: u32,
        /// The fact.
        checkpoint: Checkpoint,
        /// To be answered when it is durable, or with the reason why the task must stop.
        recorded: oneshot::Sender<Result<(), String>>,
    },
    /// A step ended.
    Ended {
        /// Its task.
        task: TaskKey,
        /// How.
        report: TaskReport,
    },
    /// A question was answered.
    Answered {
        /// The question.
        id: QueryId,
        /// The answer.
        answer: Box<Result<Answer, Failure>>,
    },
    /// The process was asked to stop.
    Leave,
    /// Every log line is acknowledged, or waiting for that is over.
    Flushed,
    /// The time for leaving in order is over.
    TimeToLeave,
}

/// What the delegate holds, for heartbeats.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holding {
    /// Tasks that run, or ended with a report that was not acknowledged.
    pub tasks: Vec<TaskKey>,
    /// It takes no new tasks.
    pub draining: bool,
}
