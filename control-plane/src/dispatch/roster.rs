//! The delegates that have ever joined, connected or not: read once at start, kept in memory, written through.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use domain::ids::DelegateId;
use serde::{Deserialize, Serialize};

/// A delegate that has joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrolledDelegate {
    /// Its id.
    pub id: DelegateId,
    /// Its name, for people; not unique.
    pub name: String,
    /// When it joined, milliseconds since 1970-01-01 UTC.
    pub enrolled_at_ms: i64,
    /// Serial number of its newest certificate, hexadecimal.
    pub serial: String,
    /// When that certificate ends.
    pub certificate_ends_ms: i64,
}

/// Every delegate that has joined.
#[derive(Default)]
pub struct Roster {
    known: RwLock<BTreeMap<DelegateId, Arc<EnrolledDelegate>>>,
}

impl Roster {
    /// Those that the store holds.
    pub fn new(delegates: impl IntoIterator<Item = EnrolledDelegate>) -> Self {
        let known = delegates.into_iter().map(|delegate| (delegate.id, Arc::new(delegate))).collect();
        Self { known: RwLock::new(known) }
    }

    /// Enters a delegate, or what has changed about one, once it is durable.
    pub fn enter(&self, delegate: EnrolledDelegate) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(delegate.id, Arc::new(delegate));
    }

    /// A delegate.
    pub fn get(&self, id: DelegateId) -> Option<Arc<EnrolledDelegate>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// All of them, by id.
    pub fn all(&self) -> Vec<Arc<EnrolledDelegate>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
