//! What readers see: the trees, except for the keys that the group under way has changed. Those are as they were before, until the
//! group is durable. So a reader neither waits for a flush nor sees what a power cut would take back.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{PoisonError, RwLockReadGuard, RwLockWriteGuard},
};

use ::sled::{IVec, Tree};
use bytes::Bytes;

use super::shared::{Shared, error};
use crate::store::{change::Write, error::StoreError, range::KeyRange, table::Table};

type Row = (Bytes, Bytes);

/// Keys as they were before the group under way; none: absent.
#[derive(Default)]
pub(super) struct Before {
    values: BTreeMap<(Table, Bytes), Option<IVec>>,
}

impl Before {
    /// Remembers what the keys of a change set hold. The first in a group is what counts.
    pub(super) fn remember(&mut self, shared: &Shared, writes: &[Write]) -> Result<(), ::sled::Error> {
        for Write { table, key, .. } in writes {
            if let Entry::Vacant(unknown) = self.values.entry((*table, key.clone())) {
                unknown.insert(shared.tree(*table).get(key)?);
            }
        }
        Ok(())
    }

    /// The group is durable.
    pub(super) fn forget(&mut self) {
        self.values.clear();
    }
}

impl Shared {
    pub(super) fn reading(&self) -> RwLockReadGuard<'_, Before> {
        self.before.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn applying(&self) -> RwLockWriteGuard<'_, Before> {
        self.before.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let before = self.reading();
        if !before.values.is_empty()
            && let Some(value) = before.values.get(&(table, Bytes::copy_from_slice(key)))
        {
            return Ok(value.as_ref().map(bytes));
        }
        let value = self.tree(table).get(key).map_err(error)?;
        Ok(value.as_ref().map(bytes))
    }

    pub(super) fn scan(&self, table: Table, range: &KeyRange, limit: usize) -> Result<Vec<Row>, StoreError> {
        let Some((from, to)) = range.bounds() else { return Ok(Vec::new()) };
        let before = self.reading();
        let at = |key: &[u8]| (table, Bytes::copy_from_slice(key));
        let changed: Vec<_> = before.values.range((from.map(at), to.map(at))).take_while(|((of, _), _)| *of == table).collect();
        // So many may turn out to be absent.
        let read = limit.saturating_add(changed.len());
        let rows = read_tree(self.tree(table), range, read)?;
        if changed.is_empty() {
            return Ok(rows);
        }
        let mut rows: BTreeMap<Bytes, Bytes> = rows.into_iter().collect();
        for ((_, key), value) in changed {
            match value {
                Some(value) => rows.insert(key.clone(), bytes(value)),
                None => rows.remove(key),
            };
        }
        // A key from before that lies beyond the last one read comes after `limit` others and falls away here.
        Ok(match range.is_reverse() {
            true => rows.into_iter().rev().take(limit).collect(),
            false => rows.into_iter().take(limit).collect(),
        })
    }
}

fn read_tree(tree: &Tree, range: &KeyRange, limit: usize) -> Result<Vec<Row>, StoreError> {
    let Some(bounds) = range.bounds() else { return Ok(Vec::new()) };
    let row = |row: Result<(IVec, IVec), ::sled::Error>| row.map(|(key, value)| (bytes(&key), bytes(&value))).map_err(error);
    let rows = tree.range::<&[u8], _>(bounds);
    match range.is_reverse() {
        true => rows.rev().take(limit).map(row).collect(),
        false => rows.take(limit).map(row).collect(),
    }
}

/// A copy: sled's own value would keep the whole page it came from in memory.
fn bytes(value: &IVec) -> Bytes {
    Bytes::copy_from_slice(value)
}
