//! What is wrong in a document, and where: the text that a person reads.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// The file as it was applied, or `<kind> <application>/<name>` of a stored document. Empty when the request itself is wrong.
    pub file: String,
    /// From 1; 0 where the place is not known.
    pub line: u32,
    /// From 1, in characters; 0 where the place is not known.
    pub column: u32,
    /// Path of the field, as `spec.phases[0].steps[1].httpCheck.status`. Empty where no field is meant.
    pub field: String,
    /// What was found and what is wrong with it.
    pub message: String,
    /// What is allowed, or what was probably meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A finding about the request itself, which has no place in a document.
    pub fn of_request(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: String::new(), line: 0, column: 0, field: field.into(), message: message.into(), hint: None }
    }

    /// The same finding with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same finding with advice, if there is any.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// `file:line:column field: message`, then the hint in parentheses.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            f.write_str(&self.file)?;
            if self.line > 0 {
                write!(f, ":{}:{}", self.line, self.column)?;
            }
            f.write_str(if self.field.is_empty() { ": " } else { " " })?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}
