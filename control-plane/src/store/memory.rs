//! A store in memory, for tests and simulations. It can do what disks do: be slow to flush, lose what was not flushed when the
//! power goes, and refuse to write.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Notify;

use super::{
    change::{ChangeSet, Expect, Write},
    error::StoreError,
    interface::{Store, StoreHealth},
    range::KeyRange,
    table::Table,
};

type Rows = BTreeMap<(Table, Bytes), Bytes>;

#[derive(Default)]
struct State {
    /// With what was taken and is not flushed: what preconditions are held against.
    applied: Rows,
    /// What readers see, and what is left when the power goes.
    durable: Rows,
    unflushed: Vec<Write>,
    /// Change sets taken so far.
    taken: u64,
    /// Change sets that were flushed so far.
    flushed: u64,
    flushes: u64,
    held: bool,
    broken: Option<String>,
}

/// The store.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    /// What commits wait for. It wakes them in the order in which they came: the same run is to go the same way again.
    progress: Notify,
}

impl MemoryStore {
    /// An empty store that flushes at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on nothing is flushed: commits wait, readers see what was there before.
    pub fn hold_flushes(&self) {
        self.state().held = true;
    }

    /// Flushes what has waited, in one go, and everything that comes.
    pub fn release_flushes(&self) {
        let mut state = self.state();
        state.held = false;
        self.flush(&mut state);
    }

    /// The power goes. Gives the store that is found when it is back: everything that was not flushed is lost. This one answers
    /// nothing any more, and whoever waits for a commit hears that it is not known whether it was made.
    pub fn cut_power(&self) -> Self {
        let mut state = self.state();
        let rows = state.durable.clone();
        self.give_up(&mut state, "the power was cut");
        let found = State { applied: rows.clone(), durable: rows, ..State::default() };
        Self { state: Mutex::new(found), ..Self::default() }
    }

    /// From now on the store is read-only, as with a full disk. What was not flushed is not seen.
    pub fn fail_writes(&self, reason: &str) {
        self.give_up(&mut self.state(), reason);
    }

    /// How often it has flushed.
    pub fn flushes(&self) -> u64 {
        self.state().flushes
    }

    /// Change sets that were taken, flushed or not.
    pub fn taken(&self) -> u64 {
        self.state().taken
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flush(&self, state: &mut State) {
        if state.unflushed.is_empty() && state.taken == state.flushed {
            return;
        }
        for write in std::mem::take(&mut state.unflushed) {
            apply(&mut state.durable, write);
        }
        state.flushes += 1;
        state.flushed = state.taken;
        self.progress.notify_waiters();
    }

    fn give_up(&self, state: &mut State, reason: &str) {
        state.broken = Some(reason.to_owned());
        self.progress.notify_waiters();
    }

    /// What became of the change set with this number; none: it waits to be flushed.
    fn ended(&self, number: u64) -> Option<Result<(), StoreError>> {
        let state = self.state();
        match &state.broken {
            _ if state.flushed >= number => Some(Ok(())),
            Some(reason) => Some(Err(StoreError::unavailable(reason))),
            None => None,
        }
    }

    /// Takes a change set; gives its number.
    fn take(&self, change: ChangeSet) -> Result<u64, StoreError> {
        let mut state = self.state();
        if let Some(reason) = &state.broken {
            return Err(StoreError::unavailable(reason));
        }
        for Expect { table, key, value } in change.expect {
            let key = (table, key);
            if state.applied.get(&key) != value.as_ref() {
                return Err(StoreError::Conflict { table, key: key.1 });
            }
        }
        for write in change.writes {
            apply(&mut state.applied, write.clone());
            state.unflushed.push(write);
        }
        state.taken += 1;
        let number = state.taken;
        if !state.held {
            self.flush(&mut state);
        }
        Ok(number)
    }
}

fn apply(rows: &mut Rows, Write { table, key, value }: Write) {
    match value {
        Some(value) => rows.insert((table, key), value),
        None => rows.remove(&(table, key)),
    };
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, change: ChangeSet) -> Result<(), StoreError> {
        change.check()?;
        // As a disk would: others get their turn before this is done.
        tokio::task::yield_now().await;
        let number = self.take(change)?;
        loop {
            let mut progress = pin!(self.progress.notified());
            // Before the look: what is flushed after it is not missed.
            progress.as_mut().enable();
            if let Some(ended) = self.ended(number) {
                return ended;
            }
            progress.await;
        }
    }

    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.state().durable.get(&(table, Bytes::copy_from_slice(key))).cloned())
    }

    async fn scan(&self, table: Table, range: KeyRange, limit: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        let Some((from, to)) = range.bounds() else { return Ok(Vec::new()) };
        let state = self.state();
        // Tables are in the key: a range without an end ends with its table.
        let from = from.map(|key| (table, Bytes::copy_from_slice(key)));
        let to = to.map(|key| (table, Bytes::copy_from_slice(key)));
        let rows = state.durable.range((from, to)).map(|((table, key), value)| (*table, key.clone(), value.clone()));
        let own = |(of, key, value)| (of == table).then_some((key, value));
        Ok(match range.is_reverse() {
            // Backwards, the tables behind this one come first.
            true => rows.rev().skip_while(|(of, ..)| *of != table).map_while(own).take(limit).collect(),
            false => rows.map_while(own).take(limit).collect(),
        })
    }

    fn health(&self) -> StoreHealth {
        match &self.state().broken {
            None => StoreHealth::Writable,
            Some(reason) => StoreHealth::ReadOnly { reason: reason.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::contract::{Bench, contract};

    struct Memory(Arc<MemoryStore>);

    impl Bench for Memory {
        type Store = MemoryStore;

        fn new() -> Self {
            Self(Arc::new(MemoryStore::new()))
        }

        fn store(&self) -> Arc<MemoryStore> {
            self.0.clone()
        }

        fn reopen(self) -> Self {
            Self(Arc::new(self.0.cut_power()))
        }

        fn cut_power(self) -> Self {
            self.reopen()
        }

        fn hold(&self) {
            self.0.hold_flushes();
        }

        fn release(&self) {
            self.0.release_flushes();
        }

        async fn waiting(&self, count: usize) {
            let waiting = |store: &MemoryStore| (store.taken() - store.state().flushed) as usize;
            while waiting(&self.0) < count {
                tokio::task::yield_now().await;
            }
        }

        fn flushes(&self) -> u64 {
            self.0.flushes()
        }

        fn break_disk(&self, why: &str) {
            self.0.fail_writes(why);
        }
    }

    contract!(Memory);

    #[tokio::test]
    async fn a_store_without_power_answers_nothing_well() {
        let store = Arc::new(MemoryStore::new());
        store.hold_flushes();
        let mut change = ChangeSet::new();
        change.put(Table::Meta, "k", "v");
        let waiting = {
            let (store, change) = (store.clone(), change.clone());
            async move { store.commit(change).await }
        };
        let cut = async {
            while store.taken() == 0 {
                tokio::task::yield_now().await;
            }
            store.cut_power()
        };
        let (waited, found) = tokio::join!(waiting, cut);
        assert!(matches!(waited, Err(StoreError::Unavailable { .. })));
        assert!(store.commit(change).await.is_err());
        assert_eq!(found.get(Table::Meta, b"k").await, Ok(None));
        assert_eq!(found.health(), StoreHealth::Writable);
    }
}
