//! How an event is written into the journal: JSON in an envelope that says its format.
//!
//! A format, once released, stays readable: `fixtures/` holds a journal of each with the view it must give.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::Event;

/// The format that is written today.
pub const FORMAT: u16 = 1;

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredEvent {
    /// The format it was read from, or is written in.
    pub format: u16,
    /// The event.
    pub event: Event,
}

/// Why bytes of a journal are not an event.
#[derive(Debug, thiserror::Error)]
pub enum StoredEventError {
    /// Not JSON, or not the shape its format promises.
    #[error("a journal entry can't be read or written: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by a later release.
    #[error("a journal entry has format {found}, this release reads up to {FORMAT}: it was written by a later release")]
    TooNew {
        /// The format it says.
        found: u16,
    },
}

/// The envelope, read before what is inside: the format decides how that is read.
#[derive(Deserialize)]
struct Envelope<'a> {
    format: u16,
    #[serde(borrow)]
    event: &'a RawValue,
}

impl StoredEvent {
    /// The bytes of an event, in today's format.
    ///
    /// # Errors
    /// When it can't be written as JSON.
    pub fn encode(event: &Event) -> Result<Vec<u8>, StoredEventError> {
        #[derive(Serialize)]
        struct Borrowed<'a> {
            format: u16,
            event: &'a Event,
        }
        Ok(serde_json::to_vec(&Borrowed { format: FORMAT, event })?)
    }

    /// Reads an event of any format up to [`FORMAT`].
    ///
    /// # Errors
    /// When the bytes are damaged, or of a later release.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoredEventError> {
        let envelope: Envelope<'_> = serde_json::from_slice(bytes)?;
        match envelope.format {
            FORMAT => Ok(Self { format: FORMAT, event: serde_json::from_str(envelope.event.get())? }),
            found => Err(StoredEventError::TooNew { found }),
        }
    }
}
