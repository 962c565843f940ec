//! Fields that hold a document of the domain as JSON, and ids.

use std::{fmt::Display, str::FromStr};

use serde::{Serialize, de::DeserializeOwned};

use super::Malformed;

/// A domain value as the JSON that travels. The domain's types always have a JSON form.
pub fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("the domain's types have string keys and no fallible serialisers")
}

/// The domain value in a JSON field.
///
/// # Errors
/// When it is not JSON of that type.
pub fn from_json<T: DeserializeOwned>(field: &'static str, text: &str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|error| Malformed::new(field, error))
}

/// An id, or anything else that is read from text.
///
/// # Errors
/// When the text is not one.
pub fn parse<T: FromStr<Err: Display>>(field: &'static str, text: &str) -> Result<T, Malformed> {
    text.parse().map_err(|error| Malformed::new(field, error))
}

/// A list of ids.
///
/// # Errors
/// When one of them is not one.
pub fn parse_all<T: FromStr<Err: Display>>(field: &'static str, texts: &[String]) -> Result<Vec<T>, Malformed> {
    texts.iter().map(|text| parse(field, text)).collect()
}
