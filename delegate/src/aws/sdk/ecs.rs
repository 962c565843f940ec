//! The container service over the SDK.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_ecs::{
    Client,
    config::Builder,
    types::{DesiredStatus, ServiceField, SortOrder, Tag, TaskDefinitionField, TaskDefinitionStatus},
};
use domain::failure::{Failure, FailureKind};
use serde_json::Value;

use super::{
    body, ecs_convert as convert,
    failure::{Call, failure},
    limits::CallLimits,
    request_ids::RequestIds,
    whole_answer::WholeAnswer,
};
use crate::aws::{
    model::{Cluster, Service, Task, TaskDefinition, TaskState},
    ports::Ecs,
};

/// AWS describes so many services in one call.
const SERVICES_A_CALL: usize = 10;
/// And so many tasks.
const TASKS_A_CALL: usize = 100;
/// And lists so many at once.
const LONGEST_PAGE: i32 = 100;

/// The container service: one client for reads, one for writes, over the same connections.
pub(super) struct SdkEcs {
    reads: Client,
    writes: Client,
}

impl SdkEcs {
    pub(super) fn new(config: &SdkConfig, limits: CallLimits) -> Self {
        let configured = || Builder::from(config).interceptor(RequestIds("ecs"));
        let writes = configured().timeout_config(limits.write_timeouts()).retry_config(CallLimits::no_retries());
        Self { reads: Client::from_conf(configured().build()), writes: Client::from_conf(writes.build()) }
    }

    fn read<'a>(operation: &'static str, what: &'a str) -> Call<'a> {
        Call { operation, writes: false, what }
    }

    fn write<'a>(operation: &'static str, what: &'a str) -> Call<'a> {
        Call { operation, writes: true, what }
    }
}

#[async_trait]
impl Ecs for SdkEcs {
    async fn cluster(&self, cluster: &str) -> Result<Option<Cluster>, Failure> {
        let what = format!("read the ECS cluster {cluster}");
        let call = Self::read("ecs:DescribeClusters", &what);
        let request = self.reads.describe_clusters().clusters(cluster);
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        Ok(answer.clusters().first().map(convert::cluster))
    }

    async fn service_names(&self, cluster: &str) -> Result<Vec<String>, Failure> {
        let what = format!("list the services of cluster {cluster}");
        let call = Self::read("ecs:ListServices", &what);
        let mut pages = self.reads.list_services().cluster(cluster).max_results(LONGEST_PAGE).into_paginator().items().send();
        let mut names = Vec::new();
        while let Some(arn) = pages.next().await {
            let arn = arn.map_err(|error| failure(call, &error))?;
            names.push(arn.rsplit('/').next().unwrap_or(&arn).to_owned());
        }
        Ok(names)
    }

    async fn services(&self, cluster: &str, names: &[String]) -> Result<Vec<Service>, Failure> {
        let what = format!("read the services {} of cluster {cluster}", names.join(", "));
        let call = Self::read("ecs:DescribeServices", &what);
        let batches = names.chunks(SERVICES_A_CALL).map(|batch| async move {
            let request =
                self.reads.describe_services().cluster(cluster).set_services(Some(batch.to_vec())).include(ServiceField::Tags);
            let answer = request.send().await.map_err(|error| failure(call, &error))?;
            Ok::<_, Failure>(answer.services().iter().map(convert::service).collect::<Vec<_>>())
        });
        Ok(futures::future::try_join_all(batches).await?.concat())
    }

    async fn tasks(&self, cluster: &str, service: &str, state: TaskState) -> Result<Vec<Task>, Failure> {
        let what = format!("list the tasks of service {service}");
        let call = Self::read("ecs:ListTasks", &what);
        let status = match state {
            TaskState::Running => DesiredStatus::Running,
            TaskState::Stopped => DesiredStatus::Stopped,
        };
        let request = self.reads.list_tasks().cluster(cluster).service_name(service).desired_status(status);
        let mut pages = request.into_paginator().items().send();
        let mut arns = Vec::new();
        while let Some(arn) = pages.next().await {
            arns.push(arn.map_err(|error| failure(call, &error))?);
        }
        let what = format!("read the tasks of service {service}");
        let call = Self::read("ecs:DescribeTasks", &what);
        let mut tasks = Vec::with_capacity(arns.len());
        for batch in arns.chunks(TASKS_A_CALL) {
            let request = self.reads.describe_tasks().cluster(cluster).set_tasks(Some(batch.to_vec()));
            let answer = request.send().await.map_err(|error| failure(call, &error))?;
            tasks.extend(answer.tasks().iter().map(convert::task));
        }
        Ok(tasks)
    }

