//! The certificates that listeners present: all signed by one authority of this simulator, which a client is told to trust.
//!
//! AWS's certificates are made elsewhere (ACM, IAM) and only named by a listener. Here a name is enough: each listener gets a key and
//! a certificate of its own for the certificate that it names, for its load balancer's address, 127.0.0.1 and localhost.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// From a little before now (clocks of other machines may be behind), and for longer than any world stands.
const EARLIER: Duration = Duration::from_secs(3_600);
const LIFE: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It could not be made.
    #[error("a certificate could not be made")]
    Made(#[from] rcgen::Error),
    /// It could not be used.
    #[error("a certificate could not be used")]
    Used(#[from] rustls::Error),
}

/// The authority, and what it has signed.
pub struct Authority {
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
    signed_at: Duration,
    served: Mutex<BTreeMap<(SocketAddr, String, bool), Arc<ServerConfig>>>,
}

impl Authority {
    /// A new authority; `now` is the time since 1970.
    ///
    /// # Errors
    /// When the machine gives no key.
    pub fn new(now: Duration) -> Result<Self, CertificateError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = params(now, "Simulated AWS authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate_pem = params.self_signed(&key)?.pem();
        Ok(Self { certificate_pem, issuer: Issuer::new(params, key), signed_at: now, served: Mutex::default() })
    }

    /// Its certificate, PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// What a listener at a socket presents for the certificate that it names: the same each time. With `http`, it agrees on HTTP with clients
    /// that ask for an application protocol.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn server(&self, listener: SocketAddr, named: &str, http: bool) -> Result<Arc<ServerConfig>, CertificateError> {
        let key = (listener, named.to_owned(), http);
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = served.get(&key) {
            return Ok(Arc::clone(config));
        }
        let mut config = self.sign(listener.ip(), named)?;
        if http {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        let config = Arc::new(config);
        served.insert(key, Arc::clone(&config));
        Ok(config)
    }

    fn sign(&self, address: IpAddr, named: &str) -> Result<ServerConfig, CertificateError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        // The last part of the ARN tells a client which certificate it was shown.
        let mut params = params(self.signed_at, named.rsplit('/').next().unwrap_or(named));
        params.subject_alt_names = vec![
            SanType::IpAddress(address),
            SanType::IpAddress(Ipv4Addr::LOCALHOST.into()),
            SanType::DnsName("localhost".to_owned().try_into()?),
        ];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        Ok(config)
    }
}

fn params(now: Duration, name: &str) -> CertificateParams {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let mut params = CertificateParams::default();
    params.not_before = epoch + now.saturating_sub(EARLIER);
    params.not_after = epoch + (now + LIFE);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_keeps_its_certificate_until_it_names_another() {
        let authority = Authority::new(Duration::from_secs(1_800_000_000)).expect("an authority");
        let listener = SocketAddr::from(([127, 20, 0, 2], 443));
        let server = |named: &str| authority.server(listener, named, true).expect("a certificate");
        assert!(Arc::ptr_eq(&server("a/1"), &server("a/1")) && !Arc::ptr_eq(&server("a/1"), &server("a/2")));
        assert!(authority.certificate_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    }
}
