//! A server's TLS: its certificate, and whose client certificates it takes.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};

use super::ServerIdentity;

/// A configuration that can be exchanged while a port listens: what is accepted from then on goes by the new one.
pub type LiveServerConfig = Arc<ArcSwap<ServerConfig>>;

/// Why a server's TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ServerTlsError {
    /// A file is not PEM of the kind it must be.
    #[error("{what} is not PEM: {error}")]
    Pem {
        /// Which.
        what: &'static str,
        /// Why.
        error: rustls::pki_types::pem::Error,
    },
    /// TLS refuses what it was given.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The authorities for clients are none.
    #[error("TLS client authorities: {0}")]
    Clients(#[from] rustls::server::VerifierBuilderError),
}

/// TLS for HTTP/2. With `client_authorities` (PEM), a client may present a certificate, which must then be of one of these
/// authorities: anything else is refused in the handshake. Who must present one is decided per call.
///
/// # Errors
/// When the certificate, the key or the authorities are not what they must be.
pub fn server_config(identity: &ServerIdentity, client_authorities: Option<&str>) -> Result<ServerConfig, ServerTlsError> {
    let chain = certificates("the server certificate", &identity.certificate_pem)?;
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())
        .map_err(|error| ServerTlsError::Pem { what: "the server key", error })?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let builder = match client_authorities {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates("the authority for clients", pem)? {
                roots.add(certificate)?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).allow_unauthenticated().build()?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key)?;
    // A resumed connection is not shown the client's certificate again: one that has ended since would be taken.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn certificates(what: &'static str, pem: &str) -> Result<Vec<CertificateDer<'static>>, ServerTlsError> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().map_err(|error| ServerTlsError::Pem { what, error })
}
