//! Values that may hold expressions: texts until a deployment is planned, but checked at once where they hold none.

use std::{fmt, marker::PhantomData};

use super::{naming::shown, source::Located, written::FreeText};
use crate::suggestion::nearest;

/// Why a text is not what its place needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What was found and what is wrong with it.
    pub message: String,
    /// What is allowed, or what was probably meant.
    pub hint: Option<String>,
}

impl Wrong {
    /// A reason without advice.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A text that is none of the words known.
    pub(super) fn none_of(text: &str, what: &str, known: &[&str]) -> Self {
        Self::new(format!("{} is not {what}", shown(text))).hint(meant_or_known(text, known))
    }
}

/// `did you mean X?` when there is one near enough, or all that there is.
pub(super) fn meant_or_known(text: &str, known: &[&str]) -> String {
    match nearest(text, known.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("known: {}", known.join(", ")),
    }
}

/// How the text of a field is read, once its expressions are replaced.
pub trait Written {
    /// What it is then.
    type Value;

    /// Reads the text.
    ///
    /// # Errors
    /// When the field can't hold it.
    fn read(text: &str) -> Result<Self::Value, Wrong>;
}

/// The text of a field that is read as `W` once its expressions are replaced.
pub struct Template<W> {
    /// The text as it was written.
    pub text: Located<String>,
    read_as: PhantomData<fn() -> W>,
}

impl<W: Written> Template<W> {
    /// Takes the text, and reads it if there is nothing to replace in it.
    ///
    /// # Errors
    /// When it holds no expression and is not what the field needs.
    pub(super) fn new(text: Located<String>) -> Result<Self, (Located<String>, Wrong)> {
        if !text.value.contains("${")
            && let Err(wrong) = W::read(&text.value)
        {
            return Err((text, wrong));
        }
        Ok(Self { text, read_as: PhantomData })
    }

    /// The same text, read as any text at all.
    pub fn as_text(&self) -> Template<FreeText> {
        Template { text: self.text.clone(), read_as: PhantomData }
    }
}

impl<W> Clone for Template<W> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), read_as: PhantomData }
    }
}

impl<W> PartialEq for Template<W> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<W> Eq for Template<W> {}

impl<W> fmt::Debug for Template<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text.value, f)
    }
}
