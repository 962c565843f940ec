//! Route 53 and Cloud Map within the budget. Reads wait for their turn here; writes do so before they ask the lease, and pass.

use std::sync::Arc;

use async_trait::async_trait;
use domain::failure::Failure;

use super::{groups::Operation, reads::Reads};
use crate::aws::{
    model::{HostedZone, Namespace, RecordChange, RecordSet, Registry},
    ports::{Records, Registries},
};

/// Lists of records and of instances come in pages of so many.
const PAGE: usize = 100;

/// Route 53.
pub(super) struct PacedRecords {
    pub(super) inner: Arc<dyn Records>,
    pub(super) reads: Reads,
}

#[async_trait]
impl Records for PacedRecords {
    async fn zone(&self, id: &str) -> Result<Option<HostedZone>, Failure> {
        self.reads.send(Operation::Dns, || self.inner.zone(id)).await
    }

    async fn zones_named(&self, name: &str) -> Result<Vec<HostedZone>, Failure> {
        self.reads.send(Operation::Dns, || self.inner.zones_named(name)).await
    }

    async fn record_sets(&self, zone: &str, name: &str) -> Result<Vec<RecordSet>, Failure> {
        let found = self.reads.send(Operation::Dns, || self.inner.record_sets(zone, name)).await?;
        self.reads.paged(Operation::Dns, found.len(), PAGE);
        Ok(found)
    }

    async fn change(&self, zone: &str, name: &str, changes: &[RecordChange]) -> Result<String, Failure> {
        self.inner.change(zone, name, changes).await
    }

    async fn in_sync(&self, change: &str) -> Result<bool, Failure> {
        self.reads.send(Operation::Dns, || self.inner.in_sync(change)).await
    }
}

/// Cloud Map.
pub(super) struct PacedRegistries {
    pub(super) inner: Arc<dyn Registries>,
    pub(super) reads: Reads,
}

#[async_trait]
impl Registries for PacedRegistries {
    async fn registry(&self, id: &str) -> Result<Option<Registry>, Failure> {
        self.reads.send(Operation::ReadRegistry, || self.inner.registry(id)).await
    }

    async fn namespace(&self, id: &str) -> Result<Option<Namespace>, Failure> {
        self.reads.send(Operation::ReadRegistry, || self.inner.namespace(id)).await
    }

    async fn addresses(&self, id: &str) -> Result<Vec<String>, Failure> {
        let found = self.reads.send(Operation::ReadRegistry, || self.inner.addresses(id)).await?;
        self.reads.paged(Operation::ReadRegistry, found.len(), PAGE);
        Ok(found)
    }
}
