//! How a deployment is shown: the view that the engine derives and the API hands out.

use serde::{Deserialize, Serialize};

use crate::{
    failure::Failure,
    ids::{DelegateId, DeploymentId},
    outcome::Outcome,
    step::StepKind,
    task::Direction,
};

/// Where a deployment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DeploymentStatus {
    /// Accepted; another deployment of the same line goes first.
    Queued,
    /// A step is being performed, or is about to be.
    Running,
    /// A task is wanted and no delegate is eligible: why not, one sentence a delegate.
    WaitingForDelegate {
        /// One sentence for each delegate, or one that says there is none.
        reasons: Vec<String>,
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
    /// A delegate holds a task, or the engine's timer runs.
    Running,
    /// It failed for a passing reason and is tried again after a wait.
    WaitingToRetry,
    /// Done.
    Succeeded,
    /// Given up.
    Failed,
    /// Never started, and never will be.
    Skipped,
}

impl StepState {
    /// The state as JSON and tables write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Wanted => "wanted",
            Self::Running => "running",
            Self::WaitingToRetry => "waitingToRetry",
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
    /// Number of events in its journal: grows with every change.
    pub revision: u64,
}
