//! How a deployment is shown: the view that the engine derives and the API hands out.

use serde::{Deserialize, Serialize};

use crate::{
    failure::Failure,
    ids::{DelegateId, DeploymentId},
    outcome::Outcome,
    signal::Signal,
    step::StepKind,
    task::Direction,
};

/// Where a deployment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DeploymentStatus {
    /// Accepted; another deployment of the same line goes first.
    Queued {
        /// Whose turn it is now, as far as this server knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behind: Option<DeploymentId>,
    },
    /// A step is being performed, or is about to be.
    Running,
    /// A task is wanted and no delegate is eligible: why not, one sentence a delegate.
    WaitingForDelegate {
        /// One sentence for each delegate, or one that says there is none.
        reasons: Vec<String>,
    },
    /// A person paused it: no further step begins.
    Paused {
        /// Who.
        who: String,
        /// Since when, milliseconds since 1970-01-01 UTC.
        since_ms: i64,
    },
    /// A step failed, and its failure strategy asks a person what to do.
    WaitingForPerson {
        /// The step's name.
        step: String,
        /// Until when, milliseconds since 1970-01-01 UTC.
        until_ms: i64,
        /// What is done then, in the word of the documents.
        otherwise: String,
    },
    /// An approval waits for people.
    WaitingForApproval {
        /// The step's name.
        step: String,
        /// What people are asked.
        message: String,
        /// Who may answer. Empty: everybody who may use the API.
        approvers: Vec<String>,
        /// How many different people have to approve.
        count: u32,
        /// Who did, in that order.
        approved_by: Vec<String>,
        /// Until when the answer is waited for, milliseconds since 1970-01-01 UTC.
        until_ms: i64,
    },
    /// Steps are being undone.
    RollingBack,
    /// It has ended.
    Finished {
        /// How.
        outcome: Outcome,
    },
}

/// Where a step, or its undo, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepState {
    /// Its turn has not come.
    Pending,
    /// A task is wanted.
    Wanted,
    /// A delegate holds a task, the engine's timer runs, or an approval waits for people.
    Running,
    /// It failed for a passing reason and is tried again after a wait.
    WaitingToRetry,
    /// It failed, and a person is asked what to do.
    WaitingForPerson,
    /// Done.
    Succeeded,
    /// It failed, and the deployment went on without it.
    Ignored,
    /// Given up.
    Failed,
    /// Never started, and never will be.
    Skipped,
}

impl StepState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Wanted,
        Self::Running,
        Self::WaitingToRetry,
        Self::WaitingForPerson,
        Self::Succeeded,
        Self::Ignored,
        Self::Failed,
        Self::Skipped,
    ];

    /// The state as JSON and tables write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Wanted => "wanted",
            Self::Running => "running",
            Self::WaitingToRetry => "waitingToRetry",
            Self::WaitingForPerson => "waitingForPerson",
            Self::Ignored => "ignored",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// One attempt: who had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView {
    /// Forward or back.
    pub direction: Direction,
    /// From 1.
    pub attempt: u32,
    /// The delegate that held it.
    pub delegate: DelegateId,
    /// How it ended, in a word or two; none while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// The undo of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UndoView {
    /// Its name, as `Rollback Containers`.
    pub name: String,
    /// Where it stands.
    pub state: StepState,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// One step of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// Position in the plan, from 0.
    pub index: u32,
    /// Name, unique in the deployment.
    pub name: String,
    /// Name of its phase.
    pub phase: String,
    /// Its kind.
    pub kind: StepKind,
    /// Where it stands.
    pub state: StepState,
    /// When its first attempt was opened, milliseconds since 1970-01-01 UTC, control plane's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at_ms: Option<i64>,
    /// When it succeeded or was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at_ms: Option<i64>,
    /// Its attempts, forward and back, in order.
    pub attempts: Vec<AttemptView>,
    /// Why the last attempt failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Its undo, once rollback has begun and it is owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoView>,
}

/// When production was given the new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShiftView {
    /// When both listeners were changed and read back: milliseconds since 1970-01-01 UTC, delegate's clock.
    pub at_ms: i64,
    /// How long the switch took, in milliseconds.
    pub switch_ms: u64,
}

/// A person's word, as it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalView {
    /// Who.
    pub who: String,
    /// What.
    pub signal: Signal,
    /// The step that it was about, where it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// What the person said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentView {
    /// Its id.
    pub id: DeploymentId,
    /// Application of the workflow.
    pub application: String,
    /// Workflow that it executes.
    pub workflow: String,
    /// Service it deploys.
    pub service: String,
    /// Environment it deploys to.
    pub environment: String,
    /// Infrastructure it deploys to.
    pub infrastructure: String,
    /// The image with its tag.
    pub image: String,
    /// The artifact's tag.
    pub tag: String,
    /// Who started it.
    pub triggered_by: String,
    /// When it was accepted, milliseconds since 1970-01-01 UTC.
    pub created_at_ms: i64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at_ms: Option<i64>,
    /// Where it stands.
    pub status: DeploymentStatus,
    /// Its steps, in the plan's order.
    pub steps: Vec<StepView>,
    /// When its version took over production, once it did; none again when it is rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shifted: Option<ShiftView>,
    /// The deployment that this one rolls back, if it is a rollback after success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolls_back: Option<DeploymentId>,
    /// The deployment that rolled this one back after it had succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_by: Option<DeploymentId>,
    /// What people said to it while it ran, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<SignalView>,
    /// Number of events in its journal: grows with every change.
    pub revision: u64,
}
