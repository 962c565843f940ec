//! The authorities that delegates and people trust, and how one is exchanged for another without anybody noticing.
//!
//! ```text
//! settled     one signs                              everybody trusts it
//! introduced  it signs, the next one is made         everybody learns to trust both
//! active      the next one signs                     everybody gets a new certificate, and trusts both
//! settled     the old one is forgotten               everybody learns to trust the new one alone
//! ```
//!
//! All of it is one file, replaced as a whole: a kill at any instruction leaves the phase before or the phase after.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use rand::RngCore;
use runtime::{
    files::write_secret,
    tls::{Authority, AuthorityError},
};
use serde::{Deserialize, Serialize};

/// The file in the certificates' folder.
const FILE: &str = "authorities.json";

/// Why the authorities can't be read, made or exchanged.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// A file can't be read or written.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is not what it must be. Says nothing of its content, which holds keys.
    #[error("{path} is damaged at line {line}", path = .path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Where.
        line: usize,
    },
    /// A certificate or key is none, or none can be made.
    #[error("{0}")]
    Authority(#[from] AuthorityError),
}

/// How far an exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// None is under way.
    Settled,
    /// The next authority is trusted and does not sign yet.
    Introduced,
    /// It signs; the one before is still trusted.
    Active,
}

impl Phase {
    /// One word for tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Introduced => "introduced",
            Self::Active => "active",
        }
    }
}

/// Who signs and who is trusted, at one moment.
pub struct Trust {
    /// Signs every certificate.
    pub signing: Authority,
    /// How far an exchange is.
    pub phase: Phase,
    /// The other authority that is trusted while an exchange is under way, PEM.
    pub other: Option<String>,
    /// All that are trusted, the signing one first, PEM.
    pub bundle: String,
    /// A short name of the bundle, other for each phase: 16 hexadecimal digits.
    pub id: String,
}

impl Trust {
    fn new(kept: &Kept) -> Result<Self, AuthorityError> {
        let signing = Authority::load(&kept.signing.certificate, &kept.signing.key)?;
        let (phase, other) = match (&kept.next, &kept.previous) {
            (Some(next), _) => (Phase::Introduced, Some(next.certificate.clone())),
            (None, Some(previous)) => (Phase::Active, Some(previous.clone())),
            (None, None) => (Phase::Settled, None),
        };
        let bundle = joined(signing.certificate_pem(), other.as_deref());
        let id = blake3::hash(bundle.as_bytes()).to_hex()[..16].to_owned();
        Ok(Self { signing, phase, other, bundle, id })
    }

    /// The texts that somebody who trusts this control plane may have of its authorities, from before an exchange or in any phase of it.
    pub fn texts(&self) -> Vec<String> {
        let (signing, mut texts) = (self.signing.certificate_pem(), vec![self.bundle.clone()]);
        if let Some(other) = &self.other {
            texts.extend([signing.to_owned(), other.clone(), joined(other, Some(signing))]);
        }
        texts
    }
}

fn joined(first: &str, second: Option<&str>) -> String {
    [Some(first), second].into_iter().flatten().map(|pem| format!("{}\n", pem.trim())).collect()
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    certificate: String,
    key: String,
}

/// The file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    signing: Pair,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<Pair>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

/// The authorities.
pub struct Authorities {
    trust: ArcSwap<Trust>,
    /// Held while a change is written.
    kept: Mutex<Kept>,
    file: Option<PathBuf>,
}

