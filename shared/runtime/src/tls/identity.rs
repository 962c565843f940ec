//! Who a peer is, read from the certificate that TLS verified, and from nothing else.

use domain::ids::DelegateId;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName};

const SPIFFE_PREFIX: &str = "spiffe://segue/delegate/";

/// The URI by which a certificate names a delegate.
pub(super) fn spiffe_uri(delegate: DelegateId) -> String {
    format!("{SPIFFE_PREFIX}{delegate}")
}

/// What a delegate's certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Whose it is.
    pub delegate: DelegateId,
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// When it ends, milliseconds since 1970-01-01 UTC.
    pub not_after_ms: i64,
}

/// Why a certificate names no delegate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It is not X.509.
    #[error("not an X.509 certificate")]
    Malformed,
    /// It does not have exactly one name of a delegate.
    #[error("the certificate does not name exactly one delegate")]
    NotOneDelegate,
}

impl ClientCertificate {
    /// Reads a certificate that TLS has verified.
    ///
    /// # Errors
    /// When it does not name exactly one delegate.
    pub fn parse(der: &[u8]) -> Result<Self, IdentityError> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(|_| IdentityError::Malformed)?;
        let names = certificate.subject_alternative_name().map_err(|_| IdentityError::Malformed)?;
        let [GeneralName::URI(uri)] = names.map(|names| names.value.general_names.as_slice()).unwrap_or_default() else {
            return Err(IdentityError::NotOneDelegate);
        };
        let delegate = uri.strip_prefix(SPIFFE_PREFIX).and_then(|id| id.parse().ok()).ok_or(IdentityError::NotOneDelegate)?;
        Ok(Self { delegate, serial: serial_of(&certificate), not_after_ms: ends_ms(&certificate) })
    }
}

/// When a certificate (PEM) ends, milliseconds since 1970-01-01 UTC.
///
/// # Errors
/// When it is not a certificate.
pub fn validity_ends_ms(certificate_pem: &str) -> Result<i64, IdentityError> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(certificate_pem.as_bytes()).map_err(|_| IdentityError::Malformed)?;
    pem.parse_x509().map(|certificate| ends_ms(&certificate)).map_err(|_| IdentityError::Malformed)
}

/// The serial number of a certificate (PEM), hexadecimal.
///
/// # Errors
/// When it is not a certificate.
pub fn serial(certificate_pem: &str) -> Result<String, IdentityError> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(certificate_pem.as_bytes()).map_err(|_| IdentityError::Malformed)?;
    pem.parse_x509().map(|certificate| serial_of(&certificate)).map_err(|_| IdentityError::Malformed)
}

fn serial_of(certificate: &X509Certificate<'_>) -> String {
    certificate.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn ends_ms(certificate: &X509Certificate<'_>) -> i64 {
    certificate.validity().not_after.timestamp() * 1000
}
