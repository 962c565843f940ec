//! The text of a token: which kind it is, a public id by which it is found, and a secret that is stored only as a hash.
//!
//! `segue_join_0192...f0_3b7c...`: the prefix lets secret scanners know it, the id is 32 hexadecimal digits, the secret 64 (256 random
//! bits, so a plain fast hash is enough: there is nothing to guess).

use std::fmt;

use domain::ids::TokenId;
use rand::RngCore;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenKind {
    /// A person or program that calls the API.
    Client,
    /// A delegate that joins, once.
    Join,
}

impl TokenKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Client => "segue_client_",
            Self::Join => "segue_join_",
        }
    }
}

/// A token as somebody presents it, or as it is shown once.
pub struct Token {
    /// Its public half.
    pub id: TokenId,
    kind: TokenKind,
    secret: SecretString,
}

/// A text that is no token of the kind that is asked for. Says nothing of the text: it may be somebody's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token of this kind")]
pub struct InvalidToken;

impl Token {
    /// A new token with a secret of 256 random bits.
    pub fn draw(kind: TokenKind, id: Uuid, rng: &mut impl RngCore) -> Self {
        let mut bytes = [0_u8; 32];
        rng.fill_bytes(&mut bytes);
        let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { id: TokenId::new(id), kind, secret: secret.into() }
    }

    /// Reads a token of this kind.
    ///
    /// # Errors
    /// When the text is not one.
    pub fn parse(kind: TokenKind, text: &str) -> Result<Self, InvalidToken> {
        let (id, secret) = text.trim().strip_prefix(kind.prefix()).and_then(|rest| rest.split_once('_')).ok_or(InvalidToken)?;
        let hexadecimal = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !hexadecimal(id, 32) || !hexadecimal(secret, 64) {
            return Err(InvalidToken);
        }
        let id = Uuid::try_parse(id).map_err(|_| InvalidToken)?;
        Ok(Self { id: TokenId::new(id), kind, secret: secret.to_owned().into() })
    }

    /// The whole text, to be shown once.
    pub fn reveal(&self) -> SecretString {
        format!("{}{}_{}", self.kind.prefix(), self.id.uuid().simple(), self.secret.expose_secret()).into()
    }

    /// What is stored of it.
    pub fn hash(&self) -> SecretHash {
        SecretHash(blake3::hash(self.secret.expose_secret().as_bytes()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} token {}", self.kind, self.id)
    }
}

/// The hash of a token's secret. Compared in constant time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretHash(blake3::Hash);

impl TryFrom<String> for SecretHash {
    type Error = blake3::HexError;

    fn try_from(text: String) -> Result<Self, blake3::HexError> {
        blake3::Hash::from_hex(text).map(Self)
    }
}

impl From<SecretHash> for String {
    fn from(hash: SecretHash) -> Self {
        hash.0.to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn a_token_reads_back_and_shows_nothing_in_debug() {
        let mut rng = StdRng::seed_from_u64(1);
        let token = Token::draw(TokenKind::Join, Uuid::from_u128(5), &mut rng);
        let text = token.reveal();
        let read = Token::parse(TokenKind::Join, text.expose_secret()).expect("a token");
        assert_eq!((read.id, read.hash()), (token.id, token.hash()));
        assert!(!format!("{token:?}").contains(token.secret.expose_secret()));
        let other = Token::draw(TokenKind::Join, Uuid::from_u128(5), &mut rng);
        assert_ne!(other.hash(), token.hash());
        let stored = serde_json::to_string(&token.hash()).expect("serialises");
        assert!(!stored.contains(token.secret.expose_secret()));
        assert_eq!(serde_json::from_str::<SecretHash>(&stored).expect("and back"), token.hash());
    }

    #[test]
    fn a_token_of_another_kind_or_a_changed_one_is_none() {
        let token = Token::draw(TokenKind::Join, Uuid::from_u128(5), &mut StdRng::seed_from_u64(1)).reveal();
        let text = token.expose_secret();
        assert!(Token::parse(TokenKind::Client, text).is_err());
        for wrong in
            ["", "segue_join_", &text[..text.len() - 1], &format!("{text}0"), &text.replace("segue_join_", "segue_join__")]
        {
            assert!(Token::parse(TokenKind::Join, wrong).is_err(), "{}", wrong.len());
        }
    }
}
