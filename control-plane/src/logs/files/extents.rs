//! How far each log that is being written can be read: what the writer tells the readers.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::ids::DeploymentId;

/// What of a log is durable. Segments before the last are so as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// First entry of the last segment; none: nothing was written.
    pub(super) last: Option<u64>,
    /// Bytes of it.
    pub(super) bytes: u64,
}

/// Logs that the writer has open. One that is not here is as it is on disk, and stays so while the map is locked.
#[derive(Default)]
pub(super) struct Extents {
    open: Mutex<HashMap<DeploymentId, Extent>>,
}

impl Extents {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<DeploymentId, Extent>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
