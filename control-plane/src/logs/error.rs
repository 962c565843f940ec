//! Why a log is not written or read.

/// Why lines are not taken or given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The lines are not a log's.
    #[error("these are no lines of a log: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// The files take or give nothing now. Lines that were not acknowledged are to be sent again.
    #[error("the logs cannot be used: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// A file is damaged: what was there is not what was written.
    #[error("the log is damaged after entry {after}")]
    Corrupt {
        /// The last entry in front of the damage.
        after: u64,
    },
}

impl LogError {
    pub(super) fn unavailable(reason: impl ToString) -> Self {
        Self::Unavailable { reason: reason.to_string() }
    }
}
