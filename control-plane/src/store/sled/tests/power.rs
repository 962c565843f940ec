//! Power cuts, as far as they can be had without pulling a plug.
//!
//! A disk keeps what was there when it was last synced, and of what was written since any part, in any order. So: the file as it was
//! right after a sync, the same file just before the next sync, and between them every kind of mixture, page by page. Each must open
//! and hold whatever was acknowledged at the first.
//!
//! What this does not show: a page that was written several times between two syncs is here as it was first or last, not in
//! between; a page is kept as a whole or not at all; and the names of files are taken to be durable (they are synced on opening).

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tempfile::TempDir;

use super::{
    bench::{copy, options},
    child::{change, numbers},
};
use crate::store::{
    SledOptions, SledStore,
    sled::committer::{Hook, Moment},
};

const PAGE: usize = 4096;

struct Cutter {
    folder: PathBuf,
    /// Everything but the file that changes.
    rest: TempDir,
    value_bytes: usize,
    rng: StdRng,
    synced: Vec<u8>,
    /// Highest number that was acknowledged when `synced` was taken.
    acknowledged: Vec<u64>,
    /// Every how many syncs the power is cut, and how often then.
    every: u64,
    cuts: u64,
    syncs: u64,
    done: u64,
}

impl Cutter {
    /// The disk as it may be found if the power goes now.
    fn found(&mut self, written: &[u8]) -> Vec<u8> {
        let kept = [0.0, 0.02, 0.3, 0.7, 0.98, 1.0][self.rng.random_range(0..6)];
        let mut found = self.synced.clone();
        if written.len() > found.len() && self.rng.random() {
            found.resize(written.len(), 0);
        }
        for (was, is) in found.chunks_mut(PAGE).zip(written.chunks(PAGE)) {
            if was[..] != is[..was.len().min(is.len())] && self.rng.random_bool(kept) {
                let both = was.len().min(is.len());
                was[..both].copy_from_slice(&is[..both]);
            }
        }
        found
    }

    fn cut(&mut self, runtime: &tokio::runtime::Runtime) {
        self.syncs += 1;
        if self.synced.is_empty() || !self.syncs.is_multiple_of(self.every) {
            return;
        }
        let written = read(&self.folder);
        for _ in 0..self.cuts {
            let found = self.found(&written);
            let after = tempfile::tempdir().expect("a folder");
            copy(self.rest.path(), after.path());
            fs::write(after.path().join("db"), found).expect("writes");
            let opened = SledStore::open(after.path(), &options());
            let store = opened.unwrap_or_else(|error| panic!("does not open after cut {}: {error}", self.done));
            let found = runtime.block_on(numbers(&store, self.value_bytes));
            let lost: Vec<_> = self.acknowledged.iter().filter(|number| found.binary_search(number).is_err()).collect();
            assert!(lost.is_empty(), "cut {} lost {lost:?}", self.done);
            self.done += 1;
        }
    }
}

fn read(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("db")).expect("reads")
}

/// Commits in groups, and cuts the power on the way.
fn run(value_bytes: usize, groups: u64, together: u64, every: u64, cuts: u64, seed: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    drop(SledStore::open(folder.path(), &options()).expect("opens"));
    let rest = tempfile::tempdir().expect("a folder");
    copy(folder.path(), rest.path());
    fs::remove_file(rest.path().join("db")).expect("is there");
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let cutter = Mutex::new(Cutter {
        folder: folder.path().to_owned(),
        rest,
        value_bytes,
        rng: StdRng::seed_from_u64(seed),
        synced: Vec::new(),
        acknowledged: Vec::new(),
        every,
        cuts,
        syncs: 0,
        done: 0,
    });
    let (failures, done) = (Arc::new(Mutex::new(None)), Arc::new(AtomicU64::new(0)));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let inner = tokio::runtime::Runtime::new().expect("a runtime");
    let hook: Hook = {
        let (acknowledged, failures, done) = (acknowledged.clone(), failures.clone(), done.clone());
        Arc::new(move |moment| {
            let mut cutter = cutter.lock().expect("not poisoned");
            match moment {
                Moment::BeforeSync => {
                    // A failure is told by the test, not by the store, which would only become read-only.
                    let cut = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cutter.cut(&inner)));
                    if cut.is_err() {
                        *failures.lock().expect("not poisoned") = Some(cutter.done);
                    }
                    done.store(cutter.done, Ordering::SeqCst);
                }
                Moment::Synced => {
                    cutter.acknowledged = Vec::clone(&acknowledged.lock().expect("not poisoned"));
                    cutter.synced = read(&cutter.folder);
                }
            }
            Ok(())
        })
    };
    let store = SledStore::open(folder.path(), &SledOptions { hook: Some(hook), ..options() }).expect("opens");
    for group in 0..groups {
        let range = group * together + 1..(group + 1) * together + 1;
        let committed = runtime.block_on(join_all(range.clone().map(|number| store_commit(&store, number, value_bytes))));
        assert!(committed.iter().all(Result::is_ok), "{committed:?}");
        acknowledged.lock().expect("not poisoned").extend(range);
        let failure = *failures.lock().expect("not poisoned");
        assert_eq!(failure, None, "a power cut lost something: see the panic above");
    }
    assert!(done.load(Ordering::SeqCst) > groups / every, "the power was cut {done:?} times");
}

async fn store_commit(store: &SledStore, number: u64, value_bytes: usize) -> Result<(), crate::store::StoreError> {
    crate::store::Store::commit(store, change(number, value_bytes)).await
}

#[test]
fn small_changes_survive_power_cuts() {
    run(300, 60, 8, 2, 3, 1);
}

#[test]
fn changes_that_fill_segments_and_have_them_cleaned_survive_power_cuts() {
    run(24 * 1024, 60, 16, 3, 2, 2);
}
