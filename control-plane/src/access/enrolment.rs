//! How a delegate joins: it trades a one-time token, or a proof of its AWS identity, for a certificate over its own key. The token's use and the delegate's record
//! are one commit that expects the token as it was read, so that of two that come at once exactly one joins.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{
    ids::{DelegateId, TokenId},
    scope::Scope,
};
use rand::RngCore;
use runtime::tls::AuthorityError;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    AccessError, Authorities,
    aws_identity::{AwsIdentities, Claim, IdentityRefused},
    secret::{SecretHash, Token, TokenKind},
};
use crate::{
    dispatch::{EnrolledDelegate, Revocation},
    store::{ChangeSet, KeyRange, Store, StoreError, Table, format},
};

const PREFIX: &[u8] = b"join/";
/// How long a join token is good for when nobody says otherwise.
const DEFAULT_TTL: Duration = Duration::from_secs(600);
/// And at most.
const LONGEST_TTL: Duration = Duration::from_secs(86_400);
/// Delegates read at start, and old join tokens swept at once.
const MOST: usize = 100_000;

/// Why a delegate can't join or renew. Says no more to somebody without a right token than that it is not right.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// There is no such token.
    #[error("the join token is not valid")]
    Token,
    /// It was used before.
    #[error("the join token was used before: a join token is good for one delegate")]
    Used,
    /// It is too old.
    #[error("the join token has expired")]
    Expired,
    /// The name can't be a delegate's.
    #[error("a delegate's name has 1 to 63 letters, digits, '.', '_' or '-'")]
    Name,
    /// The certificate request is not usable.
    #[error("{0}")]
    Request(AuthorityError),
    /// The certificate is of a delegate that is not known here.
    #[error("this delegate is not known to the control plane")]
    Unknown,
    /// It is no longer trusted.
    #[error("this delegate was revoked")]
    Revoked,
    /// Its AWS identity does not let it join.
    #[error("{0}")]
    Identity(#[from] IdentityRefused),
    /// The store takes or gives nothing.
    #[error("nobody can join now: {0}")]
    Unavailable(StoreError),
}

impl From<StoreError> for EnrolError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

/// A join token, for the one who asked for it.
pub struct JoinToken {
    /// Its only copy.
    pub token: SecretString,
    /// Its public half.
    pub id: TokenId,
    /// Until when it is good, milliseconds since 1970-01-01 UTC.
    pub expires_at_ms: i64,
}

/// A delegate with its new certificate.
pub struct Enrolled {
    /// As it is remembered.
    pub delegate: EnrolledDelegate,
    /// Its certificate, PEM.
    pub certificate_pem: String,
    /// The authorities that it is to trust from now on, PEM.
    pub authorities: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    hash: SecretHash,
    expires_at_ms: i64,
    created_by: String,
    /// What the delegate that joins with it may be given.
    #[serde(default)]
    scope: Scope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used_by: Option<DelegateId>,
}

/// Lets delegates join.
pub struct Enrolment {
    store: Arc<dyn Store>,
    authorities: Arc<Authorities>,
    certificate_life: Duration,
    identities: Option<AwsIdentities>,
}

impl Enrolment {
    /// Certificates are good for `certificate_life`. Without `identities` nobody joins by AWS identity.
    pub fn new(
        store: Arc<dyn Store>,
        authorities: Arc<Authorities>,
        certificate_life: Duration,
        identities: Option<AwsIdentities>,
    ) -> Self {
        Self { store, authorities, certificate_life, identities }
    }

    /// The certificates that delegates are to trust, PEM.
    pub fn authorities(&self) -> String {
        self.authorities.trust().bundle.clone()
    }

    /// Whether the delegate's newest certificate came with the authorities of now.
    pub fn is_up_to_date(&self, delegate: &EnrolledDelegate) -> bool {
        delegate.trusts == self.authorities.trust().id
    }

