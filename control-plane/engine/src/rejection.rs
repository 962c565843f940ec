//! Why an input changes nothing. Repeats that are harmless are no rejection: they are answered with no events.

use domain::{outcome::Outcome, signal::Signal};

use crate::{input::Holder, plan::InvalidPlan};

/// Why an input was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The deployment is over.
    #[error("the deployment is over: {outcome}")]
    Finished {
        /// How it ended.
        outcome: Outcome,
    },
    /// It names another deployment.
    #[error("the task is of another deployment")]
    OtherDeployment,
    /// The plan has no such step, or that attempt was never claimed.
    #[error("there is no such task")]
    UnknownTask,
    /// A newer attempt was claimed: whoever says this lost the task. It must stop.
    #[error("attempt {newest_attempt} of this task was handed out since")]
    Stale {
        /// The newest attempt of the step and direction.
        newest_attempt: u32,
    },
    /// The attempt was counted as lost, though no newer one was claimed yet. Whoever says this must stop.
    #[error("the task was counted as lost")]
    Lost,
    /// The attempt ended otherwise, or went on further, than this says.
    #[error("the task has already ended otherwise")]
    AlreadyDone,
    /// Another delegate, or another process of it, holds the task.
    #[error("the task is held by {holder}")]
    NotHeldBy {
        /// Who holds it.
        holder: Holder,
    },
    /// This task is not the one that is wanted now.
    #[error("the task is not wanted now")]
    NotWanted,
    /// Checkpoints in between are missing.
    #[error("checkpoint {expected} of this task is not recorded yet")]
    CheckpointGap {
        /// The number that must come first.
        expected: u32,
    },
    /// Another fact is recorded under that number.
    #[error("checkpoint {number} of this task is recorded with another content")]
    CheckpointDiffers {
        /// The number.
        number: u32,
    },
    /// The timer is not due.
    #[error("the timer is due at {due_ms} ms, not before")]
    TooEarly {
        /// When it is, in milliseconds since 1970-01-01 UTC.
        due_ms: i64,
    },
    /// The deployment is being aborted: it can't be rolled back any more.
    #[error("the deployment is being aborted")]
    Aborting,
    /// A rollback is not paused: half undone is what nobody wants for long.
    #[error("the deployment is rolling back, and a rollback can't be paused")]
    RollingBack,
    /// No step waits for that word.
    #[error("there is nothing to {signal}: no step waits for a person{}", still_held(held.as_ref()))]
    NothingToAnswer {
        /// The word.
        signal: Signal,
        /// Who works on a step now.
        held: Option<Holder>,
    },
    /// No approval waits for an answer.
    #[error("there is nothing to {signal}: no approval waits")]
    NothingToApprove {
        /// The word.
        signal: Signal,
    },
    /// The approval asks others.
    #[error("{who} is none of those who may answer this approval: {}", approvers.join(", "))]
    NotAnApprover {
        /// Who answered.
        who: String,
        /// Who may.
        approvers: Vec<String>,
    },
    /// It is another step's turn.
    #[error("it is the turn of step {step}, not of the one that was named")]
    OtherStep {
        /// Position of the step whose turn it is, from 0.
        step: u32,
    },
    /// The step changes something.
    #[error("step {step:?} changes what later steps build on: it can be tried again, or the deployment rolled back or aborted")]
    NotPassedOver {
        /// Its name.
        step: String,
    },
    /// A deployment of that id exists, with another plan.
    #[error("a deployment of this id exists with another plan")]
    AlreadyCreated,
    /// The plan can't be carried out.
    #[error(transparent)]
    InvalidPlan(#[from] InvalidPlan),
}

fn still_held(held: Option<&Holder>) -> String {
    held.map(|holder| format!(" ({holder} works on one)")).unwrap_or_default()
}
