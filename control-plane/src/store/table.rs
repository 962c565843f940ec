//! The tables: a fixed handful, never one per deployment (each costs the embedded store a tree of its own).

use std::fmt;

/// A table. Keys of different tables do not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// What belongs to no other: keys of accepted requests, settings.
    Meta,
    /// Events: deployment id and number.
    Journal,
    /// How many events a deployment has: what an append compares and sets.
    Head,
    /// A summary of each deployment.
    Deployment,
    /// Documents.
    Resource,
    /// Tokens, as hashes.
    Access,
    /// Delegates that have joined.
    Delegate,
}

impl Table {
    /// All of them, in the order of their position.
    pub const ALL: [Self; 7] =
        [Self::Meta, Self::Journal, Self::Head, Self::Deployment, Self::Resource, Self::Access, Self::Delegate];

    /// Its name on disk: never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Journal => "journal",
            Self::Head => "head",
            Self::Deployment => "deployment",
            Self::Resource => "resource",
            Self::Access => "access",
            Self::Delegate => "delegate",
        }
    }

    /// Its position in [`Table::ALL`].
    pub(super) fn position(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_stands_at_its_position() {
        for (position, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(table.position(), position);
        }
    }
}
