//! HTTP Check: a verification that the delegate makes from inside the VPC.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HttpTarget {
    /// This path, through the setup's stage listener.
    Stage(String),
    /// This path, through the setup's production listener.
    Production(String),
    /// The same while traffic is shared; before the first version of a line serves, nobody answers there and nothing is asked.
    SharedProduction(String),
    /// This URL.
    Url(String),
}

/// Inputs of *HTTP Check*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpCheck {
    /// What is asked.
    pub target: HttpTarget,
    /// Statuses that count as good. Empty: 200 to 299.
    #[serde(default)]
    pub status: Vec<u16>,
    /// A text that the body must contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_contains: Option<String>,
    /// Headers that the answer must have, by name and value.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The longest an answer may take, in milliseconds.
    pub max_latency_ms: u64,
    /// How many good answers in a row are wanted.
    pub consecutive: u32,
    /// Pause between two questions, in milliseconds.
    pub interval_ms: u64,
    /// How long to go on asking until they come, in milliseconds.
    pub within_ms: u64,
}

/// What *HTTP Check* hands on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpCheckOutput {
    /// The URL that was asked.
    pub url: String,
    /// Status of the last answer.
    pub status: u16,
    /// Latency of the slowest good answer of the row, in milliseconds.
    pub slowest_ms: u64,
}

impl HttpCheckOutput {
    /// The names that [`HttpCheckOutput::values`] yields.
    pub const NAMES: [&'static str; 3] = ["url", "status", "slowestMs"];

    pub(super) fn values(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("url", self.url.clone()),
            ("status", self.status.to_string()),
            ("slowestMs", self.slowest_ms.to_string()),
        ])
    }
}
