//! Reaching a Segue server: an endpoint that trusts the given authorities and, for a delegate, presents its certificate.

use std::time::Duration;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

/// A client's own certificate and key.
#[derive(Clone)]
pub struct ClientIdentity {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The key, PEM. Secret.
    pub key_pem: String,
}

/// Why a server's address or TLS can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is none, or not `https`.
    #[error("{0:?} is not an address of the form https://host:port")]
    Address(String),
    /// The certificates or the key are not what they must be.
    #[error("the TLS files of the client: {0}")]
    Tls(tonic::transport::Error),
}

/// An endpoint for `server` (`https://host:port`) that trusts only `authorities` (PEM) and notices a peer that has gone silent:
/// a ping after 20 s without traffic, 10 s to answer it, also while nothing is asked.
///
/// # Errors
/// When the address is none, or the certificates are not PEM.
pub fn endpoint(server: &str, authorities: &str, identity: Option<&ClientIdentity>) -> Result<Endpoint, ClientError> {
    let address = || ClientError::Address(server.chars().take(200).collect());
    if !server.starts_with("https://") {
        return Err(address());
    }
    let endpoint = Endpoint::from_shared(server.to_owned()).map_err(|_| address())?;
    if endpoint.uri().host().is_none_or(str::is_empty) {
        return Err(address());
    }
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authorities));
    if let Some(identity) = identity {
        tls = tls.identity(Identity::from_pem(&identity.certificate_pem, &identity.key_pem));
    }
    Ok(endpoint
        .tls_config(tls)
        .map_err(ClientError::Tls)?
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .tcp_nodelay(true))
}
