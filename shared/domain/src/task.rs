//! Tasks: one attempt of one step (or of its undo) for one delegate.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    expression::{self, Scope},
    failure::Failure,
    ids::DeploymentId,
    infrastructure::InfrastructureSpec,
    step::{Checkpoint, StepAction, StepOutput},
};

/// Forward or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// Do the step.
    Perform,
    /// Undo it.
    Undo,
}

impl Direction {
    /// `perform` or `undo`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Perform => "perform",
            Self::Undo => "undo",
        }
    }
}

/// Names one attempt. `attempt` only grows for a step and direction and is the fencing number: whatever bears a smaller one
/// than the newest is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskKey {
    /// The deployment.
    pub deployment: DeploymentId,
    /// Position of the step in the plan, over all phases, from 0.
    pub step: u32,
    /// Forward or back.
    pub direction: Direction,
    /// From 1.
    pub attempt: u32,
}

impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.deployment, self.step, self.direction.as_str(), self.attempt)
    }
}

/// A text that names no task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a task: expected dep_.../<step>/perform|undo/<attempt>")]
pub struct InvalidTaskKey(String);

impl FromStr for TaskKey {
    type Err = InvalidTaskKey;

    fn from_str(text: &str) -> Result<Self, InvalidTaskKey> {
        let invalid = || InvalidTaskKey(text.chars().take(120).collect());
        let mut parts = text.split('/');
        let mut part = || parts.next().ok_or_else(invalid);
        let key = Self {
            deployment: part()?.parse().map_err(|_| invalid())?,
            step: part()?.parse().map_err(|_| invalid())?,
            direction: match part()? {
                "perform" => Direction::Perform,
                "undo" => Direction::Undo,
                _ => return Err(invalid()),
            },
            attempt: part()?.parse().ok().filter(|attempt| *attempt > 0).ok_or_else(invalid)?,
        };
        if parts.next().is_some() { Err(invalid()) } else { Ok(key) }
    }
}

/// An earlier step's name and what it handed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EarlierStep {
    /// Name of the step, as `${steps.<name>...}` says it.
    pub name: String,
    /// What it handed on.
    pub output: StepOutput,
}

/// Everything a delegate needs for one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// Which attempt.
    pub task: TaskKey,
    /// The step's name (for an undo: the undo's).
    pub step_name: String,
    /// What to do or to undo.
    pub action: StepAction,
    /// Where.
    pub infrastructure: InfrastructureSpec,
    /// What earlier steps handed on, in the plan's order. For an undo: of all steps that succeeded, this one included.
    pub earlier: Vec<EarlierStep>,
    /// What earlier attempts of this step recorded, in order. For an undo: of the step forward, then of the undo.
    pub checkpoints: Vec<Checkpoint>,
    /// How long this attempt may take, in seconds.
    pub timeout_seconds: u64,
    /// For this long (milliseconds, from when this was sent) the delegate that had the step before may still put production back by
    /// itself: until then no old task is taken away.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub promised_ms: u64,
    /// Whether an earlier attempt of this step was started: whatever it may have done is looked up first.
    pub resumed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Assignment {
    /// The setup's output among the earlier steps: what the other steps of a load balancer workflow work on.
    pub fn setup(&self) -> Option<&crate::step::SetupOutput> {
        self.earlier.iter().rev().find_map(|step| match &step.output {
            StepOutput::Setup(output) => Some(output.as_ref()),
            _ => None,
        })
    }

    /// The action with `${steps.*}` and `${secrets.*}` replaced. `secrets` are the delegate's own.
    ///
    /// # Errors
    /// When a name is unknown, or a secret is missing: nothing was done yet.
    pub fn resolved_action(&self, secrets: &BTreeMap<String, String>) -> Result<StepAction, expression::ExpressionError> {
        let mut scope = Scope::new();
        for step in &self.earlier {
            for (name, value) in step.output.values() {
                scope.set(format!("steps.{}.{name}", step.name), value);
            }
        }
        for (name, value) in secrets {
            scope.set(format!("secrets.{name}"), value.clone());
        }
        expression::resolve_serializable(&self.action, &scope)
    }
}

/// How an attempt ended, in the delegate's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TaskReport {
    /// The goal is reached.
    Succeeded {
        /// What the step hands on.
        output: StepOutput,
    },
    /// It is not.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// The delegate is leaving (drain) and stopped between two AWS calls: another one goes on from the checkpoints.
    HandedBack,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_reads_back_as_it_was_written() {
        let text = "dep_00000000000000000000000000000001/3/undo/2";
        let key: TaskKey = text.parse().expect("a task");
        assert_eq!(key.to_string(), text);
        for wrong in ["", "dep_1/0/perform/1", &format!("{text}/x"), &text.replace("undo", "redo"), &text.replace("/2", "/0")] {
            assert!(wrong.parse::<TaskKey>().is_err(), "{wrong}");
        }
    }
}
