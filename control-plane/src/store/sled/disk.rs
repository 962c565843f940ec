//! What the store does to its folder itself: leftovers, free space, and making the disk keep what sled has written.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::store::error::StoreError;

/// Refuses a file system with less than `least` bytes for us.
pub(super) fn check_free(folder: &Path, least: u64) -> Result<(), StoreError> {
    let free = fs4::available_space(folder).map_err(|error| StoreError::unavailable(format!("{}: {error}", folder.display())))?;
    match free < least {
        true => Err(StoreError::unavailable(format!(
            "{} has {} MiB free, and the store does not start with less than {} MiB",
            folder.display(),
            free >> 20,
            least >> 20
        ))),
        false => Ok(()),
    }
}

/// Removes snapshots that were being written when the process died: sled would take one for the newest and refuse to open.
pub(super) fn remove_unfinished_snapshots(folder: &Path) -> io::Result<()> {
    remove_snapshots(folder, |name| name.ends_with(".generating")).map(drop)
}

/// Removes every snapshot; says whether there was one. A snapshot only shortens the reading of the log.
pub(super) fn remove_all_snapshots(folder: &Path) -> io::Result<bool> {
    remove_snapshots(folder, |_| true)
}

fn remove_snapshots(folder: &Path, which: impl Fn(&str) -> bool) -> io::Result<bool> {
    let mut removed = false;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("snap.") && which(name)) {
            fs::remove_file(entry.path())?;
            removed = true;
        }
    }
    Ok(removed)
}

/// Makes the disk keep what sled has written.
pub(super) struct Syncer {
    log: File,
    blobs: PathBuf,
    synced: BTreeSet<OsString>,
}

impl Syncer {
    /// For a folder in which sled is open. Everything that is there is synced, names included.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                File::open(entry.path())?.sync_all()?;
            }
        }
        let mut syncer = Self { log: File::open(folder.join("db"))?, blobs: folder.join("blobs"), synced: BTreeSet::new() };
        syncer.sync()?;
        File::open(folder)?.sync_all()?;
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(syncer)
    }

    /// What sled has flushed is durable when this returns. The limits on values keep sled from putting pages into files of their
    /// own; should it do so nevertheless, these are synced before the log that points at them.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        let mut present = BTreeSet::new();
        for entry in fs::read_dir(&self.blobs)? {
            let entry = entry?;
            let name = entry.file_name();
            if !self.synced.contains(&name) {
                match File::open(entry.path()) {
                    Ok(file) => file.sync_all()?,
                    // Removed meanwhile, by the thread that cleans up.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                }
            }
            present.insert(name);
        }
        if present != self.synced {
            File::open(&self.blobs)?.sync_all()?;
            self.synced = present;
        }
        self.log.sync_data()
    }
}
