//! The container service within the budget. Reads wait for their turn here; writes do so before they ask the lease (see
//! [`crate::executor::StepContext::write`]), and pass.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::failure::Failure;
use serde_json::Value;

use super::{
    groups::Operation,
    reads::Reads,
    shared::{Call, SharedCalls},
};
use crate::aws::{
    model::{Cluster, Service, Task, TaskDefinition, TaskState},
    ports::Ecs,
};

/// AWS describes so many services in one call.
const SERVICES_A_CALL: usize = 10;
/// Lists and descriptions of tasks come in pages of so many.
const PAGE: usize = 100;

/// The container service.
pub(super) struct PacedEcs {
    inner: Arc<dyn Ecs>,
    reads: Reads,
    /// Descriptions of services, by cluster. None: each asks for itself.
    services: Option<SharedCalls<String, Vec<Service>>>,
}

impl PacedEcs {
    pub(super) fn new(inner: Arc<dyn Ecs>, reads: Reads) -> Self {
        let services = reads.budget.window().map(|window| SharedCalls::new(window, SERVICES_A_CALL));
        Self { inner, reads, services }
    }

    /// These services, no more than one call describes.
    async fn some(&self, cluster: &str, names: &[String]) -> Result<Vec<Service>, Failure> {
        let Some(shared) = &self.services else { return self.alone(cluster, names).await };
        let (inner, reads, of) = (self.inner.clone(), self.reads.clone(), cluster.to_owned());
        let send = |mut call: Call<String, Vec<Service>>| async move {
            call.gather().await;
            let send = || {
                let names = call.sent();
                let (inner, of) = (inner.clone(), of.clone());
                async move { inner.services(&of, &names).await }
            };
            reads.send(Operation::ReadServices, send).await
        };
        let answered = shared.ask(cluster.to_owned(), names, send).await;
        match answered.result {
            Ok(found) => {
                let asked = |service: &&Service| names.iter().any(|name| *name == service.name || *name == service.arn);
                Ok(found.iter().filter(asked).cloned().collect())
            }
            // Another's service may be one that these credentials must not see: that is no answer to this question.
            Err(failure) if !failure.transient && answered.names > names.len() => self.alone(cluster, names).await,
            Err(failure) => Err(failure),
        }
    }

    async fn alone(&self, cluster: &str, names: &[String]) -> Result<Vec<Service>, Failure> {
        self.reads.send(Operation::ReadServices, || self.inner.services(cluster, names)).await
    }
}

#[async_trait]
impl Ecs for PacedEcs {
    async fn cluster(&self, cluster: &str) -> Result<Option<Cluster>, Failure> {
        self.reads.send(Operation::DescribeClusters, || self.inner.cluster(cluster)).await
    }

    async fn service_names(&self, cluster: &str) -> Result<Vec<String>, Failure> {
        let names = self.reads.send(Operation::ReadServices, || self.inner.service_names(cluster)).await?;
        self.reads.paged(Operation::ReadServices, names.len(), PAGE);
        Ok(names)
    }

    async fn services(&self, cluster: &str, names: &[String]) -> Result<Vec<Service>, Failure> {
        let batches = names.chunks(SERVICES_A_CALL).map(|batch| self.some(cluster, batch));
        Ok(futures::future::try_join_all(batches).await?.concat())
    }

    async fn tasks(&self, cluster: &str, service: &str, state: TaskState) -> Result<Vec<Task>, Failure> {
        let tasks = self.reads.send(Operation::ReadTasks, || self.inner.tasks(cluster, service, state)).await?;
        // A list, and if there are any their descriptions.
        self.reads.budget.charge(Operation::ReadTasks, 2 * tasks.len().div_ceil(PAGE).max(1) - 1 - usize::from(tasks.is_empty()));
        Ok(tasks)
    }

    async fn newest_revisions(&self, family: &str, limit: u8) -> Result<Vec<String>, Failure> {
        self.reads.send(Operation::ReadTaskDefinitions, || self.inner.newest_revisions(family, limit)).await
    }

    async fn task_definition(&self, arn: &str) -> Result<TaskDefinition, Failure> {
        self.reads.send(Operation::ReadTaskDefinitions, || self.inner.task_definition(arn)).await
    }

    async fn task_definition_document(&self, arn: &str) -> Result<Value, Failure> {
        self.reads.send(Operation::ReadTaskDefinitions, || self.inner.task_definition_document(arn)).await
    }

    async fn register_task_definition(&self, document: &Value) -> Result<TaskDefinition, Failure> {
        self.inner.register_task_definition(document).await
    }

    async fn create_service(&self, document: &Value) -> Result<Service, Failure> {
        self.inner.create_service(document).await
    }

    async fn set_desired_count(&self, cluster: &str, service: &str, count: u32) -> Result<Service, Failure> {
        self.inner.set_desired_count(cluster, service, count).await
    }

    async fn delete_service(&self, cluster: &str, service: &str) -> Result<(), Failure> {
        self.inner.delete_service(cluster, service).await
    }

    async fn tag(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), Failure> {
        self.inner.tag(arn, tags).await
    }

    async fn untag(&self, arn: &str, keys: &[String]) -> Result<(), Failure> {
        self.inner.untag(arn, keys).await
    }

    async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Failure> {
        self.reads.send(Operation::ReadTags, || self.inner.tags(arn)).await
    }
}
