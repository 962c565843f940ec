//! The delegates that have ever joined, connected or not: read once at start, kept in memory, written through.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use domain::{ids::DelegateId, scope::Scope};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

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
    /// What it may be given.
    #[serde(default, skip_serializing_if = "Scope::is_whole")]
    pub scope: Scope,
    /// The AWS identity that it joined by, an ARN; none: it had a join token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Name of the bundle of authorities that came with its newest certificate; empty: of an older version, which kept none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trusts: String,
    /// That it is no longer trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// That a delegate is no longer trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revocation {
    /// When, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// By whom.
    pub by: String,
}

/// Why a delegate can't be told from what a person calls it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOne {
    /// Nobody is called so.
    #[error("there is no delegate {0:?}")]
    None(String),
    /// Several are.
    #[error("several delegates are called {name:?}: {}", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Several {
        /// The name.
        name: String,
        /// Theirs.
        ids: Vec<DelegateId>,
    },
}

/// Every delegate that has joined.
#[derive(Default)]
pub struct Roster {
    known: RwLock<BTreeMap<DelegateId, Known>>,
}

struct Known {
    delegate: Arc<EnrolledDelegate>,
    /// Cancelled when it is revoked: whatever it has open ends.
    trusted: CancellationToken,
}

impl Roster {
    /// Those that the store holds.
    pub fn new(delegates: impl IntoIterator<Item = EnrolledDelegate>) -> Self {
        let roster = Self::default();
        delegates.into_iter().for_each(|delegate| roster.enter(delegate));
        roster
    }

    /// Enters a delegate, or what has changed about one, once it is durable. One that is revoked now loses whatever it has open.
    pub fn enter(&self, delegate: EnrolledDelegate) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let trusted = known.get(&delegate.id).map(|known| known.trusted.clone()).unwrap_or_default();
        if delegate.revoked.is_some() {
            trusted.cancel();
        }
        known.insert(delegate.id, Known { delegate: Arc::new(delegate), trusted });
    }

    /// A delegate.
    pub fn get(&self, id: DelegateId) -> Option<Arc<EnrolledDelegate>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&id).map(|known| known.delegate.clone())
    }

    /// Cancelled when the delegate is revoked. None: it is not known, or revoked already.
    pub fn trusted(&self, id: DelegateId) -> Option<CancellationToken> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).map(|known| known.trusted.clone()).filter(|trusted| !trusted.is_cancelled())
    }

    /// All of them, by id.
    pub fn all(&self) -> Vec<Arc<EnrolledDelegate>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).values().map(|known| known.delegate.clone()).collect()
    }

    /// All that were not revoked, by id.
    pub fn standing(&self) -> Vec<Arc<EnrolledDelegate>> {
        self.all().into_iter().filter(|delegate| delegate.revoked.is_none()).collect()
    }

    /// The delegate that a person calls so: by its id, or by its name if it is the only one of that name that was not revoked.
    ///
    /// # Errors
    /// When there is none, or there are several.
    pub fn called(&self, name: &str) -> Result<Arc<EnrolledDelegate>, NotOne> {
        if let Some(delegate) = name.parse().ok().and_then(|id| self.get(id)) {
            return Ok(delegate);
        }
        let mut named: Vec<_> = self.standing().into_iter().filter(|delegate| delegate.name == name).collect();
        match (named.pop(), named.is_empty()) {
            (None, _) => Err(NotOne::None(name.chars().take(100).collect())),
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                let ids = named.iter().chain([&last]).map(|delegate| delegate.id).collect();
                Err(NotOne::Several { name: name.to_owned(), ids })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn delegate(number: u128, name: &str) -> EnrolledDelegate {
        EnrolledDelegate {
            id: DelegateId::new(Uuid::from_u128(number)),
            name: name.into(),
            enrolled_at_ms: 0,
            serial: String::new(),
            certificate_ends_ms: 0,
            scope: Scope::default(),
            identity: None,
            trusts: String::new(),
            revoked: None,
        }
    }

    #[test]
    fn one_is_called_by_its_id_or_by_a_name_that_only_it_has() {
        let roster = Roster::new([delegate(1, "a"), delegate(2, "b"), delegate(3, "b")]);
        assert_eq!(roster.called("a").map(|found| found.id), Ok(delegate(1, "a").id));
        assert_eq!(roster.called(&delegate(3, "").id.to_string()).map(|found| found.id), Ok(delegate(3, "").id));
        assert!(matches!(roster.called("b"), Err(NotOne::Several { ids, .. }) if ids.len() == 2));
        assert_eq!(roster.called("c"), Err(NotOne::None("c".into())));
    }

    #[test]
    fn a_revocation_ends_what_is_open_and_frees_the_name() {
        let roster = Roster::new([delegate(1, "b"), delegate(2, "b")]);
        let trusted = roster.trusted(delegate(1, "b").id).expect("is trusted");
        roster.enter(EnrolledDelegate { serial: "2".into(), ..delegate(1, "b") });
        assert!(!trusted.is_cancelled(), "a renewal is none");
        roster.enter(EnrolledDelegate { revoked: Some(Revocation { at_ms: 1, by: "ada".into() }), ..delegate(1, "b") });
        assert!(trusted.is_cancelled() && roster.trusted(delegate(1, "b").id).is_none());
        assert_eq!(roster.called("b").map(|found| found.id), Ok(delegate(2, "b").id));
        assert_eq!(roster.standing().len(), 1);
    }
}
