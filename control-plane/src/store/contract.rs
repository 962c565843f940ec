//! The suite that every store passes. A [`Bench`] makes a store and does to it what happens to stores.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::task::JoinSet;

use super::{ChangeSet, KeyRange, Store, StoreError, StoreHealth, Table, limits};

/// A store on a bench.
pub(super) trait Bench: Sized + Send {
    /// What is on it.
    type Store: Store;
    /// An empty store.
    fn new() -> Self;
    fn store(&self) -> Arc<Self::Store>;
    /// The process ends in an orderly way and starts again.
    fn reopen(self) -> Self;
    /// The power goes and comes back: the store as it is found then. Flushes must have been held.
    fn cut_power(self) -> Self;
    /// Nothing becomes durable until [`Bench::release`].
    fn hold(&self);
    fn release(&self);
    /// Waits until so many change sets have been given to the store and wait for the disk.
    async fn waiting(&self, count: usize);
    fn flushes(&self) -> u64;
    /// Writes fail from now on, for this reason.
    fn break_disk(&self, why: &str);
}

/// Makes a test of each point of the contract.
macro_rules! contract {
    ($bench:ty: $($point:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $point() {
                $crate::store::contract::$point::<$bench>().await;
            }
        )*
    };
    ($bench:ty) => {
        $crate::store::contract::contract! { $bench:
            a_change_needs_all_it_expects
            a_conflict_leaves_nothing
            a_scan_keeps_order_limit_and_table
            writes_happen_in_their_order
            what_was_committed_is_there_after_a_restart
            those_that_come_together_are_flushed_together
            what_is_not_durable_is_not_seen
            what_is_not_durable_counts_for_those_behind_it
            too_much_is_refused
            nobody_overwrites_anybody
            it_does_what_a_map_does
            a_power_cut_takes_only_what_was_not_acknowledged
            a_store_that_cannot_write_takes_nothing_and_says_so
        }
    };
}
pub(super) use contract;

fn change(make: impl for<'a> FnOnce(&'a mut ChangeSet) -> &'a mut ChangeSet) -> ChangeSet {
    let mut change = ChangeSet::new();
    make(&mut change);
    change
}

async fn value(store: &impl Store, table: Table, key: &str) -> Option<Bytes> {
    store.get(table, key.as_bytes()).await.expect("can be read")
}

async fn keys(store: &impl Store, table: Table, range: KeyRange, limit: usize) -> Vec<String> {
    let rows = store.scan(table, range, limit).await.expect("can be read");
    rows.into_iter().map(|(key, _)| String::from_utf8(key.to_vec()).expect("a text")).collect()
}

pub(super) async fn a_change_needs_all_it_expects<B: Bench>() {
    let bench = B::new();
    let store = bench.store();
    store.commit(change(|c| c.expect_absent(Table::Head, "k").put(Table::Head, "k", "1"))).await.expect("is made");
    for expects in [
        change(|c| c.expect_absent(Table::Head, "k").put(Table::Head, "k", "2")),
        change(|c| c.expect_value(Table::Head, "k", "0").put(Table::Head, "k", "2")),
        change(|c| c.expect_value(Table::Head, "k", "1").expect_absent(Table::Head, "k").put(Table::Head, "k", "2")),
        change(|c| c.put(Table::Head, "k", "2").expect_value(Table::Head, "k", "2")),
    ] {
        let conflict = StoreError::Conflict { table: Table::Head, key: "k".into() };
        assert_eq!(store.commit(expects).await, Err(conflict));
    }
    let right = change(|c| c.expect_value(Table::Head, "k", "1").expect_absent(Table::Meta, "k").put(Table::Head, "k", "2"));
    store.commit(right).await.expect("is made");
    assert_eq!(value(&*store, Table::Head, "k").await.as_deref(), Some(b"2".as_slice()));
    store.commit(change(|c| c.expect_value(Table::Head, "k", "2"))).await.expect("only looks");
    assert!(store.commit(change(|c| c.expect_value(Table::Head, "none", ""))).await.is_err(), "absent is not empty");
}

