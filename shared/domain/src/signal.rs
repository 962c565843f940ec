//! What a person can ask of a running deployment.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A person's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Signal {
    /// Begin no further step. The one that runs goes on to its end.
    Pause,
    /// Go on after a pause.
    Resume,
    /// Stop, and leave everything as it is.
    Abort,
    /// Undo everything now.
    RollBack,
    /// Try the step again: the one that waits for a person, or for its next try.
    Retry,
    /// Go on without the step that waits for a person.
    Ignore,
    /// Take the step that waits for a person, or a *Wait* that runs, for done.
    Succeed,
    /// Yes, to the approval that waits.
    Approve,
    /// No, to the approval that waits.
    Reject,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Pause,
        Self::Resume,
        Self::Abort,
        Self::RollBack,
        Self::Retry,
        Self::Ignore,
        Self::Succeed,
        Self::Approve,
        Self::Reject,
    ];

    /// The word on the wire and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Abort => "abort",
            Self::RollBack => "rollback",
            Self::Retry => "retry",
            Self::Ignore => "ignore",
            Self::Succeed => "succeed",
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }

    /// The signal of that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.as_str() == text)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
