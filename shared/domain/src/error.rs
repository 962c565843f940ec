//! The closed list of error codes.
//!
//! Every error that crosses a process boundary has one of these codes, a message, and usually a hint. They are mapped at three
//! places only: an SDK error becomes a [`crate::failure::Failure`] in the delegate, a code becomes a gRPC status in the
//! control plane's api, and a code becomes an exit status in the CLI.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of error it is, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request itself is wrong: a document, a flag, an expression. The same request never works.
    Invalid,
    /// What was named does not exist.
    NotFound,
    /// It exists already, or changed since it was read.
    Conflict,
    /// The present state forbids it (a deployment that has ended, a delegate that is revoked).
    Refused,
    /// No or wrong credentials.
    Unauthenticated,
    /// Known, but not allowed.
    Forbidden,
    /// Nobody can do it now: no eligible delegate, the store cannot write, the server is stopping.
    Unavailable,
    /// It took longer than its limit.
    TimedOut,
    /// A limit on size, number or rate.
    Exhausted,
    /// A fault of Segue's own.
    Internal,
}

impl ErrorCode {
    /// Every code, for tables and tests.
    pub const ALL: [Self; 10] = [
        Self::Invalid,
        Self::NotFound,
        Self::Conflict,
        Self::Refused,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::Unavailable,
        Self::TimedOut,
        Self::Exhausted,
        Self::Internal,
    ];

    /// The code as it is written in JSON, in metadata and in documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed_out",
            Self::Exhausted => "exhausted",
            Self::Internal => "internal",
        }
    }

    /// The code of that name, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error as it is told to a person or program: what was tried and what is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The kind, for programs.
    pub code: ErrorCode,
    /// One or more sentences for a person.
    pub message: String,
    /// What to do, when there is something to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Error {
    /// An error without a hint.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// The same error with advice on what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_by_its_name() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.as_str()), Some(code));
            assert_eq!(serde_json::to_value(code).expect("serialises"), code.as_str());
        }
    }
}
