//! What dispatch keeps in the store: journals of events, a summary of each deployment, and the keys under which requests were
//! accepted.
//!
//! ```text
//! Journal     <deployment><number>    one event           Deployment  <deployment>           summary
//! Head        <deployment>            how many events     Meta        accept/<hash>          the deployment accepted under a key
//!                                                         Meta        rollback/<deployment>  the last one to roll it back after success
//! ```
//!
//! The head is what an append compares and sets. The summary is written with the first event, with the last, and when a deployment is taken up again: which deployments
//! are open is known without reading a journal.

use std::sync::Arc;

use bytes::Bytes;
use domain::ids::DeploymentId;
use engine::{Deployment, Event, Plan, StoredEvent};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::queue::Lane;
use crate::store::{ChangeSet, KeyRange, Store, StoreError, Table, format};

/// Deployments looked through at most for those of one application, and for the open ones.
const MOST: usize = 1_000_000;

/// Why records can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Somebody else wrote in between.
    #[error("changed by somebody else in between")]
    Conflict,
    /// The store takes or gives nothing now.
    #[error("{0}")]
    Unavailable(String),
    /// More than the store takes.
    #[error("{0}")]
    TooLarge(String),
    /// What is stored is damaged, or of a later release.
    #[error("{0}")]
    Corrupt(String),
}

impl From<StoreError> for RecordError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Conflict,
            StoreError::TooLarge { .. } => Self::TooLarge(error.to_string()),
            StoreError::Unavailable { .. } => Self::Unavailable(error.to_string()),
            StoreError::Corrupt { .. } => Self::Corrupt(error.to_string()),
        }
    }
}

/// By which the same start request is known again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptKey(Bytes);

impl AcceptKey {
    /// A caller's own key: another caller's same key is another.
    pub fn new(caller: &str, key: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(caller.as_bytes()).update(&[0]).update(key.as_bytes());
        Self([b"accept/", hasher.finalize().as_bytes().as_slice()].concat().into())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    application: String,
    infrastructure: String,
    service: String,
    line: String,
    open: bool,
}

impl Summary {
    fn of(plan: &Plan, open: bool) -> Self {
        let Lane { application, infrastructure, line } = Lane::of(plan);
        Self { application, infrastructure, service: plan.service.clone(), line, open }
    }

    fn lane(&self) -> Lane {
        Lane { application: self.application.clone(), infrastructure: self.infrastructure.clone(), line: self.line.clone() }
    }
}

/// The records.
pub struct Records {
    store: Arc<dyn Store>,
}

impl Records {
    /// The records in a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Appends events to a journal that has `base` of them. `after` is the deployment with them. With the first events, `key` is
    /// kept too, if nobody was accepted under it.
    pub(super) async fn append(
        &self,
        after: &Deployment,
        base: u64,
        events: &[Event],
        key: Option<&AcceptKey>,
    ) -> Result<(), RecordError> {
        let id = after.id();
        let head = id.uuid().as_bytes().to_vec();
        let mut change = ChangeSet::new();
        match base {
            0 => change.expect_absent(Table::Head, head.clone()),
            _ => change.expect_value(Table::Head, head.clone(), format::encode(&base)?),
        };
        change.put(Table::Head, head.clone(), format::encode(&after.revision())?);
        for (number, event) in (base..).zip(events) {
            let event = StoredEvent::encode(event).map_err(|error| RecordError::Corrupt(error.to_string()))?;
            change.put(Table::Journal, entry(id, number), event);
        }
        let open = after.outcome().is_none();
        let reopened = events.iter().any(|event| matches!(event, Event::Reopened { .. }));
        if base == 0 || !open || reopened {
            let summary = Summary::of(after.plan(), open);
            change.put(Table::Deployment, head, format::encode(&summary)?);
        }
        if base == 0
            && let Some(rolled_back) = after.plan().rolls_back
        {
            change.put(Table::Meta, rollback_key(rolled_back), format::encode(&id)?);
        }
        if let Some(AcceptKey(key)) = key {
            change.expect_absent(Table::Meta, key.clone()).put(Table::Meta, key.clone(), format::encode(&id)?);
        }
        Ok(self.store.commit(change).await?)
    }

