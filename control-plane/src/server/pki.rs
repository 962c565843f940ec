//! The control plane's own certificates, in `<data>/pki/`: the authority, made once, and the server's certificate, made anew when
//! the names change or two thirds of its life are over.
//!
//! ```text
//! authority.pem      what peers trust          server.pem       the server's certificate
//! authority.key.pem  secret, signs             server.key.pem   secret
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rand::RngCore;
use runtime::{
    files::{create_private_dir, write_secret},
    tls::{Authority, AuthorityError, ServerIdentity, validity_ends_ms},
};

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
    /// What a file holds is not what it must be, or signing failed.
    #[error("{0}")]
    Authority(#[from] AuthorityError),
}

/// The authority and the server's certificate.
pub struct Pki {
    /// The authority.
    pub authority: Authority,
    /// The server's certificate and key.
    pub server: ServerIdentity,
}

impl Pki {
    /// Reads what is in `folder`, or makes it. `names` are those by which the server is reached.
    ///
    /// # Errors
    /// When a file can't be read or written, or holds something else.
    pub fn load_or_create(folder: &Path, names: &[String], now_ms: i64, rng: &mut impl RngCore) -> Result<Self, PkiError> {
        let file = |error| PkiError::File { path: folder.to_owned(), error };
        create_private_dir(folder).map_err(file)?;
        let authority = authority(folder, now_ms, rng)?;
        let server = match known_server(folder, names, now_ms)? {
            Some(server) => server,
            None => {
                let server = authority.server_certificate(names, now_ms, SERVER_LIFE, rng)?;
                // The names last: whatever is missing or older than they are is made anew.
                write(&folder.join("server.key.pem"), &server.key_pem)?;
                write(&folder.join("server.pem"), &server.certificate_pem)?;
                write(&folder.join("server.names"), &names.join("\n"))?;
                server
            }
        };
        Ok(Self { authority, server })
    }
}

fn authority(folder: &Path, now_ms: i64, rng: &mut impl RngCore) -> Result<Authority, PkiError> {
    let (certificate, key) = (folder.join("authority.pem"), folder.join("authority.key.pem"));
    if let (Some(certificate), Some(key)) = (read(&certificate)?, read(&key)?) {
        return Ok(Authority::load(&certificate, &key)?);
    }
    let (authority, key_pem) = Authority::create(now_ms, rng)?;
    write(&key, &key_pem)?;
    write(&certificate, authority.certificate_pem())?;
    Ok(authority)
}

/// The server's certificate, if it is there, for these names, and not too old.
fn known_server(folder: &Path, names: &[String], now_ms: i64) -> Result<Option<ServerIdentity>, PkiError> {
    let stored = (read(&folder.join("server.pem"))?, read(&folder.join("server.key.pem"))?, read(&folder.join("server.names"))?);
    let (Some(certificate_pem), Some(key_pem), Some(for_names)) = stored else { return Ok(None) };
    let third_ms = i64::try_from(SERVER_LIFE.as_millis() / 3).unwrap_or(i64::MAX);
    let fresh = validity_ends_ms(&certificate_pem).is_ok_and(|ends_ms| ends_ms.saturating_sub(now_ms) > third_ms);
    let same = for_names.lines().eq(names.iter().map(String::as_str));
    Ok((fresh && same).then_some(ServerIdentity { certificate_pem, key_pem }))
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

    const NOW_MS: i64 = 1_800_000_000_000;

    #[test]
    fn what_was_made_is_found_again_and_renewed_when_names_or_time_ask_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut rng = StdRng::seed_from_u64(1);
        let names = vec!["localhost".to_owned()];
        let mut load = |names: &[String], now_ms| {
            let pki = Pki::load_or_create(&folder.path().join("pki"), names, now_ms, &mut rng).expect("loads");
            (pki.authority.certificate_pem().to_owned(), pki.server.certificate_pem)
        };
        let first = load(&names, NOW_MS);
        assert_eq!(load(&names, NOW_MS + 1_000), first);
        let renamed = load(&["localhost".to_owned(), "deploy.example".to_owned()], NOW_MS);
        assert_eq!(renamed.0, first.0);
        assert_ne!(renamed.1, first.1);
        let year_ms = 365 * 86_400_000;
        assert_ne!(load(&["localhost".to_owned(), "deploy.example".to_owned()], NOW_MS + year_ms).1, renamed.1);
    }
}
