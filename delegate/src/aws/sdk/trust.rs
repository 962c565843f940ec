//! Whom the delegate trusts when it calls AWS: the authorities that the machine trusts, or those of a file alone. The file is for networks
//! whose proxy opens TLS, or whose endpoints have certificates of their own. `AWS_CA_BUNDLE` is its name in every AWS tool; the SDK for
//! Rust does not read it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem, pem::PemObject},
};

/// Why a file of authorities can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It can't be read.
    #[error("the authorities for AWS (--aws-ca-bundle, AWS_CA_BUNDLE), {path}: {error}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is not PEM.
    #[error("the authorities for AWS (--aws-ca-bundle, AWS_CA_BUNDLE), {path}: not PEM: {error}", path = .path.display())]
    NotPem {
        /// Which.
        path: PathBuf,
        /// Why.
        error: pem::Error,
    },
    /// A certificate in it is none.
    #[error(
        "the authorities for AWS (--aws-ca-bundle, AWS_CA_BUNDLE), {path}: certificate {number} is not one: {error}",
        path = .path.display()
    )]
    NotOne {
        /// Which file.
        path: PathBuf,
        /// Which of its certificates, from 1.
        number: usize,
        /// Why.
        error: rustls::Error,
    },
    /// It has no certificate.
    #[error("the authorities for AWS (--aws-ca-bundle, AWS_CA_BUNDLE), {path}: there is no certificate in it", path = .path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
}

/// An HTTP client that trusts the authorities in a file alone. In all else it is as the SDK makes its own: with the proxies of the
/// environment.
///
/// # Errors
/// When the file can't be read or has anything in it that is no certificate.
pub fn trusting(path: &Path) -> Result<SharedHttpClient, TrustError> {
    let pem = fs::read(path).map_err(|error| TrustError::File { path: path.to_owned(), error })?;
    check(path, &pem)?;
    let store = TrustStore::empty().with_pem_certificate(pem);
    let context =
        TlsContext::builder().with_trust_store(store).build().expect("nothing in it can fail but a name, and it has none");
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context.clone()).build()
    }))
}

/// The SDK panics at the first call on what it can't read: better an error at the start.
fn check(path: &Path, pem: &[u8]) -> Result<(), TrustError> {
    let path = || path.to_owned();
    let mut store = RootCertStore::empty();
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(pem)) {
        let certificate = certificate.map_err(|error| TrustError::NotPem { path: path(), error })?;
        store.add(certificate).map_err(|error| TrustError::NotOne { path: path(), number, error })?;
    }
    if store.is_empty() { Err(TrustError::Empty { path: path() }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};
    use runtime::tls::Authority;

    use super::*;

    #[test]
    fn what_is_no_bundle_is_found_before_anything_is_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let (authority, key) = Authority::create(1_800_000_000_000, &mut StdRng::seed_from_u64(1)).expect("an authority");
        let good = authority.certificate_pem();
        let told = |text: &str| {
            let file = folder.path().join("bundle.pem");
            fs::write(&file, text).expect("writes");
            trusting(&file).err().map(|error| error.to_string())
        };
        assert_eq!(told(good), None);
        assert_eq!(told(&format!("# Ours\n{good}\n{good}")), None);
        let broken = good.replacen("MII", "AAA", 1);
        for (text, expected) in [
            ("", "there is no certificate in it"),
            ("nothing", "there is no certificate in it"),
            (&key, "there is no certificate in it"),
            (&good[..good.len() / 2], "not PEM"),
            (&format!("{good}{broken}"), "certificate 2 is not one"),
        ] {
            let told = told(text).unwrap_or_default();
            assert!(told.contains("bundle.pem: ") && told.contains(expected) && told.contains("AWS_CA_BUNDLE"), "{told}");
        }
        let missing = trusting(&folder.path().join("missing.pem")).expect_err("is missing").to_string();
        assert!(missing.contains("missing.pem: No such file"), "{missing}");
    }
}
