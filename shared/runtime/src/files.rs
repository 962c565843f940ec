//! Files that hold secrets: readable by their owner alone from the first instant, and replaced as a whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Creates a folder, and those above it, that only its owner can enter. A folder that is there stays as it is.
///
/// # Errors
/// When it can't be created.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file with mode 0600: beside its place, synced, then renamed into it. After a crash there is the old content or the
/// new, never a part.
///
/// # Errors
/// When the folder can't be written.
pub fn write_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = beside(path)?;
    // A leftover of a crash, if any: nobody else writes this name.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.file_name().ok_or_else(|| io::Error::other("not the path of a file"))?.to_owned();
    name.push(".new");
    Ok(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_private_and_replaced_as_a_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("pki");
        create_private_dir(&inner).expect("creates");
        create_private_dir(&inner).expect("is there");
        let path = inner.join("key.pem");
        fs::write(inner.join("key.pem.new"), "left over").expect("writes");
        write_secret(&path, b"one").expect("writes");
        write_secret(&path, b"two").expect("replaces");
        assert_eq!(fs::read(&path).expect("reads"), b"two");
        let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&inner)), (0o600, 0o700));
        assert_eq!(fs::read_dir(&inner).expect("lists").count(), 1);
    }
}
