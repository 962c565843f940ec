//! A number as a person wrote it, so that nothing is rounded between the document and the comparison.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A finite number, kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number(String);

/// A text that is no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a finite number")]
pub struct InvalidNumber(String);

impl Number {
    /// The number of that text, as `0.01`, `-3` or `1e6`.
    ///
    /// # Errors
    /// When it is none, or infinite.
    pub fn parse(text: &str) -> Result<Self, InvalidNumber> {
        let text = text.trim();
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err(InvalidNumber(text.chars().take(80).collect())),
        }
    }

    /// Its value.
    pub fn value(&self) -> f64 {
        // It was read once already.
        self.0.parse().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Number {
    type Error = InvalidNumber;

    fn try_from(text: String) -> Result<Self, InvalidNumber> {
        Self::parse(&text)
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "what was written is compared")]
    fn numbers_are_finite() {
        assert_eq!(Number::parse(" 0.01 ").expect("a number").to_string(), "0.01");
        assert_eq!(Number::parse("-1e3").expect("a number").value(), -1_000.0);
        for wrong in ["", "NaN", "inf", "1e999", "5%", "0,5"] {
            assert!(Number::parse(wrong).is_err(), "{wrong}");
        }
    }
}
