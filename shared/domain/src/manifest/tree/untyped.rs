//! The tree as the YAML reader hands it over: serde's view of a document of which nothing is known.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned;

/// A value with the reader's idea of its type. Numbers are kept by their place only: their text is read from the source, so that
/// `1.10` and `0123` stay what they are.
pub(super) enum Untyped {
    Null,
    /// A number or truth value without quotes.
    Plain,
    Text(String),
    List(Vec<Spanned<Untyped>>),
    Mapping(Vec<(Spanned<String>, Spanned<Untyped>)>),
}

impl<'de> Deserialize<'de> for Untyped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Untyped;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Untyped, E> {
        Ok(Untyped::Null)
    }

    fn visit_none<E>(self) -> Result<Untyped, E> {
        Ok(Untyped::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Untyped, D::Error> {
        Untyped::deserialize(deserializer)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Untyped, E> {
        Ok(Untyped::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Untyped, E> {
        Ok(Untyped::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Untyped, E> {
        Ok(Untyped::Plain)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Untyped, E> {
        Ok(Untyped::Plain)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Untyped, E> {
        Ok(Untyped::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Untyped, E> {
        Ok(Untyped::Plain)
    }

    fn visit_str<E>(self, text: &str) -> Result<Untyped, E> {
        Ok(Untyped::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Untyped, E> {
        Ok(Untyped::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Untyped, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Untyped::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Untyped, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Untyped::Mapping(mapping))
    }
}
