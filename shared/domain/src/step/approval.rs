//! Approval: people say yes or no before the deployment goes on. The engine keeps it; no delegate is involved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Inputs of *Approval*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// What people are asked.
    pub message: String,
    /// Who may answer, by the names of their tokens. Empty: everybody who may use the API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// How many different people have to approve.
    pub count: u32,
    /// How long the answer is waited for, in seconds.
    pub timeout_seconds: u64,
}

impl Approval {
    /// Whether this person's word counts.
    pub fn may_answer(&self, who: &str) -> bool {
        self.approvers.is_empty() || self.approvers.iter().any(|approver| approver == who)
    }
}

/// What *Approval* hands on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalOutput {
    /// Who approved, in the order in which they did.
    pub approved_by: Vec<String>,
}

impl ApprovalOutput {
    /// The names that [`ApprovalOutput::values`] yields.
    pub const NAMES: [&'static str; 1] = ["approvedBy"];

    pub(super) fn values(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([("approvedBy", self.approved_by.join(", "))])
    }
}
