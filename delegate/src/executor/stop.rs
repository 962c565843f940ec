//! The ways a step ends without reaching its goal.

use domain::failure::Failure;

/// Why a step stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// It failed.
    Failed(Failure),
    /// The delegate is leaving; another one goes on from the checkpoints.
    HandedBack,
    /// The control plane took the task back.
    Cancelled,
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What everything inside a step returns.
pub type Outcome<T> = Result<T, Halt>;
