//! The two smallest steps: a pause, which occupies nobody, and a line for the log.

use serde::{Deserialize, Serialize};

/// Inputs of *Wait*: a timer in the engine. No delegate is involved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// How long, in seconds.
    pub seconds: u64,
}

/// Inputs of *Note*: a delegate writes the line into the step's log and does nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// The line.
    pub message: String,
}
