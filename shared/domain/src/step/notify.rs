//! Notify: tells a webhook how far a deployment is.

use serde::{Deserialize, Serialize};

/// Inputs of *Notify*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notify {
    /// Where the JSON is sent.
    pub webhook: String,
    /// What is told.
    pub message: String,
    /// Whether the deployment fails when it can't be told.
    #[serde(default)]
    pub required: bool,
}
