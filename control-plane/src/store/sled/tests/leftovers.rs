//! What is found in a folder: leftovers, another process, another release, damage.

use std::fs;

use super::{
    bench::options,
    child::{change, numbers},
};
use crate::store::{ChangeSet, KeyRange, SledOptions, SledStore, Store, StoreError, Table, limits};

fn error(opened: Result<SledStore, StoreError>) -> String {
    opened.err().expect("does not open").to_string()
}

#[tokio::test]
async fn unfinished_and_damaged_snapshots_do_not_keep_it_from_opening() {
    let folder = tempfile::tempdir().expect("a folder");
    for round in 1..=3 {
        let store = SledStore::open(folder.path(), &options()).expect("opens");
        assert_eq!(numbers(&store, 100).await.len(), round - 1);
        store.commit(change(round as u64, 100)).await.expect("is made");
        drop(store);
        // As a process leaves it that dies while it opens; then as a power cut may.
        fs::write(folder.path().join("snap.FFFFFFFFFFFFFFF0.generating"), "").expect("writes");
        for entry in fs::read_dir(folder.path()).expect("lists") {
            let entry = entry.expect("an entry");
            if round == 2 && entry.file_name().to_string_lossy().starts_with("snap.") {
                fs::write(entry.path(), "").expect("writes");
            }
        }
    }
    let store = SledStore::open(folder.path(), &options()).expect("opens");
    assert_eq!(numbers(&store, 100).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_folder_is_for_one_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SledStore::open(folder.path(), &options()).expect("opens");
    assert!(error(SledStore::open(folder.path(), &options())).contains("another control plane is running on"));
    store.commit(change(1, 100)).await.expect("is not disturbed");
    drop(store);
    SledStore::open(folder.path(), &options()).expect("is free");
}

#[test]
fn it_does_not_start_on_a_disk_that_is_nearly_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let message = error(SledStore::open(folder.path(), &SledOptions { least_free_bytes: 1 << 60, ..options() }));
    assert!(message.contains("MiB free, and the store does not start with less than 1099511627776 MiB"), "{message}");
}

#[test]
fn tables_of_another_release_are_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(SledStore::open(folder.path(), &options()).expect("opens"));
    let with_schema = |schema: Option<&str>| {
        let db = ::sled::Config::new().path(folder.path()).segment_size(8 << 20).open().expect("opens");
        db.open_tree("meta").expect("opens").insert("k", "v").expect("writes");
        match schema {
            Some(schema) => db.insert("schema", schema).expect("writes"),
            None => db.remove("schema").expect("writes"),
        };
    };
    with_schema(Some("2"));
    assert!(error(SledStore::open(folder.path(), &options())).contains("laid out as \"2\""));
    with_schema(None);
    assert!(error(SledStore::open(folder.path(), &options())).contains("without a note"));
}

#[tokio::test]
async fn the_largest_values_stay_in_the_one_file_that_is_synced() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SledStore::open(folder.path(), &options()).expect("opens");
    for round in 0_u8..4 {
        for first in 0_u8..4 {
            let mut change = ChangeSet::new();
            for number in 0_u8..30 {
                change.put(Table::Resource, vec![number, first], vec![round; limits::VALUE_BYTES]);
            }
            store.commit(change).await.expect("is made");
        }
    }
    let blobs = fs::read_dir(folder.path().join("blobs")).expect("lists").count();
    assert_eq!(blobs, 0, "sled put a page into a file of its own");
    assert_eq!(store.scan(Table::Resource, KeyRange::all(), 1000).await.expect("can be read").len(), 120);
}

#[tokio::test]
async fn damage_in_the_middle_is_noticed_or_harmless_but_never_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SledStore::open(folder.path(), &options()).expect("opens");
    for number in 1..=200 {
        store.commit(change(number, 2000)).await.expect("is made");
    }
    drop(store);
    let path = folder.path().join("db");
    let whole = fs::read(&path).expect("reads");
    let used = whole.iter().rposition(|byte| *byte != 0).expect("some bytes");
    for position in (1000..used).step_by(used / 12) {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x10;
        fs::write(&path, &damaged).expect("writes");
        // Opening or reading may fail. What is read is right: every value carries its own hash here.
        let Ok(store) = SledStore::open(folder.path(), &options()) else { continue };
        let Ok(rows) = store.scan(Table::Journal, KeyRange::all(), usize::MAX).await else { continue };
        for (key, stored) in rows {
            let number = u64::from_be_bytes(key[..].try_into().expect("a number"));
            assert!(stored == super::child::value(number, 2000), "a damaged value was served");
        }
        drop(store);
        fs::write(&path, &whole).expect("writes");
    }
}
