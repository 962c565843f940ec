//! The plan: what a deployment is going to do, fixed when it is accepted.
//!
//! It is stored whole in the first event, so that a workflow changed later never changes a deployment that runs.

use std::collections::BTreeSet;

use domain::{
    ids::DeploymentId, infrastructure::InfrastructureSpec, retry::RetryPolicy, step::StepAction, strategy::FailureStrategy,
};
use serde::{Deserialize, Serialize};

/// How often a task may be lost with its delegate before its step fails, unless the plan says otherwise.
pub const DEFAULT_HAND_OVERS: u32 = 20;

/// Everything a deployment needs to know to run to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The deployment's id.
    pub deployment: DeploymentId,
    /// Application of the workflow.
    pub application: String,
    /// Workflow it was made of.
    pub workflow: String,
    /// Service that is deployed.
    pub service: String,
    /// Environment it is deployed to.
    pub environment: String,
    /// Name of the infrastructure document.
    pub infrastructure_name: String,
    /// Where the steps work, with every expression resolved.
    pub infrastructure: InfrastructureSpec,
    /// ECS family. With the infrastructure it is the key of the queue: one deployment at a time.
    pub line: String,
    /// The image with its tag.
    pub image: String,
    /// The artifact's tag.
    pub tag: String,
    /// Who started it.
    pub triggered_by: String,
    /// The deployment that this one rolls back, if it is a rollback after success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolls_back: Option<DeploymentId>,
    /// The steps of all phases, in the order they run.
    pub steps: Vec<PlannedStep>,
}

/// One step of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// Name, unique in the plan.
    pub name: String,
    /// Name of its phase.
    pub phase: String,
    /// What it does. Its kind says whether it has an undo.
    pub action: StepAction,
    /// How long it may take over all attempts, in seconds. For its undo: how long one attempt may take.
    pub timeout_seconds: u64,
    /// How often, and after which waits, it is tried again after a failure that may pass.
    pub retry: RetryPolicy,
    /// What is done when it fails for good: its own strategies, then its phase's, then the workflow's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strategies: Vec<FailureStrategy>,
    /// How often a task may be lost with its delegate before the step fails.
    #[serde(default = "default_hand_overs")]
    pub hand_overs: u32,
}

fn default_hand_overs() -> u32 {
    DEFAULT_HAND_OVERS
}

/// Why a plan can't be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlan {
    /// There is nothing to do.
    #[error("the plan has no steps")]
    NoSteps,
    /// Two steps bear one name, so that `${steps.<name>}` would be ambiguous.
    #[error("two steps are named {0:?}")]
    SameName(String),
    /// A step that could never succeed.
    #[error("step {0:?} has a time limit of 0 seconds")]
    NoTime(String),
}

impl Plan {
    /// Infrastructure and line: deployments that share both run one after another.
    pub fn queue_key(&self) -> (&str, &str) {
        (&self.infrastructure_name, &self.line)
    }

    /// Whether the plan can be carried out at all.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn validate(&self) -> Result<(), InvalidPlan> {
        if self.steps.is_empty() {
            return Err(InvalidPlan::NoSteps);
        }
        let mut names = BTreeSet::new();
        for step in &self.steps {
            if !names.insert(step.name.as_str()) {
                return Err(InvalidPlan::SameName(step.name.clone()));
            }
            if step.timeout_seconds == 0 && !matches!(step.action, StepAction::Wait(_)) {
                return Err(InvalidPlan::NoTime(step.name.clone()));
            }
        }
        Ok(())
    }
}

impl PlannedStep {
    /// The name of its undo, for kinds that change something.
    pub fn undo_title(&self) -> Option<&'static str> {
        self.action.kind().undo_title()
    }
}
