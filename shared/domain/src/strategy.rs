//! What a workflow wants when a step fails.
//!
//! The step's own strategies come before its phase's, and those before the workflow's; the first that speaks of the failure's kind
//! decides. Where none does, everything is rolled back.

use serde::{Deserialize, Serialize};

use crate::{failure::FailureKind, retry::RetryPolicy};

/// One strategy: for which failures, and what then.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureStrategy {
    /// The kinds of failure it speaks of; empty: every kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<FailureKind>,
    /// What is done.
    pub action: FailureAction,
}

/// What is done about a step that failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FailureAction {
    /// Undo every step that ever started.
    RollBack,
    /// Try the step again, each try with the step's whole time limit. Also after failures that don't pass by themselves.
    Retry {
        /// How often and after which waits.
        policy: RetryPolicy,
        /// What is done when they are used up: no other retry.
        then: Box<FailureAction>,
    },
    /// Go on without the step. Only for steps that change nothing and that nothing builds on.
    Ignore,
    /// Wait for a person's word: retry, ignore, succeed, rollback or abort.
    ManualIntervention {
        /// How long, in seconds.
        timeout_seconds: u64,
        /// What is done when nobody said anything: no other wait, and no retry.
        then: Box<FailureAction>,
    },
    /// Stop and leave everything as it is; the outcome is *aborted*.
    Abort,
    /// Stop and leave everything as it is; the outcome is *needs operator*, and names what stands.
    Fail,
}

impl FailureAction {
    /// Without the retries: what is done once they are used up.
    pub fn after_retries(&self) -> &Self {
        match self {
            Self::Retry { then, .. } => then.after_retries(),
            Self::RollBack | Self::Ignore | Self::ManualIntervention { .. } | Self::Abort | Self::Fail => self,
        }
    }

    /// Without retries and waiting for a person: what is done in the end.
    pub fn last(&self) -> &Self {
        match self {
            Self::Retry { then, .. } | Self::ManualIntervention { then, .. } => then.last(),
            Self::RollBack | Self::Ignore | Self::Abort | Self::Fail => self,
        }
    }

    /// The word that documents use.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::RollBack => "rollback",
            Self::Retry { .. } => "retry",
            Self::Ignore => "ignore",
            Self::ManualIntervention { .. } => "manualIntervention",
            Self::Abort => "abort",
            Self::Fail => "fail",
        }
    }
}

/// The action for a failure of that kind: the first strategy that speaks of it, else rolling back.
pub fn action_for(strategies: &[FailureStrategy], kind: FailureKind) -> &FailureAction {
    strategies
        .iter()
        .find(|strategy| strategy.on.is_empty() || strategy.on.contains(&kind))
        .map_or(&FailureAction::RollBack, |strategy| &strategy.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_strategy_that_speaks_of_the_kind_decides() {
        let then = Box::new(FailureAction::ManualIntervention { timeout_seconds: 60, then: Box::new(FailureAction::Abort) });
        let strategies = [
            FailureStrategy { on: vec![FailureKind::Verification], action: FailureAction::Ignore },
            FailureStrategy { on: Vec::new(), action: FailureAction::Retry { policy: RetryPolicy::never(), then } },
            FailureStrategy { on: vec![FailureKind::Timeout], action: FailureAction::Fail },
        ];
        assert_eq!(action_for(&strategies, FailureKind::Verification), &FailureAction::Ignore);
        let any = action_for(&strategies, FailureKind::Timeout);
        assert_eq!((any.as_str(), any.after_retries().as_str(), any.last().as_str()), ("retry", "manualIntervention", "abort"));
        assert_eq!(action_for(&strategies[..1], FailureKind::Timeout), &FailureAction::RollBack);
    }
}
