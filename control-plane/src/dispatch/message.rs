//! What can come to the driver of a deployment, as one closed enum.

use std::sync::Arc;

use domain::{deployment::DeploymentView, ids::DelegateId, task::TaskKey};
use engine::{Holder, Input};
use proto::delegate::{self, to_delegate};
use tokio::sync::oneshot;

use super::{error::DispatchError, sessions::Session};

/// One message to the driver of a deployment.
pub(super) enum Message {
    /// Something for the engine.
    Input {
        /// What.
        input: Box<Input>,
        /// Who waits for the answer.
        reply: Reply,
    },
    /// How does it stand?
    View(oneshot::Sender<Result<DeploymentView, DispatchError>>),
    /// Something outside may have changed: the queue, a lease.
    Nudge,
    /// An instance said hello and listed these tasks of this deployment: which are not its own?
    Listed {
        /// Who.
        holder: Holder,
        /// What it says it holds.
        tasks: Vec<TaskKey>,
        /// Those that it does not hold.
        revoked: oneshot::Sender<Result<Vec<TaskKey>, DispatchError>>,
    },
    /// A connected instance holds this task and does not seem to know it: the assignment may have been lost with the stream.
    Resend {
        /// Which.
        task: TaskKey,
        /// The new session.
        session: Arc<Session>,
    },
    /// Was this task ever this delegate's?
    WasHeld {
        /// Which.
        task: TaskKey,
        /// Whose.
        delegate: DelegateId,
        /// The step's name (for an undo: the undo's) if it was.
        answer: oneshot::Sender<Result<Option<String>, DispatchError>>,
    },
}

/// Who waits for the answer to an input. An answer is given only when whatever the input led to is durable.
pub(super) enum Reply {
    /// A person or program, who gets the deployment as it stands then.
    Person(oneshot::Sender<Result<DeploymentView, DispatchError>>),
    /// The delegate that reported how a task ended.
    Report {
        /// Its session.
        session: Arc<Session>,
        /// The task.
        task: TaskKey,
    },
    /// The delegate that recorded a fact.
    Checkpoint {
        /// Its session.
        session: Arc<Session>,
        /// The task.
        task: TaskKey,
        /// Position among the task's checkpoints.
        number: u32,
    },
}

impl Reply {
    /// Gives the answer. `view` is called for a person only.
    pub(super) fn give(self, verdict: Result<(), DispatchError>, view: impl FnOnce() -> Result<DeploymentView, DispatchError>) {
        match self {
            // Whoever asked may have gone away.
            Self::Person(reply) => drop(reply.send(verdict.and_then(|()| view()))),
            Self::Report { session, task } => {
                if let Some(rejection) = rejection(&session, verdict) {
                    let ack = delegate::ReportAck { task: task.to_string(), rejection };
                    session.send(to_delegate::Message::ReportAck(ack));
                }
            }
            Self::Checkpoint { session, task, number } => {
                if let Some(rejection) = rejection(&session, verdict) {
                    let ack = delegate::CheckpointAck { task: task.to_string(), number, rejection };
                    session.send(to_delegate::Message::CheckpointAck(ack));
                }
            }
        }
    }
}

/// The text of a rejection, empty for none. When the message could not be recorded there is no verdict at all: the session is
/// closed, so that the delegate comes back and sends it again.
fn rejection(session: &Session, verdict: Result<(), DispatchError>) -> Option<String> {
    match verdict {
        Ok(()) => Some(String::new()),
        Err(error @ (DispatchError::Rejected(_) | DispatchError::NotFound(_) | DispatchError::TooLarge(_))) => {
            Some(error.to_string())
        }
        Err(error) => {
            tracing::warn!(delegate = %session.delegate, %error, "a delegate's message could not be recorded: its session is closed");
            session.close();
            None
        }
    }
}
