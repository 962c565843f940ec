//! Segue's own certificate authority: it signs the control plane's server certificate and the delegates' certificates.
//!
//! A delegate's identity stands in one place only, a URI in the subject alternative name (`spiffe://segue/delegate/dlg_...`), and
//! is the authority's to give: of a certificate request nothing but the public key is used.

use std::{net::IpAddr, time::Duration};

use domain::ids::DelegateId;
use rand::RngCore;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PublicKeyData, SanType, SerialNumber,
};

use super::identity::spiffe_uri;

const AUTHORITY_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// Certificates are valid from a little before now: clocks of other machines may be behind.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// Why a certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The certificate request is not one, or its signature is wrong.
    #[error("the certificate request is not valid: {0}")]
    Request(rcgen::Error),
    /// The key in the request is of a kind that is not accepted.
    #[error("the certificate request's key is of a kind that is not accepted: use ECDSA P-256, P-384 or Ed25519")]
    WeakKey,
    /// A name for the server certificate is none.
    #[error("{0:?} is not a host name or an IP address")]
    Name(String),
    /// The authority's own files are broken, or signing failed.
    #[error("the certificate authority: {0}")]
    Authority(rcgen::Error),
    /// A time that no certificate can state.
    #[error("the time {0} ms cannot stand in a certificate")]
    Time(i64),
}

/// The authority: its certificate and the key that signs.
pub struct Authority {
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate that the authority signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// When it ends, milliseconds since 1970-01-01 UTC.
    pub not_after_ms: i64,
}

/// A server's certificate and key.
#[derive(Clone)]
pub struct ServerIdentity {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The key, PEM. Secret.
    pub key_pem: String,
}

impl Authority {
    /// A new authority with a P-256 key, for ten years; the second value is the key (PEM), to be kept secret.
    ///
    /// # Errors
    /// When the key can't be made.
    pub fn create(now_ms: i64, rng: &mut impl RngCore) -> Result<(Self, String), AuthorityError> {
        let key_pem = new_key()?;
        let key = KeyPair::from_pem(&key_pem).map_err(AuthorityError::Authority)?;
        let mut params = params(now_ms, AUTHORITY_LIFE, rng)?;
        params.distinguished_name.push(DnType::CommonName, "Segue authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(AuthorityError::Authority)?;
        Ok((Self { certificate_pem: certificate.pem(), issuer: Issuer::new(params, key) }, key_pem))
    }

    /// The authority that [`Authority::create`] made.
    ///
    /// # Errors
    /// When the files are not a certificate and a key.
    pub fn load(certificate_pem: &str, key_pem: &str) -> Result<Self, AuthorityError> {
        let key = KeyPair::from_pem(key_pem).map_err(AuthorityError::Authority)?;
        let issuer = Issuer::from_ca_cert_pem(certificate_pem, key).map_err(AuthorityError::Authority)?;
        Ok(Self { certificate_pem: certificate_pem.to_owned(), issuer })
    }

    /// The authority's certificate, PEM: what peers trust.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A certificate with a new key for a server that is reached by these host names and addresses.
    ///
    /// # Errors
    /// When a name is none, or signing fails.
    pub fn server_certificate(
        &self,
        names: &[String],
        now_ms: i64,
        life: Duration,
        rng: &mut impl RngCore,
    ) -> Result<ServerIdentity, AuthorityError> {
        let key_pem = new_key()?;
        let key = KeyPair::from_pem(&key_pem).map_err(AuthorityError::Authority)?;
        let mut params = params(now_ms, life, rng)?;
        params.distinguished_name.push(DnType::CommonName, "Segue control plane");
        params.subject_alt_names = names.iter().map(|name| alternative_name(name)).collect::<Result<_, _>>()?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer).map_err(AuthorityError::Authority)?;
        Ok(ServerIdentity { certificate_pem: certificate.pem(), key_pem })
    }

    /// A certificate for a delegate's own key. Subject, names, usages and time are the authority's; the request gives the key only.
    ///
    /// # Errors
    /// When the request is not valid or its key is weak, or signing fails.
    pub fn delegate_certificate(
        &self,
        request_pem: &str,
        delegate: DelegateId,
        now_ms: i64,
        life: Duration,
        rng: &mut impl RngCore,
    ) -> Result<IssuedCertificate, AuthorityError> {
        let request = CertificateSigningRequestParams::from_pem(request_pem).map_err(AuthorityError::Request)?;
        let accepted = [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519];
        if !accepted.contains(&PublicKeyData::algorithm(&request.public_key)) {
            return Err(AuthorityError::WeakKey);
        }
        let mut params = params(now_ms, life, rng)?;
        params.distinguished_name.push(DnType::CommonName, "Segue delegate");
        let uri = spiffe_uri(delegate).try_into().map_err(AuthorityError::Authority)?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&request.public_key, &self.issuer).map_err(AuthorityError::Authority)?;
        let serial = params.serial_number.as_ref().map(SerialNumber::to_bytes).unwrap_or_default();
        Ok(IssuedCertificate {
            certificate_pem: certificate.pem(),
            serial: serial.iter().map(|byte| format!("{byte:02x}")).collect(),
            not_after_ms: params.not_after.unix_timestamp() * 1000,
        })
    }
}

