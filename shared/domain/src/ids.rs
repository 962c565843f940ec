//! Typed identifiers with a readable prefix.
//!
//! An id is parsed once, at the edge; inside, a [`DeploymentId`] can't be mistaken for a [`DelegateId`]. Random ids are UUID v7
//! (sortable by the time of their creation), given in by the caller so that this crate needs neither clock nor randomness.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what} id: expected {prefix} followed by 32 hexadecimal digits")]
pub struct InvalidId {
    /// What was given, cut to 80 characters.
    pub text: String,
    /// Which kind of id was expected.
    pub what: &'static str,
    /// The prefix such ids have.
    pub prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// The text in front of the 32 hexadecimal digits.
            pub const PREFIX: &'static str = $prefix;

            /// Makes an id of a UUID that the caller drew.
            pub fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID behind the prefix.
            pub fn uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix($prefix)
                    .filter(|digits| digits.len() == 32)
                    .and_then(|digits| Uuid::try_parse(digits).ok())
                    .map(Self)
                    .ok_or_else(|| InvalidId {
                        text: text.chars().take(80).collect(),
                        what: $what,
                        prefix: $prefix,
                    })
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

id!(
    /// One execution of a workflow.
    DeploymentId, "dep_", "deployment"
);
id!(
    /// One enrolled delegate: stays the same over restarts, it is what its certificate names.
    DelegateId, "dlg_", "delegate"
);
id!(
    /// One running process of a delegate. A lease belongs to an instance, so that a restarted delegate never counts as the
    /// process that died.
    InstanceId, "run_", "delegate instance"
);
id!(
    /// One question put to a delegate (a discovery), answered or not, never journaled.
    QueryId, "qry_", "query"
);
id!(
    /// A token of a person or program, or a delegate's join token: the public half, by which it is listed and revoked.
    TokenId, "tok_", "token"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_was_written() {
        let id = DeploymentId::new(Uuid::from_u128(0x0192_f00d));
        assert_eq!(id.to_string(), "dep_0000000000000000000000000192f00d");
        assert_eq!(id.to_string().parse(), Ok(id));
        let json = serde_json::to_string(&id).expect("ids serialise");
        assert_eq!(serde_json::from_str::<DeploymentId>(&json).expect("and back"), id);
    }

    #[test]
    fn an_id_of_another_kind_is_refused_with_the_right_prefix_named() {
        let delegate = DelegateId::new(Uuid::from_u128(7)).to_string();
        let error = delegate.parse::<DeploymentId>().expect_err("another prefix");
        assert!(error.to_string().contains("expected dep_"), "{error}");
        assert!("dep_12".parse::<DeploymentId>().is_err());
        assert!("dep_zz000000000000000000000000000000".parse::<DeploymentId>().is_err());
    }
}