    /// A deployment, from its journal.
    pub(super) async fn load(&self, id: DeploymentId) -> Result<Option<Deployment>, RecordError> {
        let rows = self.store.scan(Table::Journal, KeyRange::prefix(id.uuid().as_bytes()), MOST).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let corrupt = |error: &dyn std::fmt::Display| RecordError::Corrupt(format!("the journal of {id}: {error}"));
        let events: Result<Vec<Event>, RecordError> = rows
            .iter()
            .map(|(_, value)| StoredEvent::decode(value).map(|stored| stored.event).map_err(|e| corrupt(&e)))
            .collect();
        Ok(Some(Deployment::replay(events?).map_err(|error| corrupt(&error))?))
    }

    /// The deployments that have not ended, by id.
    pub(super) async fn open(&self) -> Result<Vec<DeploymentId>, RecordError> {
        let rows = self.store.scan(Table::Deployment, KeyRange::all(), MOST).await?;
        summaries(&rows).filter_map(|row| row.map(|(id, summary)| summary.open.then_some(id)).transpose()).collect()
    }

    /// The newest deployments, newest first.
    pub(super) async fn newest(&self, application: Option<&str>, limit: usize) -> Result<Vec<DeploymentId>, RecordError> {
        let read = if application.is_some() { MOST } else { limit };
        let rows = self.store.scan(Table::Deployment, KeyRange::all().reverse(), read).await?;
        let wanted = |summary: &Summary| application.is_none_or(|application| summary.application == application);
        let newest = summaries(&rows).filter_map(|row| row.map(|(id, summary)| wanted(&summary).then_some(id)).transpose());
        newest.take(limit).collect()
    }

    /// The deployments of a lane, newest first.
    pub(super) async fn on_lane(&self, lane: &Lane) -> Result<Vec<DeploymentId>, RecordError> {
        let rows = self.store.scan(Table::Deployment, KeyRange::all().reverse(), MOST).await?;
        let on_lane = |row: Result<(DeploymentId, Summary), RecordError>| {
            row.map(|(id, summary)| (summary.lane() == *lane).then_some(id)).transpose()
        };
        summaries(&rows).filter_map(on_lane).collect()
    }

    /// The lanes that there are, each with the service that was deployed last on it, those of the newest deployments first.
    pub(super) async fn lanes(&self) -> Result<Vec<(Lane, String)>, RecordError> {
        let rows = self.store.scan(Table::Deployment, KeyRange::all().reverse(), MOST).await?;
        let mut lanes: Vec<(Lane, String)> = Vec::new();
        for row in summaries(&rows) {
            let (_, summary) = row?;
            let lane = summary.lane();
            if !lanes.iter().any(|(known, _)| *known == lane) {
                lanes.push((lane, summary.service));
            }
        }
        Ok(lanes)
    }

    /// The last deployment that was to roll this one back after it had succeeded.
    pub(super) async fn rollback_of(&self, id: DeploymentId) -> Result<Option<DeploymentId>, RecordError> {
        let value = self.store.get(Table::Meta, &rollback_key(id)).await?;
        Ok(value.map(|value| format::decode(&value)).transpose()?)
    }

    /// The oldest deployment after this one that has worked, or works, on its lane.
    pub(super) async fn follower(&self, of: &Deployment) -> Result<Option<DeploymentId>, RecordError> {
        let newer = self.on_lane(&Lane::of(of.plan())).await?.into_iter().take_while(|id| *id > of.id());
        for id in newer.collect::<Vec<_>>().into_iter().rev() {
            if self.load(id).await?.is_some_and(|later| later.is_started()) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The deployment that was accepted under a key.
    pub(super) async fn accepted_as(&self, AcceptKey(key): &AcceptKey) -> Result<Option<DeploymentId>, RecordError> {
        let value = self.store.get(Table::Meta, key).await?;
        Ok(value.map(|value| format::decode(&value)).transpose()?)
    }
}

fn rollback_key(id: DeploymentId) -> Vec<u8> {
    [b"rollback/".as_slice(), id.uuid().as_bytes()].concat()
}

fn entry(id: DeploymentId, number: u64) -> Vec<u8> {
    [id.uuid().as_bytes().as_slice(), &number.to_be_bytes()].concat()
}

fn read_id(bytes: &[u8]) -> Result<DeploymentId, RecordError> {
    let id = Uuid::from_slice(bytes).map_err(|_| RecordError::Corrupt("a key that is no deployment's id".to_owned()))?;
    Ok(DeploymentId::new(id))
}

fn summaries(rows: &[(Bytes, Bytes)]) -> impl Iterator<Item = Result<(DeploymentId, Summary), RecordError>> {
    rows.iter().map(|(key, value)| Ok((read_id(key)?, format::decode(value)?)))
}
