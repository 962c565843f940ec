//! A lock on a folder: two processes that write in it would destroy what is there.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use super::error::StoreError;

/// Held for as long as the folder is in use. The kernel lets it go when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct FolderLock {
    file: File,
}

impl FolderLock {
    /// Takes the lock of a folder that is there.
    pub(crate) fn take(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join("lock");
        let failed = |error| StoreError::unavailable(format!("{}: {error}", path.display()));
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::unavailable(format!("another control plane is running on {}", folder.display())))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Not left to closing the file: a process that is being started by this one has it open for an instant, too.
        let _ = self.file.unlock();
    }
}
