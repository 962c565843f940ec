//! Why the store does not do what it is asked.

use bytes::Bytes;

use super::table::Table;

/// Why a commit or a read fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A precondition does not hold. Nothing was written.
    #[error("somebody else changed {table} in between")]
    Conflict {
        /// Where.
        table: Table,
        /// Of which key.
        key: Bytes,
    },
    /// More than the store takes. Nothing was written.
    #[error("{what} of {bytes} bytes: at most {limit} can be stored")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        limit: usize,
    },
    /// The store takes nothing now: full disk, an I/O error, or closed. A commit that was under way when this began may or may not
    /// be found written when the store is opened again; until then nobody sees it.
    #[error("the store cannot be used: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// What is stored is damaged, or of a later release.
    #[error("the store holds something it should not: {what}")]
    Corrupt {
        /// What is wrong.
        what: String,
    },
}

impl StoreError {
    pub(super) fn unavailable(reason: impl ToString) -> Self {
        Self::Unavailable { reason: reason.to_string() }
    }

    pub(super) fn corrupt(what: impl ToString) -> Self {
        Self::Corrupt { what: what.to_string() }
    }
}