impl Authorities {
    /// Those in `folder`, or a new one. An authority that an older version kept in two files is taken over.
    ///
    /// # Errors
    /// When a file can't be read or written, or holds something else.
    pub fn open(folder: &Path, now_ms: i64, rng: &mut impl RngCore) -> Result<Self, AuthoritiesError> {
        let path = folder.join(FILE);
        let old = [folder.join("authority.pem"), folder.join("authority.key.pem")];
        let kept = match (read(&path)?, read(&old[0])?, read(&old[1])?) {
            (Some(text), _, _) => serde_json::from_str(&text)
                .map_err(|error| AuthoritiesError::Damaged { path: path.clone(), line: error.line() })?,
            (None, Some(certificate), Some(key)) => Kept::one(Pair { certificate, key }),
            (None, _, _) => Kept::one(create(now_ms, rng)?),
        };
        let authorities = Self { trust: ArcSwap::from_pointee(Trust::new(&kept)?), kept: Mutex::new(kept), file: Some(path) };
        authorities.write(&authorities.kept.lock().unwrap_or_else(PoisonError::into_inner))?;
        for path in old {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(AuthoritiesError::File { path, error }),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(authorities)
    }

    /// A new one that nothing is kept of.
    ///
    /// # Errors
    /// When none can be made.
    pub fn unkept(now_ms: i64, rng: &mut impl RngCore) -> Result<Self, AuthoritiesError> {
        let kept = Kept::one(create(now_ms, rng)?);
        Ok(Self { trust: ArcSwap::from_pointee(Trust::new(&kept)?), kept: Mutex::new(kept), file: None })
    }

    /// Who signs and who is trusted now.
    pub fn trust(&self) -> Arc<Trust> {
        self.trust.load_full()
    }

    /// Goes on to the next phase. When this returns, it is durable; what the phase needs is prepared before. None: somebody else went on
    /// from there already (`from` is the name of the bundle that the decision was made on), and nothing is done.
    ///
    /// # Errors
    /// When it can't be made, prepared or written: the phase is as it was.
    pub fn advance<T, E: From<AuthoritiesError>>(
        &self,
        from: &str,
        now_ms: i64,
        rng: &mut impl RngCore,
        prepare: impl FnOnce(&Trust) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if self.trust.load().id != from {
            return Ok(None);
        }
        let mut next = || Some(create(now_ms, rng).map_err(AuthoritiesError::from)).transpose();
        let changed = match (kept.next.clone(), &kept.previous) {
            (Some(next), _) => Kept { previous: Some(kept.signing.certificate.clone()), ..Kept::one(next) },
            (None, Some(_)) => Kept::one(kept.signing.clone()),
            (None, None) => Kept { next: next()?, ..kept.clone() },
        };
        let trust = Arc::new(Trust::new(&changed).map_err(AuthoritiesError::from)?);
        let prepared = prepare(&trust)?;
        self.write(&changed)?;
        *kept = changed;
        self.trust.store(trust);
        Ok(Some(prepared))
    }

    fn write(&self, kept: &Kept) -> Result<(), AuthoritiesError> {
        let Some(path) = &self.file else { return Ok(()) };
        let text = serde_json::to_vec_pretty(kept).expect("the file is strings");
        write_secret(path, &text).map_err(|error| AuthoritiesError::File { path: path.clone(), error })
    }
}

impl Kept {
    fn one(signing: Pair) -> Self {
        Self { signing, next: None, previous: None }
    }
}

fn create(now_ms: i64, rng: &mut impl RngCore) -> Result<Pair, AuthorityError> {
    let (authority, key) = Authority::create(now_ms, rng)?;
    Ok(Pair { certificate: authority.certificate_pem().to_owned(), key })
}

fn read(path: &Path) -> Result<Option<String>, AuthoritiesError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AuthoritiesError::File { path: path.to_owned(), error }),
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const NOW_MS: i64 = 1_800_000_000_000;

    fn damaged() -> AuthoritiesError {
        AuthoritiesError::Damaged { path: "elsewhere".into(), line: 1 }
    }

    #[test]
    fn an_exchange_goes_through_its_phases_and_every_one_is_found_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut rng = StdRng::seed_from_u64(1);
        let open = || Authorities::open(folder.path(), NOW_MS, &mut StdRng::seed_from_u64(2)).expect("opens").trust();
        let first = open();
        let mut seen = vec![(Phase::Settled, first.id.clone(), first.bundle.matches("BEGIN").count())];
        for _ in 0..3 {
            let authorities = Authorities::open(folder.path(), NOW_MS, &mut rng).expect("opens");
            let before = authorities.trust();
            let broken = authorities.advance(&before.id, NOW_MS, &mut rng, |_| Err::<(), _>(damaged()));
            assert!(broken.is_err() && authorities.trust().id == before.id, "what can't be prepared does not happen");
            let mut advance = || authorities.advance(&before.id, NOW_MS, &mut rng, |_| Ok::<_, AuthoritiesError>(()));
            assert_eq!(advance().expect("advances"), Some(()));
            assert_eq!(advance().expect("is left alone"), None, "decided twice on the same phase");
            let after = authorities.trust();
            assert_eq!((open().phase, open().bundle.clone()), (after.phase, after.bundle.clone()), "found again");
            assert!(after.texts().contains(&before.bundle) || after.phase == Phase::Settled);
            seen.push((after.phase, after.id.clone(), after.bundle.matches("BEGIN").count()));
        }
        assert_eq!(
            seen.iter().map(|(phase, _, count)| (*phase, *count)).collect::<Vec<_>>(),
            [(Phase::Settled, 1), (Phase::Introduced, 2), (Phase::Active, 2), (Phase::Settled, 1)]
        );
        let names: std::collections::BTreeSet<_> = seen.iter().map(|(_, id, _)| id).collect();
        assert_eq!(names.len(), 4, "every phase has a name of its own");
    }

    #[test]
    fn an_authority_in_two_files_is_taken_over_and_a_damaged_file_tells_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (authority, key) = Authority::create(NOW_MS, &mut StdRng::seed_from_u64(3)).expect("creates");
        fs::write(folder.path().join("authority.pem"), authority.certificate_pem()).expect("writes");
        fs::write(folder.path().join("authority.key.pem"), &key).expect("writes");
        let open = || Authorities::open(folder.path(), NOW_MS, &mut StdRng::seed_from_u64(4));
        assert_eq!(open().expect("opens").trust().signing.certificate_pem(), authority.certificate_pem());
        assert!(!folder.path().join("authority.key.pem").exists(), "the key is in one place");
        assert_eq!(open().expect("opens").trust().signing.certificate_pem(), authority.certificate_pem());
        fs::write(folder.path().join(FILE), "{\"signing\": \"s3cret\"}").expect("writes");
        let error = open().map(|_| ()).expect_err("damaged").to_string();
        assert!(error.contains("line 1") && !error.contains("s3cret"), "{error}");
    }
}
