//! A change set: what is written together, and what has to hold for it to be written.

use bytes::Bytes;

use super::{error::StoreError, limits, table::Table};

/// A precondition: what a key has to hold before the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// The table.
    pub table: Table,
    /// The key.
    pub key: Bytes,
    /// The value; none: the key is to be absent.
    pub value: Option<Bytes>,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The table.
    pub table: Table,
    /// The key.
    pub key: Bytes,
    /// The new value; none: the key goes.
    pub value: Option<Bytes>,
}

/// Writes that happen together or not at all, in their order, if every precondition holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeSet {
    pub(super) expect: Vec<Expect>,
    pub(super) writes: Vec<Write>,
}

impl ChangeSet {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The key is to be absent.
    pub fn expect_absent(&mut self, table: Table, key: impl Into<Bytes>) -> &mut Self {
        self.expect.push(Expect { table, key: key.into(), value: None });
        self
    }

    /// The key is to hold exactly this value.
    pub fn expect_value(&mut self, table: Table, key: impl Into<Bytes>, value: impl Into<Bytes>) -> &mut Self {
        self.expect.push(Expect { table, key: key.into(), value: Some(value.into()) });
        self
    }

    /// Writes a value, whether or not the key had one.
    pub fn put(&mut self, table: Table, key: impl Into<Bytes>, value: impl Into<Bytes>) -> &mut Self {
        self.writes.push(Write { table, key: key.into(), value: Some(value.into()) });
        self
    }

    /// Removes a key. One that is absent stays so.
    pub fn delete(&mut self, table: Table, key: impl Into<Bytes>) -> &mut Self {
        self.writes.push(Write { table, key: key.into(), value: None });
        self
    }

    /// Whether it neither writes nor expects anything.
    pub fn is_empty(&self) -> bool {
        self.expect.is_empty() && self.writes.is_empty()
    }

    /// Bytes of all keys and values.
    pub(super) fn bytes(&self) -> usize {
        let size = |key: &Bytes, value: &Option<Bytes>| key.len() + value.as_ref().map_or(0, Bytes::len);
        let expected: usize = self.expect.iter().map(|expect| size(&expect.key, &expect.value)).sum();
        expected + self.writes.iter().map(|write| size(&write.key, &write.value)).sum::<usize>()
    }

    /// Whether the store takes as much as this.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let within = |what, bytes, limit| match bytes > limit {
            true => Err(StoreError::TooLarge { what, bytes, limit }),
            false => Ok(()),
        };
        let keys = self.expect.iter().map(|expect| &expect.key).chain(self.writes.iter().map(|write| &write.key));
        let longest_key = keys.map(Bytes::len).max().unwrap_or(0);
        let largest_value = self.writes.iter().filter_map(|write| write.value.as_ref()).map(Bytes::len).max().unwrap_or(0);
        within("a key", longest_key, limits::KEY_BYTES)?;
        within("a value", largest_value, limits::VALUE_BYTES)?;
        within("a change", self.bytes(), limits::CHANGE_SET_BYTES)?;
        match self.expect.len() + self.writes.len() > limits::CHANGES {
            true => Err(StoreError::TooLarge { what: "a change", bytes: self.bytes(), limit: limits::CHANGE_SET_BYTES }),
            false => Ok(()),
        }
    }
}
