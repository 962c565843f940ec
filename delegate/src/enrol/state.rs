//! The state directory: the delegate's identity, readable by its owner alone, and a lock, so that two processes never act under
//! one identity.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use runtime::files::{create_private_dir, write_secret};

use super::Identity;

const IDENTITY: &str = "identity.json";
const LOCK: &str = "lock";

/// Why the state directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process uses it.
    #[error("another segue-delegate uses the state directory {}: every delegate needs its own (--state-dir)", .0.display())]
    InUse(PathBuf),
    /// It can't be read or written.
    #[error("the state directory's {} can't be {doing}: {error}", .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The identity in it is damaged.
    #[error("{} is damaged ({error}): move it away and join again with a new token (`segue delegate token create`)", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why. Says nothing of the content.
        error: String,
    },
}

/// An opened state directory. Locked until it is dropped.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

impl StateDir {
    /// Creates the directory if it is not there, and locks it.
    ///
    /// # Errors
    /// When another process has it, or it can't be created.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        create_private_dir(path).map_err(failed("created", path))?;
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(failed("opened", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StateError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed("locked", &lock_path)(error)),
        }
    }

    /// The identity, if the delegate has joined.
    ///
    /// # Errors
    /// When it can't be read or is damaged.
    pub fn identity(&self) -> Result<Option<Identity>, StateError> {
        let path = self.path.join(IDENTITY);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        // Not serde's own message: it may quote the content, which holds the key.
        let damaged = |error: String| StateError::Damaged { path: path.clone(), error };
        let identity: Identity = serde_json::from_slice(&text)
            .map_err(|error| damaged(format!("not readable at line {}, column {}", error.line(), error.column())))?;
        identity.ends_ms().map_err(|error| damaged(error.to_string()))?;
        Ok(Some(identity))
    }

    /// Keeps the identity: after a crash there is the old one or the new one.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn save(&self, identity: &Identity) -> Result<(), StateError> {
        let path = self.path.join(IDENTITY);
        let text = serde_json::to_vec_pretty(identity).expect("an identity is strings and a number");
        write_secret(&path, &text).map_err(failed("written", &path))
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |error| StateError::Io { doing, path, error }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn one_process_at_a_time_and_a_damaged_identity_is_said_to_be_without_its_content() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state");
        let state = StateDir::open(&path).expect("opens");
        assert!(matches!(StateDir::open(&path), Err(StateError::InUse(_))));
        assert_eq!(state.identity().expect("none yet"), None);
        fs::write(path.join(IDENTITY), r#"{"delegateId": "s3cret-inside"}"#).expect("written");
        let error = state.identity().expect_err("damaged").to_string();
        assert!(error.contains("join again") && !error.contains("s3cret"), "{error}");
        drop(state);
        StateDir::open(&path).expect("free again");
        let mode = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o700);
    }
}
