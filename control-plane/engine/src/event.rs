//! What happened to a deployment: the entries of its journal.
//!
//! Facts, never wishes: what should happen next is derived from them. A variant is never changed once released; its successor
//! gets a new name, and the old one stays loadable (see [`crate::StoredEvent`]).

use std::sync::Arc;

use domain::{
    failure::Failure,
    ids::{DelegateId, InstanceId},
    outcome::Outcome,
    signal::Signal,
    step::{Checkpoint, StepOutput},
    task::{Direction, TaskKey},
};
use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// One fact. Every `at_ms` and `due_ms` is in milliseconds since 1970-01-01 UTC by the control plane's clock; every `step` is the
/// position in the plan, from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// The deployment was accepted: always the first event, and only that. It waits for its turn in the queue.
    Created {
        /// What it is going to do.
        plan: Arc<Plan>,
        /// When.
        at_ms: i64,
    },
    /// Its turn in the queue came.
    Started {
        /// When.
        at_ms: i64,
    },
    /// The turn of a step, or of its undo, came: its time limit counts from here.
    Opened {
        /// Which step.
        step: u32,
        /// Forward or back.
        direction: Direction,
        /// When.
        at_ms: i64,
    },
    /// A delegate holds the task from here, and may write to AWS. From the first claim of a step its undo is owed.
    Claimed {
        /// Which attempt.
        task: TaskKey,
        /// Who.
        delegate: DelegateId,
        /// Which process of it.
        instance: InstanceId,
        /// When.
        at_ms: i64,
    },
    /// A fact that the step must not lose.
    CheckpointRecorded {
        /// The attempt that recorded it.
        task: TaskKey,
        /// Position among this attempt's checkpoints, from 0.
        number: u32,
        /// The fact.
        checkpoint: Checkpoint,
    },
    /// The attempt reached its goal, and so did the step (or its undo).
    Succeeded {
        /// Which attempt.
        task: TaskKey,
        /// What the step hands on.
        output: StepOutput,
        /// When.
        at_ms: i64,
    },
    /// The attempt failed; whether the step is tried again is another event.
    AttemptFailed {
        /// Which attempt.
        task: TaskKey,
        /// Why.
        failure: Failure,
        /// When.
        at_ms: i64,
    },
    /// The attempt's delegate no longer works on it and certainly no longer writes.
    TaskLost {
        /// Which attempt.
        task: TaskKey,
        /// How it was lost.
        why: Loss,
        /// When.
        at_ms: i64,
    },
    /// It is tried again, not before `due_ms`.
    RetryScheduled {
        /// Which step.
        step: u32,
        /// Forward or back.
        direction: Direction,
        /// From when.
        due_ms: i64,
        /// Whether its time limit begins anew then, as it does when a failure strategy asks for the retry.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        fresh_limit: bool,
    },
    /// The wait before the next attempt is over.
    RetryDue {
        /// Which step.
        step: u32,
        /// Forward or back.
        direction: Direction,
        /// When.
        at_ms: i64,
    },
    /// A *Wait* step is over.
    WaitEnded {
        /// Which step.
        step: u32,
        /// When.
        at_ms: i64,
    },
    /// As many people as an *Approval* step wants have approved.
    Approved {
        /// Which step.
        step: u32,
        /// When.
        at_ms: i64,
    },
    /// The time limit, with its grace, ran out. A held task is cancelled and waited for.
    LimitPassed {
        /// Which step.
        step: u32,
        /// Forward or back.
        direction: Direction,
        /// When.
        at_ms: i64,
    },
    /// No further attempt is made. Forward: the deployment rolls back. Back: what remains is an operator's.
    GivenUp {
        /// Which step.
        step: u32,
        /// Forward or back.
        direction: Direction,
        /// Why.
        failure: Failure,
        /// When.
        at_ms: i64,
    },
    /// The failure strategy of a step that was given up asks a person.
    PersonAsked {
        /// Which step.
        step: u32,
        /// Until when an answer is waited for.
        until_ms: i64,
        /// When.
        at_ms: i64,
    },
    /// No person answered in time.
    NobodyAnswered {
        /// Which step.
        step: u32,
        /// When.
        at_ms: i64,
    },
    /// The failure strategy of a step that was given up lets the deployment go on without it.
    Ignored {
        /// Which step.
        step: u32,
        /// When.
        at_ms: i64,
    },
    /// From here steps are undone.
    RollbackStarted {
        /// Why, in a sentence.
        reason: String,
        /// When.
        at_ms: i64,
    },
    /// A person said something.
    Signalled {
        /// Who.
        who: String,
        /// What.
        signal: Signal,
        /// The step that it hit, where it hits one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<u32>,
        /// What the person said about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
        /// When.
        at_ms: i64,
    },
    /// A person lets what could not be undone be tried again: of a deployment that needs an operator, and only of one.
    Reopened {
        /// Who.
        who: String,
        /// When.
        at_ms: i64,
    },
    /// It is over: the last event, unless it needs an operator and is taken up again.
    Finished {
        /// How it ended.
        outcome: Outcome,
        /// When.
        at_ms: i64,
    },
}

/// How a task was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Loss {
    /// The lease of its delegate instance ended, and so did the margin after it.
    LeaseEnded,
    /// The delegate was started again: its former process, which held the task, is gone and its lease is over.
    DelegateRestarted,
    /// The delegate instance is connected and says that it does not have the task.
    Disowned,
    /// The delegate is leaving and gave the task back between two AWS calls. Does not count as a loss.
    HandedBack,
}

impl Loss {
    /// In words, as an attempt's end is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeaseEnded => "lease ended",
            Self::DelegateRestarted => "delegate restarted",
            Self::Disowned => "not known to the delegate",
            Self::HandedBack => "handed back",
        }
    }
}

impl Event {
    /// The event's name as the journal writes it, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Started { .. } => "started",
            Self::Opened { .. } => "opened",
            Self::Claimed { .. } => "claimed",
            Self::CheckpointRecorded { .. } => "checkpointRecorded",
            Self::Succeeded { .. } => "succeeded",
            Self::AttemptFailed { .. } => "attemptFailed",
            Self::TaskLost { .. } => "taskLost",
            Self::RetryScheduled { .. } => "retryScheduled",
            Self::RetryDue { .. } => "retryDue",
            Self::WaitEnded { .. } => "waitEnded",
            Self::Approved { .. } => "approved",
            Self::LimitPassed { .. } => "limitPassed",
            Self::GivenUp { .. } => "givenUp",
            Self::PersonAsked { .. } => "personAsked",
            Self::NobodyAnswered { .. } => "nobodyAnswered",
            Self::Ignored { .. } => "ignored",
            Self::RollbackStarted { .. } => "rollbackStarted",
            Self::Signalled { .. } => "signalled",
            Self::Reopened { .. } => "reopened",
            Self::Finished { .. } => "finished",
        }
    }
}