/// A new P-256 key, PEM. Secret.
///
/// # Errors
/// When the machine gives no randomness.
pub fn new_key() -> Result<String, AuthorityError> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(AuthorityError::Authority)?.serialize_pem())
}

/// A certificate request (PKCS#10, PEM) for a key: what a delegate sends to join.
///
/// # Errors
/// When the key is none.
pub fn request(key_pem: &str) -> Result<String, AuthorityError> {
    let key = KeyPair::from_pem(key_pem).map_err(AuthorityError::Authority)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let request = params.serialize_request(&key).map_err(AuthorityError::Authority)?;
    request.pem().map_err(AuthorityError::Authority)
}

/// What all certificates have in common: a random serial number, a time, no names yet.
fn params(now_ms: i64, life: Duration, rng: &mut impl RngCore) -> Result<CertificateParams, AuthorityError> {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = u64::try_from(now_ms).map(Duration::from_millis).map_err(|_| AuthorityError::Time(now_ms))?;
    let mut serial = [0_u8; 16];
    rng.fill_bytes(&mut serial);
    // A serial number is positive: with the highest bit set it would be written with a zero in front.
    serial[0] = (serial[0] & 0x7f) | 0x40;
    let mut params = CertificateParams::default();
    params.not_before = epoch + now.saturating_sub(CLOCK_SKEW);
    params.not_after = epoch + (now + life);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn alternative_name(name: &str) -> Result<SanType, AuthorityError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let plausible = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_*".contains(&b));
    let invalid = || AuthorityError::Name(name.to_owned());
    if !plausible {
        return Err(invalid());
    }
    Ok(SanType::DnsName(name.to_owned().try_into().map_err(|_| invalid())?))
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    use uuid::Uuid;

    use super::*;
    use crate::tls::ClientCertificate;

    const NOW_MS: i64 = 1_800_000_000_000;

    #[test]
    fn a_request_gives_its_key_and_nothing_else() {
        let mut rng = StdRng::seed_from_u64(7);
        let (made, key_pem) = Authority::create(NOW_MS, &mut rng).expect("creates");
        let authority = Authority::load(made.certificate_pem(), &key_pem).expect("loads");
        let mine = DelegateId::new(Uuid::from_u128(1));
        let other = DelegateId::new(Uuid::from_u128(2));
        let key = KeyPair::generate().expect("a key");
        let mut greedy = CertificateParams::new(vec!["control-plane".to_owned()]).expect("a name");
        greedy.subject_alt_names.push(SanType::URI(spiffe_uri(other).try_into().expect("a URI")));
        greedy.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = greedy.serialize_request(&key).and_then(|request| request.pem()).expect("a request");
        let life = Duration::from_secs(3600);
        let issued = authority.delegate_certificate(&pem, mine, NOW_MS, life, &mut rng).expect("signs");
        let der = CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).expect("PEM");
        let read = ClientCertificate::parse(&der).expect("a delegate's");
        assert_eq!((read.delegate, read.not_after_ms), (mine, NOW_MS + 3_600_000));
        assert_eq!(read.serial, issued.serial);
        let (_, x509) = x509_parser::parse_x509_certificate(&der).expect("X.509");
        assert!(!x509.is_ca());
    }

    #[test]
    fn nonsense_is_refused() {
        let mut rng = StdRng::seed_from_u64(7);
        let (authority, _) = Authority::create(NOW_MS, &mut rng).expect("creates");
        let delegate = DelegateId::new(Uuid::from_u128(1));
        for text in ["", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"] {
            let refused = authority.delegate_certificate(text, delegate, NOW_MS, Duration::from_secs(1), &mut rng);
            assert!(matches!(refused, Err(AuthorityError::Request(_))));
        }
        let refused = authority.server_certificate(&["two words".to_owned()], NOW_MS, Duration::from_secs(1), &mut rng);
        assert!(matches!(refused, Err(AuthorityError::Name(_))));
    }
}