pub(super) async fn a_conflict_leaves_nothing<B: Bench>() {
    let bench = B::new();
    let store = bench.store();
    store.commit(change(|c| c.put(Table::Access, "b", "x"))).await.expect("is made");
    let mut conflicting = ChangeSet::new();
    for table in Table::ALL {
        conflicting.put(table, "a", "1").delete(table, "b");
    }
    conflicting.expect_absent(Table::Access, "b");
    assert!(matches!(store.commit(conflicting).await, Err(StoreError::Conflict { table: Table::Access, .. })));
    for table in Table::ALL {
        let expected: &[&str] = if table == Table::Access { &["b"] } else { &[] };
        assert_eq!(keys(&*store, table, KeyRange::all(), 10).await, expected, "{table}");
    }
}

pub(super) async fn a_scan_keeps_order_limit_and_table<B: Bench>() {
    let bench = B::new();
    let store = bench.store();
    let mut rows = ChangeSet::new();
    for key in ["b", "a2", "a", "a1", "c", "a10"] {
        rows.put(Table::Journal, key, key);
    }
    rows.put(Table::Meta, "a0", "x").put(Table::Head, "a0", "x");
    store.commit(rows).await.expect("is made");
    let all = ["a", "a1", "a10", "a2", "b", "c"];
    let none = [""; 0];
    let read = async |range: KeyRange, limit| keys(&*store, Table::Journal, range, limit).await;
    assert_eq!(read(KeyRange::all(), 100).await, all);
    assert_eq!(read(KeyRange::all(), 2).await, all[..2]);
    assert_eq!(read(KeyRange::all().reverse(), 2).await, ["c", "b"]);
    assert_eq!(read(KeyRange::prefix("a"), 100).await, all[..4]);
    assert_eq!(read(KeyRange::prefix("a").reverse(), 3).await, ["a2", "a10", "a1"]);
    assert_eq!(read(KeyRange::prefix("a1"), usize::MAX).await, ["a1", "a10"]);
    assert_eq!(read(KeyRange::between("a1", "b"), 100).await, all[1..4]);
    assert_eq!(read(KeyRange::between("a1", "b").reverse(), 1).await, ["a2"]);
    assert_eq!(read(KeyRange::starting("a2"), 100).await, all[3..]);
    assert_eq!(read(KeyRange::starting("a2").reverse(), 100).await, ["c", "b", "a2"]);
    for empty in [KeyRange::between("b", "a"), KeyRange::between("b", "b"), KeyRange::prefix("x"), KeyRange::starting("d")] {
        assert_eq!(read(empty.clone(), 100).await, none);
        assert_eq!(read(empty.reverse(), 100).await, none);
    }
    assert_eq!(read(KeyRange::all(), 0).await, none);
    assert_eq!(keys(&*store, Table::Access, KeyRange::all().reverse(), 100).await, none);
}

pub(super) async fn writes_happen_in_their_order<B: Bench>() {
    let bench = B::new();
    let store = bench.store();
    let mut several = ChangeSet::new();
    several.put(Table::Meta, "k", "1").put(Table::Meta, "k", "2").delete(Table::Meta, "gone").put(Table::Meta, "kept", "");
    several.put(Table::Meta, "gone", "1").delete(Table::Meta, "gone").delete(Table::Meta, "never");
    store.commit(several).await.expect("is made");
    assert_eq!(keys(&*store, Table::Meta, KeyRange::all(), 10).await, ["k", "kept"]);
    assert_eq!(value(&*store, Table::Meta, "k").await.as_deref(), Some(b"2".as_slice()));
    assert_eq!(value(&*store, Table::Meta, "kept").await, Some(Bytes::new()), "an empty value is a value");
    assert_eq!(value(&*store, Table::Meta, "gone").await, None);
    store.commit(change(|c| c.delete(Table::Meta, "k").put(Table::Meta, "k", "3"))).await.expect("is made");
    assert_eq!(value(&*store, Table::Meta, "k").await.as_deref(), Some(b"3".as_slice()));
    store.commit(ChangeSet::new()).await.expect("nothing is done");
}

