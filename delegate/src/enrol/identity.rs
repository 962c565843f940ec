//! Who this delegate is, and whom it trusts.

use std::fmt;

use domain::ids::DelegateId;
use runtime::tls::{ClientIdentity, serial, validity_ends_ms};
use serde::{Deserialize, Serialize};

/// The part of a certificate's life after which it is renewed, in thirds.
const RENEWED_AFTER_THIRDS: i64 = 2;
/// However short a certificate's life is, it is kept at least so long.
const SHORTEST_USE_MS: i64 = 1_000;

/// A delegate's identity. All in one document, so that key and certificate can't come apart.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// The delegate.
    pub delegate_id: DelegateId,
    /// Its certificate, PEM.
    pub certificate: String,
    /// Its key, PEM. Secret; it has never left this machine.
    pub key: String,
    /// Certificates of the authorities it trusts, PEM.
    pub authorities: String,
    /// When the certificate came: milliseconds since 1970-01-01 UTC.
    pub issued_at_ms: i64,
}

/// An answer of the control plane that makes no identity.
#[derive(Debug, thiserror::Error)]
pub enum InvalidIdentity {
    /// The certificate is none, or is no delegate's.
    #[error("the certificate that the control plane sent can't be read: {0}")]
    Certificate(#[from] runtime::tls::IdentityError),
    /// The delegate's id is none.
    #[error("the control plane sent an id that is none: {0}")]
    Id(#[from] domain::ids::InvalidId),
}

impl Identity {
    /// When the certificate ends, milliseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// When it is none.
    pub fn ends_ms(&self) -> Result<i64, InvalidIdentity> {
        Ok(validity_ends_ms(&self.certificate)?)
    }

    /// When it is to be renewed: after two thirds of its life.
    ///
    /// # Errors
    /// When it is none.
    pub fn renewal_due_ms(&self) -> Result<i64, InvalidIdentity> {
        let life = self.ends_ms()?.saturating_sub(self.issued_at_ms).max(0);
        Ok(self.issued_at_ms + (life / 3 * RENEWED_AFTER_THIRDS).max(SHORTEST_USE_MS))
    }

    /// The certificate's serial number, hexadecimal.
    ///
    /// # Errors
    /// When it is none.
    pub fn serial(&self) -> Result<String, InvalidIdentity> {
        Ok(serial(&self.certificate)?)
    }

    /// What it shows to the control plane.
    pub fn for_tls(&self) -> ClientIdentity {
        ClientIdentity { certificate_pem: self.certificate.clone(), key_pem: self.key.clone() }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("delegate_id", &self.delegate_id).finish_non_exhaustive()
    }
}
