//! The control plane's own certificate, in `<data>/pki/`, beside the authorities: made anew when the authority or the names change or two
//! thirds of its life are over.
//!
//! ```text
//! authorities.json   secret: who signs, who is trusted
//! server.pem         the server's certificate          server.key.pem   secret
//! server.names       by whom it was signed, and for which names
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rand::RngCore;
use runtime::{
    files::write_secret,
    tls::{AuthorityError, ServerIdentity, validity_ends_ms},
};

use crate::access::{AuthoritiesError, Trust};

/// How long a server certificate is good for.
const SERVER_LIFE: Duration = Duration::from_secs(397 * 24 * 3600);

/// Why the certificates could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file can't be read or written.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The authorities.
    #[error("{0}")]
    Authorities(#[from] AuthoritiesError),
    /// Signing failed.
    #[error("{0}")]
    Signing(#[from] AuthorityError),
}

/// The server's certificate in `folder`, or a new one that the authority of now signs. `names` are those by which the server is reached.
///
/// # Errors
/// When a file can't be read or written, or a name is none.
pub(super) fn server_identity(
    folder: &Path,
    trust: &Trust,
    names: &[String],
    now_ms: i64,
    rng: &mut impl RngCore,
) -> Result<ServerIdentity, PkiError> {
    let made_for = made_for(trust, names);
    if let Some(known) = known_server(folder, &made_for, now_ms)? {
        return Ok(known);
    }
    let server = trust.signing.server_certificate(names, now_ms, SERVER_LIFE, rng)?;
    // The names last: whatever is missing or older than they are is made anew.
    write(&folder.join("server.key.pem"), &server.key_pem)?;
    write(&folder.join("server.pem"), &server.certificate_pem)?;
    write(&folder.join("server.names"), &made_for)?;
    Ok(server)
}

/// What makes one certificate of the server different from another: who signs, and for which names.
fn made_for(trust: &Trust, names: &[String]) -> String {
    let signer = blake3::hash(trust.signing.certificate_pem().as_bytes()).to_hex();
    format!("signed by {}\n{}", &signer[..16], names.join("\n"))
}

/// The server's certificate, if it is there, made for this, and not too old.
fn known_server(folder: &Path, made_for: &str, now_ms: i64) -> Result<Option<ServerIdentity>, PkiError> {
    let stored = (read(&folder.join("server.pem"))?, read(&folder.join("server.key.pem"))?, read(&folder.join("server.names"))?);
    let (Some(certificate_pem), Some(key_pem), Some(was_made_for)) = stored else { return Ok(None) };
    let third_ms = i64::try_from(SERVER_LIFE.as_millis() / 3).unwrap_or(i64::MAX);
    let fresh = validity_ends_ms(&certificate_pem).is_ok_and(|ends_ms| ends_ms.saturating_sub(now_ms) > third_ms);
    Ok((fresh && was_made_for == made_for).then_some(ServerIdentity { certificate_pem, key_pem }))
}

fn read(path: &Path) -> Result<Option<String>, PkiError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PkiError::File { path: path.to_owned(), error }),
    }
}

fn write(path: &Path, text: &str) -> Result<(), PkiError> {
    write_secret(path, text.as_bytes()).map_err(|error| PkiError::File { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::access::Authorities;

    const NOW_MS: i64 = 1_800_000_000_000;

    #[test]
    fn what_was_made_is_found_again_and_renewed_when_names_time_or_authority_ask_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut rng = StdRng::seed_from_u64(1);
        let authorities = Authorities::open(folder.path(), NOW_MS, &mut rng).expect("opens");
        let names = vec!["localhost".to_owned()];
        let more = vec!["localhost".to_owned(), "deploy.example".to_owned()];
        let mut load = |names: &[String], now_ms| {
            let trust = authorities.trust();
            server_identity(folder.path(), &trust, names, now_ms, &mut rng).expect("loads").certificate_pem
        };
        let first = load(&names, NOW_MS);
        assert_eq!(load(&names, NOW_MS + 1_000), first);
        let renamed = load(&more, NOW_MS);
        assert_ne!(renamed, first);
        let year_ms = 365 * 86_400_000;
        let renewed = load(&more, NOW_MS + year_ms);
        assert_ne!(renewed, renamed);
        let mut change = StdRng::seed_from_u64(2);
        for signed_anew in [false, true, false] {
            let before = load(&more, NOW_MS + year_ms);
            let prepared = authorities.advance(&authorities.trust().id, NOW_MS, &mut change, |_| Ok::<_, AuthoritiesError>(()));
            assert!(prepared.is_ok_and(|done| done.is_some()));
            assert_eq!(load(&more, NOW_MS + year_ms) != before, signed_anew);
        }
    }
}