pub(super) async fn what_was_committed_is_there_after_a_restart<B: Bench>() {
    let mut bench = B::new();
    for round in 0_u8..4 {
        let store = bench.store();
        for table in Table::ALL {
            assert_eq!(keys(&*store, table, KeyRange::all(), 10).await.len(), usize::from(round));
        }
        let mut everywhere = ChangeSet::new();
        for table in Table::ALL {
            everywhere.put(table, vec![b'0' + round], vec![round]);
        }
        store.commit(everywhere).await.expect("is made");
        drop(store);
        bench = bench.reopen();
    }
    let rows = bench.store().scan(Table::Resource, KeyRange::all(), 10).await.expect("can be read");
    assert_eq!(rows.iter().map(|(_, value)| value[0]).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

pub(super) async fn those_that_come_together_are_flushed_together<B: Bench>() {
    let bench = B::new();
    let before = bench.flushes();
    bench.hold();
    let mut commits = JoinSet::new();
    for number in 0_u8..60 {
        let store = bench.store();
        commits.spawn(async move { store.commit(change(|c| c.put(Table::Meta, vec![number], "x"))).await });
    }
    bench.waiting(60).await;
    bench.release();
    while let Some(committed) = commits.join_next().await {
        committed.expect("no panic").expect("is made");
    }
    let flushes = bench.flushes() - before;
    assert!((1..=2).contains(&flushes), "{flushes} flushes");
    assert_eq!(bench.store().scan(Table::Meta, KeyRange::all(), 100).await.expect("can be read").len(), 60);
}

pub(super) async fn what_is_not_durable_is_not_seen<B: Bench>() {
    let bench = B::new();
    let store = bench.store();
    let first = change(|c| c.put(Table::Meta, "b", "old").put(Table::Meta, "d", "old").put(Table::Meta, "f", "old"));
    store.commit(first).await.expect("is made");
    bench.hold();
    let mut second = ChangeSet::new();
    second.put(Table::Meta, "a", "new").put(Table::Meta, "d", "new").delete(Table::Meta, "f").put(Table::Meta, "g", "new");
    second.put(Table::Meta, "d", "newer").delete(Table::Meta, "b");
    let (mut commits, writer) = (JoinSet::new(), bench.store());
    commits.spawn(async move { writer.commit(second).await });
    bench.waiting(1).await;
    for key in ["b", "d", "f"] {
        assert_eq!(value(&*store, Table::Meta, key).await.as_deref(), Some(b"old".as_slice()), "{key}");
    }
    for key in ["a", "g"] {
        assert_eq!(value(&*store, Table::Meta, key).await, None, "{key}");
    }
    for limit in 0..5 {
        let expected = &["b", "d", "f"][..limit.min(3)];
        assert_eq!(keys(&*store, Table::Meta, KeyRange::all(), limit).await, expected);
        let expected = &["f", "d", "b"][..limit.min(3)];
        assert_eq!(keys(&*store, Table::Meta, KeyRange::all().reverse(), limit).await, expected);
    }
    assert_eq!(keys(&*store, Table::Meta, KeyRange::between("c", "f"), 9).await, ["d"]);
    assert!(commits.try_join_next().is_none(), "nobody was told that it is made");
    bench.release();
    commits.join_next().await.expect("one").expect("no panic").expect("is made");
    assert_eq!(keys(&*store, Table::Meta, KeyRange::all(), 9).await, ["a", "d", "g"]);
    assert_eq!(value(&*store, Table::Meta, "d").await.as_deref(), Some(b"newer".as_slice()));
}

pub(super) async fn what_is_not_durable_counts_for_those_behind_it<B: Bench>() {
    let bench = B::new();
    bench.hold();
    let mut commits = JoinSet::new();
    for number in 0_u8..20 {
        let store = bench.store();
        let claim = change(|c| c.expect_absent(Table::Head, "k").put(Table::Head, "k", vec![number]));
        commits.spawn(async move { store.commit(claim).await });
    }
    bench.waiting(1).await;
    bench.release();
    let verdicts: Vec<_> = commits.join_all().await;
    assert_eq!(verdicts.iter().filter(|verdict| verdict.is_ok()).count(), 1);
    assert_eq!(verdicts.iter().filter(|verdict| matches!(verdict, Err(StoreError::Conflict { .. }))).count(), 19);
}

pub(super) async fn too_much_is_refused<B: Bench>() {
    let bench = B::new();
    let store = bench.store();
    let largest = vec![7; limits::VALUE_BYTES];
    let longest = vec![b'k'; limits::KEY_BYTES];
    store.commit(change(|c| c.put(Table::Resource, longest.clone(), largest.clone()))).await.expect("just fits");
    assert_eq!(store.get(Table::Resource, &longest).await.expect("can be read").as_deref(), Some(largest.as_slice()));
    let value = change(|c| c.put(Table::Meta, "small", "x").put(Table::Meta, "k", vec![7; limits::VALUE_BYTES + 1]));
    let key = change(|c| c.put(Table::Meta, "small", "x").delete(Table::Meta, vec![b'k'; limits::KEY_BYTES + 1]));
    let (mut bytes, mut count) = (ChangeSet::new(), ChangeSet::new());
    for number in 0..=limits::CHANGE_SET_BYTES / limits::VALUE_BYTES {
        bytes.put(Table::Meta, number.to_be_bytes().to_vec(), largest.clone());
    }
    for number in 0..=limits::CHANGES {
        count.put(Table::Meta, number.to_be_bytes().to_vec(), "x");
    }
    for too_much in [value, key, bytes, count] {
        assert!(matches!(store.commit(too_much).await, Err(StoreError::TooLarge { .. })));
    }
    assert_eq!(store.scan(Table::Meta, KeyRange::all(), 10).await, Ok(vec![]));
    assert_eq!(store.health(), StoreHealth::Writable);
}

pub(super) async fn nobody_overwrites_anybody<B: Bench>() {
    const EACH: u32 = 15;
    const WRITERS: u32 = 8;
    let bench = B::new();
    bench.store().commit(change(|c| c.put(Table::Head, "n", 0_u32.to_be_bytes().to_vec()))).await.expect("is made");
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = bench.store();
        writers.spawn(async move {
            let mut done = 0;
            while done < EACH {
                let seen = value(&*store, Table::Head, "n").await.expect("is there");
                let number = u32::from_be_bytes(seen.as_ref().try_into().expect("four bytes")) + 1;
                let key = number.to_be_bytes().to_vec();
                let mut add = ChangeSet::new();
                add.expect_value(Table::Head, "n", seen).put(Table::Head, "n", key.clone());
                add.expect_absent(Table::Journal, key.clone()).put(Table::Journal, key.clone(), writer.to_be_bytes().to_vec());
                match store.commit(add).await {
                    Ok(()) => {
                        done += 1;
                        let now = value(&*store, Table::Head, "n").await.expect("is there");
                        assert!(now >= key, "one's own commit is not seen");
                    }
                    Err(StoreError::Conflict { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
    }
    writers.join_all().await;
    let journal = bench.store().scan(Table::Journal, KeyRange::all(), usize::MAX).await.expect("can be read");
    let numbers: Vec<_> = (1..=WRITERS * EACH).map(|number| Bytes::copy_from_slice(&number.to_be_bytes())).collect();
    assert_eq!(journal.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), numbers);
}

pub(super) async fn it_does_what_a_map_does<B: Bench>() {
    let bench = B::new();
    let store = bench.store();
    let mut rng = StdRng::seed_from_u64(1);
    let mut model: BTreeMap<(usize, Vec<u8>), Vec<u8>> = BTreeMap::new();
    let key = |rng: &mut StdRng| (0..rng.random_range(0..3)).map(|_| rng.random_range(0..4) * 85).collect::<Vec<u8>>();
    for _ in 0..250 {
        let mut change = ChangeSet::new();
        let mut after = model.clone();
        let mut holds = true;
        for _ in 0..rng.random_range(0..3) {
            let (table, key) = (rng.random_range(0..3), key(&mut rng));
            match (model.get(&(table, key.clone())), rng.random_ratio(1, 10)) {
                (Some(there), false) => change.expect_value(Table::ALL[table], key, there.clone()),
                (None, false) => change.expect_absent(Table::ALL[table], key),
                (Some(_), true) => {
                    holds = false;
                    change.expect_absent(Table::ALL[table], key)
                }
                (None, true) => {
                    holds = false;
                    change.expect_value(Table::ALL[table], key, "x")
                }
            };
        }
        for _ in 0..rng.random_range(0..5) {
            let (table, key) = (rng.random_range(0..3), key(&mut rng));
            if rng.random_ratio(1, 3) {
                after.remove(&(table, key.clone()));
                change.delete(Table::ALL[table], key);
            } else {
                let value = vec![rng.random(); rng.random_range(0..300)];
                after.insert((table, key.clone()), value.clone());
                change.put(Table::ALL[table], key, value);
            }
        }
        assert_eq!(store.commit(change).await.is_ok(), holds);
        if holds {
            model = after;
        }
        let (table, from, to, limit) = (rng.random_range(0..3), key(&mut rng), key(&mut rng), rng.random_range(0..8));
        let within = |of: &usize, key: &Vec<u8>| *of == table && *key >= from && *key < to;
        let mut expected: Vec<_> = model.iter().filter(|((of, key), _)| within(of, key)).map(|((_, key), _)| key).collect();
        let mut range = KeyRange::between(&from, &to);
        if rng.random() {
            expected.reverse();
            range = range.reverse();
        }
        expected.truncate(limit);
        let read = store.scan(Table::ALL[table], range, limit).await.expect("can be read");
        assert!(read.iter().map(|(key, _)| key.as_ref()).eq(expected.iter().map(|key| key.as_slice())));
        for (key, value) in read {
            assert_eq!(value, model[&(table, key.to_vec())]);
        }
    }
}

pub(super) async fn a_power_cut_takes_only_what_was_not_acknowledged<B: Bench>() {
    let mut bench = B::new();
    for round in 0_u8..5 {
        let kept = change(|c| c.put(Table::Journal, vec![round], "kept").put(Table::Head, "n", vec![round]));
        bench.store().commit(kept).await.expect("is made");
        bench.hold();
        let lost = change(|c| c.put(Table::Journal, vec![round], "lost").delete(Table::Head, "n").put(Table::Meta, "m", "x"));
        let (mut commits, store) = (JoinSet::new(), bench.store());
        // What becomes of it is not known to whoever waits when the power goes.
        commits.spawn(async move { drop(store.commit(lost).await) });
        bench.waiting(1).await;
        bench = bench.cut_power();
        let found = bench.store();
        let journal = found.scan(Table::Journal, KeyRange::all(), 10).await.expect("can be read");
        assert_eq!(journal.len(), usize::from(round) + 1);
        assert!(journal.iter().all(|(_, value)| value.as_ref() == b"kept"));
        assert_eq!(value(&*found, Table::Head, "n").await.as_deref(), Some([round].as_slice()));
        assert_eq!(value(&*found, Table::Meta, "m").await, None);
        commits.join_all().await;
    }
}

pub(super) async fn a_store_that_cannot_write_takes_nothing_and_says_so<B: Bench>() {
    const WHY: &str = "broken for this test";
    let bench = B::new();
    let store = bench.store();
    store.commit(change(|c| c.put(Table::Meta, "k", "1"))).await.expect("is made");
    assert_eq!(store.health(), StoreHealth::Writable);
    bench.break_disk(WHY);
    for _ in 0..3 {
        let refused = store.commit(change(|c| c.put(Table::Meta, "k", "2").put(Table::Meta, "a", "2"))).await;
        assert!(matches!(&refused, Err(StoreError::Unavailable { reason }) if reason.contains(WHY)), "{refused:?}");
        assert!(matches!(store.health(), StoreHealth::ReadOnly { reason } if reason.contains(WHY)));
        assert_eq!(value(&*store, Table::Meta, "k").await.as_deref(), Some(b"1".as_slice()), "what failed is seen");
        assert_eq!(keys(&*store, Table::Meta, KeyRange::all(), 9).await, ["k"]);
    }
    drop(store);
    let bench = bench.reopen();
    let store = bench.store();
    // What was refused may be found or not, but as a whole.
    let found = (value(&*store, Table::Meta, "k").await, value(&*store, Table::Meta, "a").await);
    let (made, not_made) = ((Some("2".into()), Some("2".into())), (Some("1".into()), None));
    assert!(found == made || found == not_made, "{found:?}");
    store.commit(change(|c| c.put(Table::Meta, "k", "3"))).await.expect("works again");
}
