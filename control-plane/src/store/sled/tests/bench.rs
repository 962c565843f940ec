//! The contract over sled.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tempfile::TempDir;

use crate::store::{
    SledOptions, SledStore,
    contract::{Bench, contract},
    sled::committer::{Hook, Moment},
};

/// Small folders do.
pub(super) fn options() -> SledOptions {
    SledOptions { least_free_bytes: 1, ..SledOptions::default() }
}

/// Copies a store's files as they are now.
pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("blobs")).expect("creates");
    for entry in fs::read_dir(from).expect("lists") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_name() != "lock" {
            fs::copy(entry.path(), target).expect("copies");
        }
    }
}

#[derive(Default)]
struct Gate {
    held: Mutex<bool>,
    changed: Condvar,
    /// The commit thread stands before the gate.
    reached: AtomicBool,
    broken: Mutex<Option<String>>,
}

impl Gate {
    fn set(&self, held: bool) {
        *self.held.lock().expect("not poisoned") = held;
        self.changed.notify_all();
    }

    fn pass(&self) -> io::Result<()> {
        let mut held = self.held.lock().expect("not poisoned");
        while *held {
            self.reached.store(true, Ordering::SeqCst);
            held = self.changed.wait(held).expect("not poisoned");
        }
        self.reached.store(false, Ordering::SeqCst);
        self.broken.lock().expect("not poisoned").clone().map_or(Ok(()), |why| Err(io::Error::other(why)))
    }
}

struct Sled {
    store: Arc<SledStore>,
    folder: TempDir,
    /// The files as they were when the disk had last synced.
    synced: TempDir,
    gate: Arc<Gate>,
}

impl Sled {
    fn open(folder: TempDir) -> Self {
        let (gate, synced) = (Arc::new(Gate::default()), tempfile::tempdir().expect("a folder"));
        let (at_gate, from, to) = (gate.clone(), folder.path().to_owned(), synced.path().to_owned());
        let hook: Hook = Arc::new(move |moment| match moment {
            Moment::BeforeSync => at_gate.pass(),
            Moment::Synced => {
                copy(&from, &to);
                Ok(())
            }
        });
        let options = SledOptions { hook: Some(hook), ..options() };
        let store = Arc::new(SledStore::open(folder.path(), &options).expect("opens"));
        Self { store, folder, synced, gate }
    }
}

impl Bench for Sled {
    type Store = SledStore;

    fn new() -> Self {
        Self::open(tempfile::tempdir().expect("a folder"))
    }

    fn store(&self) -> Arc<SledStore> {
        self.store.clone()
    }

    fn reopen(self) -> Self {
        let Self { store, folder, .. } = self;
        assert_eq!(Arc::strong_count(&store), 1, "it closes when nobody has it any more");
        drop(store);
        Self::open(folder)
    }

    fn cut_power(self) -> Self {
        let found = tempfile::tempdir().expect("a folder");
        copy(self.synced.path(), found.path());
        self.gate.set(false);
        Self::open(found)
    }

    fn hold(&self) {
        self.gate.set(true);
    }

    fn release(&self) {
        self.gate.set(false);
    }

    async fn waiting(&self, count: usize) {
        let waiting = || {
            let stats = self.store.stats();
            self.gate.reached.load(Ordering::SeqCst) && stats.queued + stats.in_hand as usize >= count
        };
        while !waiting() {
            tokio::task::yield_now().await;
        }
    }

    fn flushes(&self) -> u64 {
        self.store.stats().flushes
    }

    fn break_disk(&self, why: &str) {
        *self.gate.broken.lock().expect("not poisoned") = Some(why.to_owned());
    }
}

contract!(Sled);
