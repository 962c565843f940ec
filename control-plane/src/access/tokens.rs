//! Tokens of people and programs: made once, shown once, stored as a hash, all of them in memory so that a call costs no read.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use domain::ids::TokenId;
use rand::RngCore;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::secret::{SecretHash, Token, TokenKind};
use crate::store::{ChangeSet, KeyRange, Store, StoreError, Table, format};

const PREFIX: &[u8] = b"client/";
/// Tokens read at start; more than anybody has.
const MOST: usize = 10_000;

/// Why tokens could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The store.
    #[error("tokens cannot be read or made now: {0}")]
    Store(#[from] StoreError),
}

/// Who calls the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name that the token was made for.
    pub name: String,
    /// The token's public half.
    pub token: TokenId,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    name: String,
    hash: SecretHash,
    created_at_ms: i64,
}

/// A token that was drawn and is not kept yet.
pub struct NewToken {
    token: Token,
    record: Record,
}

impl NewToken {
    /// The token's text: its only copy.
    pub fn reveal(&self) -> SecretString {
        self.token.reveal()
    }
}

/// Every token of a person or program.
pub struct Tokens {
    store: Arc<dyn Store>,
    known: RwLock<HashMap<TokenId, Record>>,
}

impl Tokens {
    /// Reads them all.
    ///
    /// # Errors
    /// When the store can't be read, or holds something else.
    pub async fn load(store: Arc<dyn Store>) -> Result<Self, AccessError> {
        let mut known = HashMap::new();
        for (key, value) in store.scan(Table::Access, KeyRange::prefix(PREFIX), MOST).await? {
            if let Some(id) = key.get(PREFIX.len()..).and_then(|id| Uuid::from_slice(id).ok()) {
                known.insert(TokenId::new(id), format::decode(&value)?);
            }
        }
        Ok(Self { store, known: RwLock::new(known) })
    }

    /// Whether nobody has a token yet.
    pub fn is_empty(&self) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Makes a token for somebody. It opens nothing before it is [kept](Self::keep).
    pub fn draw(name: &str, id: Uuid, now_ms: i64, rng: &mut impl RngCore) -> NewToken {
        let token = Token::draw(TokenKind::Client, id, rng);
        let record = Record { name: name.to_owned(), hash: token.hash(), created_at_ms: now_ms };
        NewToken { token, record }
    }

    /// Keeps a new token: from here on it is known.
    ///
    /// # Errors
    /// When the store takes nothing.
    pub async fn keep(&self, new: NewToken) -> Result<(), AccessError> {
        let NewToken { token, record } = new;
        let key = [PREFIX, token.id.uuid().as_bytes()].concat();
        let mut change = ChangeSet::new();
        change.expect_absent(Table::Access, key.clone()).put(Table::Access, key, format::encode(&record)?);
        self.store.commit(change).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(token.id, record);
        Ok(())
    }

    /// Whose token this is. Takes as long for a wrong secret as for a right one.
    pub fn caller(&self, text: &str) -> Option<Caller> {
        let token = Token::parse(TokenKind::Client, text).ok()?;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let record = known.get(&token.id)?;
        (record.hash == token.hash()).then(|| Caller { name: record.name.clone(), token: token.id })
    }
}
