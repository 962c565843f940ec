//! What is asked more rarely, within the budget: Application Auto Scaling, CloudWatch, CloudWatch Logs, STS. Reads wait for their
//! turn here; writes do so before they ask the lease, and pass.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{failure::Failure, step::AutoScaling};
use serde_json::Value;

use super::{groups::Operation, reads::Reads};
use crate::aws::{
    alarms::{Alarm, Alarms},
    metrics::{GroupBehind, Metrics, PeriodStart},
    model::CallerIdentity,
    ports::{ContainerLogs, Identity, Scaling},
};

/// A port within the budget.
pub(super) struct Paced<P: ?Sized> {
    pub(super) inner: Arc<P>,
    pub(super) reads: Reads,
}

#[async_trait]
impl Scaling for Paced<dyn Scaling> {
    async fn of(&self, resource: &str) -> Result<Option<AutoScaling>, Failure> {
        let found = self.reads.send(Operation::ReadScaling, || self.inner.of(resource)).await?;
        // A target's policies are a second question.
        self.reads.budget.charge(Operation::ReadScaling, usize::from(found.is_some()));
        Ok(found)
    }

    async fn register(&self, resource: &str, target: &Value) -> Result<(), Failure> {
        self.inner.register(resource, target).await
    }

    async fn put_policy(&self, resource: &str, policy: &Value) -> Result<(), Failure> {
        self.inner.put_policy(resource, policy).await
    }

    async fn delete_policy(&self, resource: &str, name: &str) -> Result<(), Failure> {
        self.inner.delete_policy(resource, name).await
    }

    async fn deregister(&self, resource: &str) -> Result<(), Failure> {
        self.inner.deregister(resource).await
    }
}

#[async_trait]
impl ContainerLogs for Paced<dyn ContainerLogs> {
    async fn last_lines(&self, group: &str, stream: &str, region: Option<&str>, limit: u16) -> Result<Vec<String>, Failure> {
        self.reads.send(Operation::ReadLogs, || self.inner.last_lines(group, stream, region, limit)).await
    }
}

#[async_trait]
impl Alarms for Paced<dyn Alarms> {
    async fn alarms(&self, names: &[String]) -> Result<Vec<Alarm>, Failure> {
        self.reads.send(Operation::ReadAlarms, || self.inner.alarms(names)).await
    }
}

#[async_trait]
impl Metrics for Paced<dyn Metrics> {
    async fn requests(
        &self,
        groups: &[GroupBehind],
        period: Duration,
        from: PeriodStart,
        to: PeriodStart,
    ) -> Result<Vec<BTreeMap<PeriodStart, f64>>, Failure> {
        self.reads.send(Operation::ReadMetrics, || self.inner.requests(groups, period, from, to)).await
    }
}

#[async_trait]
impl Identity for Paced<dyn Identity> {
    async fn caller(&self) -> Result<CallerIdentity, Failure> {
        self.reads.send(Operation::Unlimited, || self.inner.caller()).await
    }
}
