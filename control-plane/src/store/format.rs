//! The mark in front of every stored value: a byte that says in which format the rest is, so that old values stay readable when
//! the format changes.
//!
//! ```text
//! 1 | JSON
//! ```

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::error::StoreError;

/// The format that is written: JSON.
pub const CURRENT: u8 = 1;

/// A stored value, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versioned<'a> {
    /// In which format the body is.
    pub version: u8,
    /// The value.
    pub body: &'a [u8],
}

impl<'a> Versioned<'a> {
    /// Takes a stored value apart.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is empty.
    pub fn read(stored: &'a [u8]) -> Result<Self, StoreError> {
        let (version, body) = stored.split_first().ok_or_else(|| StoreError::corrupt("an empty value"))?;
        Ok(Self { version: *version, body })
    }

    /// The bytes to store.
    pub fn to_bytes(self) -> Bytes {
        let mut bytes = Vec::with_capacity(1 + self.body.len());
        bytes.push(self.version);
        bytes.extend_from_slice(self.body);
        bytes.into()
    }
}

/// A value in the current format.
///
/// # Errors
/// [`StoreError::Corrupt`] when it has no JSON form (a map with keys that are no strings).
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, StoreError> {
    let mut bytes = vec![CURRENT];
    serde_json::to_writer(&mut bytes, value).map_err(|error| StoreError::corrupt(format!("not storable: {error}")))?;
    Ok(bytes.into())
}

/// A value back from its stored form.
///
/// # Errors
/// [`StoreError::Corrupt`] when it is damaged or of a format that this release does not know.
pub fn decode<T: DeserializeOwned>(stored: &[u8]) -> Result<T, StoreError> {
    let Versioned { version, body } = Versioned::read(stored)?;
    if version != CURRENT {
        return Err(StoreError::corrupt(format!("a value of format {version}; this release knows format {CURRENT}")));
    }
    // serde's message may quote the value, which may be a hash or a person's text: only where it is wrong is said.
    serde_json::from_slice(body).map_err(|error| {
        let what = if error.is_data() { "does not have the shape it should" } else { "is damaged" };
        StoreError::corrupt(format!("a value {what} at column {}", error.column()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_and_another_format_is_refused() {
        let stored = encode(&("a", 1)).expect("storable");
        assert_eq!(stored, b"\x01[\"a\",1]".as_slice());
        assert_eq!(decode::<(String, u8)>(&stored).expect("readable"), ("a".to_owned(), 1));
        let Versioned { version, body } = Versioned::read(&stored).expect("not empty");
        assert_eq!(Versioned { version, body }.to_bytes(), stored);
        let later = Versioned { version: 2, body }.to_bytes();
        assert!(decode::<(String, u8)>(&later).expect_err("later").to_string().contains("format 2"));
        assert!(decode::<u8>(&[]).is_err());
        let error = decode::<u8>(b"\x01\"secret\"").expect_err("another shape").to_string();
        assert!(error.contains("column") && !error.contains("secret"), "{error}");
    }
}
