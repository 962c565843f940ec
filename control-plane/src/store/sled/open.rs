//! Opening: lock, leftovers, free space, sled, schema, and only then the commit thread.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Duration,
};

use ::sled::{Config, Db, Tree};

use super::{
    committer::Hook,
    disk::{Syncer, check_free, remove_all_snapshots, remove_unfinished_snapshots},
    shared::{Shared, error},
};
use crate::store::{error::StoreError, folder_lock::FolderLock, table::Table};

/// Segments of 8 MiB: a page goes into a file of its own beyond a quarter of that (see [`crate::store::limits`]).
const SEGMENT_BYTES: usize = 8 * 1024 * 1024;
/// How often sled writes and cleans up when nobody commits.
const IDLE_FLUSH_MS: u64 = 500;
/// How often and how far apart sled's lock is tried.
const LOCK_TRIES: usize = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// The layout of the tables.
const SCHEMA: &[u8] = b"1";
const SCHEMA_KEY: &[u8] = b"schema";

/// How to open a store.
#[derive(Clone)]
pub struct SledOptions {
    /// Pages kept in memory, in bytes, about.
    pub cache_bytes: u64,
    /// The store does not start with less free disk than this, in bytes.
    pub least_free_bytes: u64,
    pub(super) hook: Option<Hook>,
}

impl Default for SledOptions {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20, least_free_bytes: 256 << 20, hook: None }
    }
}

impl fmt::Debug for SledOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cache_bytes, least_free_bytes, hook: _ } = self;
        f.debug_struct("SledOptions").field("cache_bytes", cache_bytes).field("least_free_bytes", least_free_bytes).finish()
    }
}

/// Opens what is in a folder, or makes it.
pub(super) fn open(folder: &Path, options: &SledOptions) -> Result<(Shared, Syncer), StoreError> {
    let failed = |error: std::io::Error| StoreError::unavailable(format!("{}: {error}", folder.display()));
    runtime::files::create_private_dir(folder).map_err(failed)?;
    let lock = FolderLock::take(folder)?;
    check_free(folder, options.least_free_bytes)?;
    remove_unfinished_snapshots(folder).map_err(failed)?;
    let db = match open_sled(folder, options) {
        // A power cut can leave a snapshot that is not what was written. The log has everything that is in it.
        Err(StoreError::Corrupt { what }) if remove_all_snapshots(folder).map_err(failed)? => {
            tracing::warn!(what, "the store's snapshot was not usable and was removed: the log is read from its beginning");
            open_sled(folder, options)?
        }
        opened => opened?,
    };
    let trees = Table::ALL.into_iter().map(|table| db.open_tree(table.name())).collect::<Result<Vec<_>, _>>().map_err(error)?;
    check_schema(&db, &trees)?;
    db.flush().map_err(error)?;
    let syncer = Syncer::new(folder).map_err(failed)?;
    Ok((Shared::new(db, trees, lock), syncer))
}

fn open_sled(folder: &Path, options: &SledOptions) -> Result<Db, StoreError> {
    let config = Config::new()
        .path(folder)
        .cache_capacity(options.cache_bytes)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(Some(IDLE_FLUSH_MS));
    // Some damage makes sled panic instead of saying so.
    let open = || catch_unwind(AssertUnwindSafe(|| config.open())).unwrap_or(Err(::sled::Error::Corruption { at: None, bt: () }));
    let mut opened = open();
    // We hold the folder's lock. If sled does not get its own, it is the last one's, which a process that was being started had
    // open when it was closed: it goes at once.
    for _ in 0..LOCK_TRIES {
        if !matches!(&opened, Err(::sled::Error::Io(error)) if error.to_string().contains("could not acquire lock")) {
            break;
        }
        std::thread::park_timeout(LOCK_PAUSE);
        opened = open();
    }
    opened.map_err(error)
}

fn check_schema(db: &Db, trees: &[Tree]) -> Result<(), StoreError> {
    match db.get(SCHEMA_KEY).map_err(error)? {
        Some(schema) if schema == SCHEMA => Ok(()),
        Some(schema) => Err(StoreError::corrupt(format!(
            "tables laid out as {:?}; this release knows {:?}",
            String::from_utf8_lossy(&schema),
            String::from_utf8_lossy(SCHEMA)
        ))),
        None if trees.iter().all(Tree::is_empty) => db.insert(SCHEMA_KEY, SCHEMA).map(drop).map_err(error),
        None => Err(StoreError::corrupt("tables without a note of how they are laid out")),
    }
}
