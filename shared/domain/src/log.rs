//! Lines of a step's log.
//!
//! Lines are numbered from 0 per task attempt by the delegate that writes them; the number is what makes sending twice harmless.

use serde::{Deserialize, Serialize};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LogLevel {
    /// The story.
    Info,
    /// Something a person should know, that stops nothing.
    Warn,
    /// What made the step fail.
    Error,
}

/// One line of a step's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Position in the attempt's log, from 0, without holes.
    pub number: u64,
    /// When the delegate wrote it: milliseconds since 1970-01-01 UTC by the delegate's clock.
    pub at_ms: i64,
    /// How much it matters.
    pub level: LogLevel,
    /// The text, without a line break; at most [`crate::limits::LOG_LINE_BYTES`]. Raw: escaped when shown, not when stored.
    pub text: String,
}
