//! Why dispatch refuses or fails, before it becomes an answer on the wire.

use domain::{ids::DeploymentId, outcome::Outcome};
use engine::Rejection;

use super::{history::NoRollback, records::RecordError};

/// Why dispatch refuses or fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DispatchError {
    /// No deployment has that id.
    #[error("there is no deployment {0}")]
    NotFound(DeploymentId),
    /// It has ended: nobody works on it any more.
    #[error("{0} has ended ({1}): no delegate is wanted for it")]
    Ended(DeploymentId, Outcome),
    /// The engine refuses: the state of the deployment forbids it.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// The store does not take or give anything now.
    #[error("the store cannot be used: {0}")]
    Unavailable(String),
    /// Too much waits for this deployment already, or the server is stopping.
    #[error("the control plane is busy or stopping: try again")]
    Busy,
    /// A request with the same idempotency key was accepted before.
    #[error("a request with this idempotency key was accepted as {0}")]
    AcceptedBefore(DeploymentId),
    /// What the store holds is damaged, or of a later release.
    #[error("the records of {id} cannot be read: {why}")]
    Corrupt {
        /// Of which deployment.
        id: DeploymentId,
        /// What is wrong.
        why: String,
    },
    /// What it would touch belongs to a later deployment by now.
    #[error("{by} has worked on the same service since, or does so now: what {id} could not undo is no longer its own")]
    LineMovedOn {
        /// The deployment that was to be taken up again.
        id: DeploymentId,
        /// The later one.
        by: DeploymentId,
    },
    /// There is nothing to roll back after success, or it may not be.
    #[error("{0}")]
    NoRollback(#[from] NoRollback),
    /// The change does not fit into the store.
    #[error("the deployment is too large: {0}")]
    TooLarge(String),
}

/// Of a read.
impl From<RecordError> for DispatchError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Unavailable(why) | RecordError::TooLarge(why) | RecordError::Corrupt(why) => Self::Unavailable(why),
            RecordError::Conflict => Self::Busy,
        }
    }
}
