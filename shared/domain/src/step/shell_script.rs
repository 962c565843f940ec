//! Shell Script: a script that a delegate runs which was started to allow it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Inputs of *Shell Script*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShellScript {
    /// What bash runs. Every `${` of it stands here as `$${`, so that the shell's own variables are no expressions.
    pub script: String,
    /// How long it may run, in milliseconds.
    pub timeout_ms: u64,
    /// Variables of its environment, by name and value.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Whether it may be run again when nobody knows how far an earlier run came.
    #[serde(default)]
    pub idempotent: bool,
}

impl ShellScript {
    /// A script's text as [`ShellScript::script`] holds it.
    pub fn escaped(script: &str) -> String {
        script.replace("${", "$${")
    }
}
