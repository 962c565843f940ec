//! How a deployment stands and how it ends. An enum with data, never a bag of booleans: a deployment that was rolled back
//! cannot be rendered as a success.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a deployment ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Production serves the new version; read back, not assumed.
    Succeeded,
    /// Everything is as it was before.
    RolledBack,
    /// Something could not be undone: a person has to look. Holds what remains, one sentence an entry.
    NeedsOperator(Vec<String>),
    /// Stopped on a person's word and left as it is.
    Aborted,
    /// Refused before anything ran.
    Rejected,
}

impl Outcome {
    /// One word for tables and JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::RolledBack => "rolledBack",
            Self::NeedsOperator(_) => "needsOperator",
            Self::Aborted => "aborted",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Succeeded => "succeeded",
            Self::RolledBack => "rolled back",
            Self::NeedsOperator(_) => "needs operator",
            Self::Aborted => "aborted",
            Self::Rejected => "rejected",
        })
    }
}