    /// Makes a join token. A time to live of zero means the default of ten minutes; more than a day is cut to a day. Tokens that
    /// have expired are removed on this occasion.
    ///
    /// # Errors
    /// When the store takes nothing.
    pub async fn create_join_token(
        &self,
        ttl: Duration,
        scope: Scope,
        created_by: &str,
        id: Uuid,
        now_ms: i64,
        rng: &mut (impl RngCore + Send),
    ) -> Result<JoinToken, AccessError> {
        let ttl = if ttl.is_zero() { DEFAULT_TTL } else { ttl.min(LONGEST_TTL) };
        let token = Token::draw(TokenKind::Join, id, rng);
        let expires_at_ms = now_ms.saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
        let record = Record { hash: token.hash(), expires_at_ms, created_by: created_by.to_owned(), scope, used_by: None };
        let mut change = ChangeSet::new();
        for key in self.expired(now_ms).await? {
            change.delete(Table::Access, key);
        }
        let key = key(token.id);
        change.expect_absent(Table::Access, key.clone()).put(Table::Access, key, format::encode(&record)?);
        self.store.commit(change).await?;
        Ok(JoinToken { token: token.reveal(), id: token.id, expires_at_ms })
    }

    /// A delegate joins under a new id.
    ///
    /// # Errors
    /// When the token, the name or the request is not right, or the store takes nothing.
    pub async fn enrol(
        &self,
        join_token: &str,
        request_pem: &str,
        name: &str,
        id: Uuid,
        now_ms: i64,
        rng: &mut (impl RngCore + Send),
    ) -> Result<Enrolled, EnrolError> {
        let token = Token::parse(TokenKind::Join, join_token).map_err(|_| EnrolError::Token)?;
        let key = key(token.id);
        let stored = self.store.get(Table::Access, &key).await?.ok_or(EnrolError::Token)?;
        let mut record: Record = format::decode(&stored)?;
        if record.hash != token.hash() {
            return Err(EnrolError::Token);
        }
        if record.used_by.is_some() {
            return Err(EnrolError::Used);
        }
        if record.expires_at_ms <= now_ms {
            return Err(EnrolError::Expired);
        }
        check_name(name)?;
        let joining = EnrolledDelegate {
            id: DelegateId::new(id),
            name: name.to_owned(),
            enrolled_at_ms: now_ms,
            serial: String::new(),
            certificate_ends_ms: 0,
            scope: record.scope.clone(),
            identity: None,
            trusts: String::new(),
            revoked: None,
        };
        let enrolled = self.sign(joining, request_pem, now_ms, rng)?;
        record.used_by = Some(enrolled.delegate.id);
        let mut change = ChangeSet::new();
        change.expect_value(Table::Access, key.clone(), stored).put(Table::Access, key, format::encode(&record)?);
        change.put(Table::Delegate, id.as_bytes().to_vec(), format::encode(&enrolled.delegate)?);
        match self.store.commit(change).await {
            Ok(()) => Ok(enrolled),
            Err(StoreError::Conflict { .. }) => Err(EnrolError::Used),
            Err(error) => Err(error.into()),
        }
    }