    async fn newest_revisions(&self, family: &str, limit: u8) -> Result<Vec<String>, Failure> {
        let what = format!("list the revisions of the task definition {family}");
        let call = Self::read("ecs:ListTaskDefinitions", &what);
        let request = self
            .reads
            .list_task_definitions()
            .family_prefix(family)
            .status(TaskDefinitionStatus::Active)
            .sort(SortOrder::Desc)
            .max_results(i32::from(limit));
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        Ok(answer.task_definition_arns().to_vec())
    }

    async fn task_definition(&self, arn: &str) -> Result<TaskDefinition, Failure> {
        let what = format!("read the task definition {arn}");
        let call = Self::read("ecs:DescribeTaskDefinition", &what);
        let request = self.reads.describe_task_definition().task_definition(arn).include(TaskDefinitionField::Tags);
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        let found = answer.task_definition().map(|definition| convert::task_definition(definition, answer.tags()));
        found.ok_or_else(|| without(call, "the task definition"))
    }

    async fn task_definition_document(&self, arn: &str) -> Result<Value, Failure> {
        let what = format!("read the task definition {arn}");
        let call = Self::read("ecs:DescribeTaskDefinition", &what);
        let whole = WholeAnswer::default();
        let request = self.reads.describe_task_definition().task_definition(arn).customize().interceptor(whole.clone());
        request.send().await.map_err(|error| failure(call, &error))?;
        match whole.take()["taskDefinition"].take() {
            Value::Null => Err(without(call, "the task definition")),
            document => Ok(document),
        }
    }

    async fn register_task_definition(&self, document: &Value) -> Result<TaskDefinition, Failure> {
        let family = document["family"].as_str().unwrap_or_default();
        let what = format!("register the task definition {family}");
        let call = Self::write("ecs:RegisterTaskDefinition", &what);
        let request = self.writes.register_task_definition().family(family).set_container_definitions(Some(Vec::new()));
        let request = request.customize().mutate_request(body::replaced_by(document));
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        let registered = answer.task_definition().map(|definition| convert::task_definition(definition, answer.tags()));
        registered.ok_or_else(|| without(call, "the task definition"))
    }

    async fn create_service(&self, document: &Value) -> Result<Service, Failure> {
        let name = document["serviceName"].as_str().unwrap_or_default();
        let what = format!("create the ECS service {name} in cluster {}", document["cluster"].as_str().unwrap_or_default());
        let call = Self::write("ecs:CreateService", &what);
        let request = self.writes.create_service().service_name(name).customize().mutate_request(body::replaced_by(document));
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        answer.service().map(convert::service).ok_or_else(|| without(call, "the service"))
    }

    async fn set_desired_count(&self, cluster: &str, service: &str, count: u32) -> Result<Service, Failure> {
        let what = format!("set the desired count of service {service} in cluster {cluster} to {count}");
        let call = Self::write("ecs:UpdateService", &what);
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        let request = self.writes.update_service().cluster(cluster).service(service).desired_count(count);
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        answer.service().map(convert::service).ok_or_else(|| without(call, "the service"))
    }

    async fn delete_service(&self, cluster: &str, service: &str) -> Result<(), Failure> {
        let what = format!("delete the ECS service {service} in cluster {cluster}");
        let call = Self::write("ecs:DeleteService", &what);
        let request = self.writes.delete_service().cluster(cluster).service(service).force(true);
        request.send().await.map_err(|error| failure(call, &error))?;
        Ok(())
    }

    async fn tag(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), Failure> {
        let what = format!("tag {arn}");
        let call = Self::write("ecs:TagResource", &what);
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let request = self.writes.tag_resource().resource_arn(arn).set_tags(Some(tags));
        request.send().await.map_err(|error| failure(call, &error))?;
        Ok(())
    }

    async fn untag(&self, arn: &str, keys: &[String]) -> Result<(), Failure> {
        let what = format!("remove tags from {arn}");
        let call = Self::write("ecs:UntagResource", &what);
        let request = self.writes.untag_resource().resource_arn(arn).set_tag_keys(Some(keys.to_vec()));
        request.send().await.map_err(|error| failure(call, &error))?;
        Ok(())
    }

    async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Failure> {
        let what = format!("read the tags of {arn}");
        let call = Self::read("ecs:ListTagsForResource", &what);
        let answer = self.reads.list_tags_for_resource().resource_arn(arn).send().await.map_err(|error| failure(call, &error))?;
        Ok(convert::tags(answer.tags()))
    }
}

/// AWS said yes and left out what it is about.
fn without(call: Call<'_>, missing: &str) -> Failure {
    let message = format!("Could not {}: AWS's answer does not hold {missing}.", call.what);
    if call.writes {
        Failure::uncertain(FailureKind::Connectivity, message)
    } else {
        Failure::refused(FailureKind::Connectivity, message)
    }
}
