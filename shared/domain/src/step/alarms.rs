//! CloudWatch Alarms: none of these alarms may go off for a while.

use serde::{Deserialize, Serialize};

/// What an alarm without enough data counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InsufficientData {
    /// As one that is well: a new service has no data yet.
    Good,
    /// As one that goes off.
    Fail,
}

impl InsufficientData {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Good, Self::Fail];

    /// The word of the documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fail => "fail",
        }
    }
}

/// Inputs of *CloudWatch Alarms*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CloudWatchAlarms {
    /// Names of the alarms, metric alarms and composite ones, in the infrastructure's region.
    pub alarms: Vec<String>,
    /// For how long none may go off, in milliseconds.
    pub hold_ms: u64,
    /// Pause between two looks, in milliseconds.
    pub interval_ms: u64,
    /// What an alarm without enough data counts as.
    pub insufficient_data: InsufficientData,
}