    /// A delegate joins by its AWS identity. The same request once more, as after a lost answer, is the same delegate.
    ///
    /// # Errors
    /// When the identity may not join, the name or the request is not right, or the store takes nothing.
    pub async fn enrol_by_aws(
        &self,
        claim: &Claim,
        request_pem: &str,
        name: &str,
        now_ms: i64,
        rng: &mut (impl RngCore + Send),
    ) -> Result<Enrolled, EnrolError> {
        check_name(name)?;
        let identities = self.identities.as_ref().ok_or(IdentityRefused::Off)?;
        let known = identities.verify(claim, request_pem, &self.authorities.trust().texts()).await?;
        let digest =
            blake3::derive_key("segue 2026-11-23 id of a delegate that joins by AWS identity", request_pem.trim().as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        let id = DelegateId::new(uuid::Builder::from_custom_bytes(bytes).into_uuid());
        let key = id.uuid().as_bytes().to_vec();
        let stored = self.store.get(Table::Delegate, &key).await?;
        let joining = match &stored {
            Some(stored) => format::decode::<EnrolledDelegate>(stored)?,
            None => EnrolledDelegate {
                id,
                name: name.to_owned(),
                enrolled_at_ms: now_ms,
                serial: String::new(),
                certificate_ends_ms: 0,
                scope: known.scope,
                identity: Some(known.arn),
                trusts: String::new(),
                revoked: None,
            },
        };
        if joining.revoked.is_some() {
            return Err(EnrolError::Revoked);
        }
        let enrolled = self.sign(joining, request_pem, now_ms, rng)?;
        match stored {
            Some(stored) => self.replace(key, stored, &enrolled.delegate).await?,
            None => {
                let mut change = ChangeSet::new();
                change.expect_absent(Table::Delegate, key.clone()).put(Table::Delegate, key, format::encode(&enrolled.delegate)?);
                self.store.commit(change).await?;
            }
        }
        Ok(enrolled)
    }

    /// A new certificate for a delegate that has joined.
    ///
    /// # Errors
    /// When the delegate is not known, the request is not right, or the store takes nothing.
    pub async fn renew(
        &self,
        delegate: DelegateId,
        request_pem: &str,
        now_ms: i64,
        rng: &mut (impl RngCore + Send),
    ) -> Result<Enrolled, EnrolError> {
        let key = delegate.uuid().as_bytes().to_vec();
        let stored = self.store.get(Table::Delegate, &key).await?.ok_or(EnrolError::Unknown)?;
        let known: EnrolledDelegate = format::decode(&stored)?;
        if known.revoked.is_some() {
            return Err(EnrolError::Revoked);
        }
        let renewed = self.sign(known, request_pem, now_ms, rng)?;
        self.replace(key, stored, &renewed.delegate).await?;
        Ok(renewed)
    }

    /// A delegate is no longer trusted. Once more is no error, and the first revocation stands.
    ///
    /// # Errors
    /// When the delegate is not known, or the store takes nothing.
    pub async fn revoke(&self, delegate: DelegateId, by: &str, now_ms: i64) -> Result<EnrolledDelegate, EnrolError> {
        let key = delegate.uuid().as_bytes().to_vec();
        let stored = self.store.get(Table::Delegate, &key).await?.ok_or(EnrolError::Unknown)?;
        let mut known: EnrolledDelegate = format::decode(&stored)?;
        if known.revoked.is_none() {
            known.revoked = Some(Revocation { at_ms: now_ms, by: by.to_owned() });
            self.replace(key, stored, &known).await?;
        }
        Ok(known)
    }

    /// Nothing that came in between is overwritten: a revocation above all.
    async fn replace(&self, key: Vec<u8>, before: Bytes, delegate: &EnrolledDelegate) -> Result<(), EnrolError> {
        let mut change = ChangeSet::new();
        change.expect_value(Table::Delegate, key.clone(), before).put(Table::Delegate, key, format::encode(delegate)?);
        Ok(self.store.commit(change).await?)
    }

    /// Every delegate that has joined.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn delegates(&self) -> Result<Vec<EnrolledDelegate>, AccessError> {
        let rows = self.store.scan(Table::Delegate, KeyRange::all(), MOST).await?;
        rows.iter().map(|(_, value)| Ok(format::decode(value)?)).collect()
    }

    fn sign(
        &self,
        delegate: EnrolledDelegate,
        request_pem: &str,
        now_ms: i64,
        rng: &mut impl RngCore,
    ) -> Result<Enrolled, EnrolError> {
        let trust = self.authorities.trust();
        let issued = trust.signing.delegate_certificate(request_pem, delegate.id, now_ms, self.certificate_life, rng);
        let issued = issued.map_err(EnrolError::Request)?;
        let (serial, certificate_ends_ms, trusts) = (issued.serial, issued.not_after_ms, trust.id.clone());
        let delegate = EnrolledDelegate { serial, certificate_ends_ms, trusts, ..delegate };
        Ok(Enrolled { delegate, certificate_pem: issued.certificate_pem, authorities: trust.bundle.clone() })
    }

    async fn expired(&self, now_ms: i64) -> Result<Vec<Vec<u8>>, AccessError> {
        const SWEPT: usize = 100;
        let rows = self.store.scan(Table::Access, KeyRange::prefix(PREFIX), SWEPT).await?;
        let over = rows.into_iter().filter(|(_, value)| {
            format::decode::<Record>(value).is_ok_and(|record| record.expires_at_ms.saturating_add(DAY_MS) < now_ms)
        });
        Ok(over.map(|(key, _)| key.to_vec()).collect())
    }
}

/// An expired token is remembered for a day, so that whoever comes with it hears that it expired.
const DAY_MS: i64 = 86_400_000;

fn check_name(name: &str) -> Result<(), EnrolError> {
    let plausible = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if name.is_empty() || name.len() > 63 || !name.bytes().all(plausible) { Err(EnrolError::Name) } else { Ok(()) }
}

fn key(id: TokenId) -> Vec<u8> {
    [PREFIX, id.uuid().as_bytes()].concat()
}
