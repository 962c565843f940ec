//! Wire to domain and back. Total: every message either becomes a domain value or a [`Malformed`] that says which field is wrong.

pub mod deployment;
pub mod document;
pub mod log;

/// A message that can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Malformed {
    /// Name of the field on the wire.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Malformed {
    /// A field and what is wrong with it.
    pub fn new(field: &'static str, problem: impl ToString) -> Self {
        Self { field, problem: problem.to_string() }
    }
}

/// `None` for an empty string.
fn some(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}
