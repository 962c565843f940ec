//! The keys that the simulated AWS knows.

use std::{collections::HashMap, fmt};

use jiff::Timestamp;

/// One pair of keys.
#[derive(Clone)]
pub struct Credential {
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Session token, for temporary keys.
    pub session_token: Option<String>,
    /// Account they belong to.
    pub account: String,
    /// Identity they stand for.
    pub arn: String,
    /// When they end.
    pub expires: Option<Timestamp>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("access_key", &self.access_key).field("arn", &self.arn).finish_non_exhaustive()
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Credentials {
    known: HashMap<String, Credential>,
}

impl Credentials {
    /// Adds a pair.
    pub fn add(&mut self, credential: Credential) {
        self.known.insert(credential.access_key.clone(), credential);
    }

    /// The pair with that access key id.
    pub fn get(&self, access_key: &str) -> Option<&Credential> {
        self.known.get(access_key)
    }
}
