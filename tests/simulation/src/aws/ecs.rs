//! ECS on the port.

use std::collections::BTreeMap;

use async_trait::async_trait;
use delegate::aws::{
    model::{Cluster, Service, Task, TaskContainer, TaskDefinition, TaskState},
    ports::Ecs,
};
use domain::failure::Failure;
use serde_json::Value;

use super::{
    account::{Account, Quality, SimService},
    call::DelegatesAws,
    failures::refused,
    services::address,
};
use crate::{clock::BEGINNING_MS, planted::Planted};

fn tags(document: &Value) -> BTreeMap<String, String> {
    let text = |tag: &Value, member: &str| tag[member].as_str().unwrap_or_default().to_owned();
    document["tags"].as_array().into_iter().flatten().map(|tag| (text(tag, "key"), text(tag, "value"))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn missing(operation: &str) -> Failure {
    refused(operation, "ServiceNotFoundException", "Service not found.")
}

fn changed<T>(
    account: &mut Account,
    arn: &str,
    operation: &str,
    change: impl FnOnce(&mut SimService) -> T,
) -> Result<T, Failure> {
    let found = account.services.values_mut().find(|service| service.base.arn == arn);
    found.map(change).ok_or_else(|| missing(operation))
}

#[async_trait]
impl Ecs for DelegatesAws {
    async fn cluster(&self, cluster: &str) -> Result<Option<Cluster>, Failure> {
        let found = Cluster { name: cluster.into(), arn: format!("arn:cluster/{cluster}"), status: "ACTIVE".into() };
        self.read("DescribeClusters", false, |_, _| Ok(Some(found))).await
    }

    async fn service_names(&self, _cluster: &str) -> Result<Vec<String>, Failure> {
        self.read("ListServices", false, |account, _| Ok(account.services.keys().cloned().collect())).await
    }

    async fn services(&self, _cluster: &str, names: &[String]) -> Result<Vec<Service>, Failure> {
        self.read("DescribeServices", true, |account, now| {
            Ok(names.iter().filter_map(|name| Some(account.services.get(name)?.shown(now))).collect())
        })
        .await
    }

    async fn tasks(&self, _cluster: &str, service: &str, state: TaskState) -> Result<Vec<Task>, Failure> {
        self.read("ListTasks", false, |account, now| {
            let found = account.services.get(service).ok_or_else(|| missing("ListTasks"))?;
            let ms = |at: u64| BEGINNING_MS + i64::try_from(at).unwrap_or(0);
            let gone = |stopped: Option<u64>| stopped.is_some_and(|stopped| stopped <= now);
            let wanted = found.tasks.iter().filter(|task| gone(task.stopped) == (state == TaskState::Stopped));
            let crashed = found.quality == Quality::Crashes;
            let shown = wanted.map(|task| Task {
                arn: format!("arn:task/main/{}", task.number),
                last_status: if gone(task.stopped) {
                    "STOPPED"
                } else if task.up <= now {
                    "RUNNING"
                } else {
                    "PENDING"
                }
                .into(),
                stopped_reason: (gone(task.stopped) && crashed).then(|| "Essential container in task exited".into()),
                stop_code: (gone(task.stopped) && crashed).then(|| "EssentialContainerExited".into()),
                created_at_ms: Some(ms(task.created)),
                stopped_at_ms: task.stopped.map(ms),
                address: Some(address(task)),
                containers: vec![TaskContainer { name: "app".into(), exit_code: crashed.then_some(1), reason: None }],
            });
            Ok(shown.collect())
        })
        .await
    }

    async fn newest_revisions(&self, family: &str, limit: u8) -> Result<Vec<String>, Failure> {
        if self.planted == Planted::NoLookUp {
            return Ok(Vec::new());
        }
        self.read("ListTaskDefinitions", false, |account, _| {
            let of_family = account.definitions.iter().rev().filter(|known| known.family == family);
            Ok(of_family.take(limit.into()).map(|known| known.definition.arn.clone()).collect())
        })
        .await
    }

    async fn task_definition(&self, arn: &str) -> Result<TaskDefinition, Failure> {
        self.read("DescribeTaskDefinition", false, |account, _| {
            let found = account.definitions.iter().find(|known| known.definition.arn == arn);
            found.map(|known| known.definition.clone()).ok_or_else(|| missing("DescribeTaskDefinition"))
        })
        .await
    }

    async fn task_definition_document(&self, arn: &str) -> Result<Value, Failure> {
        self.read("DescribeTaskDefinition", false, |account, _| {
            let found = account.definitions.iter().find(|known| known.definition.arn == arn);
            let found = found.ok_or_else(|| missing("DescribeTaskDefinition"))?;
            Ok(serde_json::json!({"family": found.family, "containerDefinitions": [{"name": "app", "image": found.image}]}))
        })
        .await
    }

    async fn register_task_definition(&self, document: &Value) -> Result<TaskDefinition, Failure> {
        let (family, image) = (text(&document["family"]), text(&document["containerDefinitions"][0]["image"]));
        let tags = tags(document);
        self.write("RegisterTaskDefinition", family.clone(), move |account, _| Ok(account.define(&family, &image, tags))).await
    }

    async fn create_service(&self, document: &Value) -> Result<Service, Failure> {
        let mut document = document.clone();
        if self.planted == Planted::TokenReused {
            document["clientToken"] = "one".into();
        }
        let name = text(&document["serviceName"]);
        self.write("CreateService", name.clone(), move |account, now| {
            let refusal = || refused("CreateService", "InvalidParameterException", "Creation of service was not idempotent.");
            let known = account.created.iter().find(|created| created["clientToken"] == document["clientToken"]);
            match (account.services.get(&name), known) {
                (Some(existing), Some(_)) => return Ok(existing.shown(now)),
                (Some(_), None) => return Err(refusal()),
                (None, Some(known)) if known["serviceName"] != document["serviceName"] => return Err(refusal()),
                (None, _) => {}
            }
            let task_definition = text(&document["taskDefinition"]);
            let image = account.definitions.iter().find(|known| known.definition.arn == task_definition);
            let quality = image.map_or(Quality::Good, |known| Quality::of(&known.image));
            let balancers = document["loadBalancers"].as_array().into_iter().flatten();
            let groups = balancers.map(|entry| text(&entry["targetGroupArn"])).collect();
            let service = SimService::new(&name, &task_definition, groups, tags(&document), quality);
            account.services.insert(name.clone(), service);
            account.created.push(document);
            account.event(&name, now, "has reached a steady state.");
            account.services.get(&name).map(|service| service.shown(now)).ok_or_else(|| missing("CreateService"))
        })
        .await
    }

    async fn set_desired_count(&self, _cluster: &str, service: &str, count: u32) -> Result<Service, Failure> {
        let name = service.to_owned();
        self.write("UpdateService", format!("{service} to {count}"), move |account, now| {
            account.resize(&name, count, now);
            account.services.get(&name).map(|service| service.shown(now)).ok_or_else(|| missing("UpdateService"))
        })
        .await
    }

    async fn delete_service(&self, _cluster: &str, service: &str) -> Result<(), Failure> {
        let name = service.to_owned();
        self.write("DeleteService", name.clone(), move |account, _| {
            account.services.remove(&name).map(drop).ok_or_else(|| missing("DeleteService"))
        })
        .await
    }

    async fn tag(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), Failure> {
        let (arn, tags) = (arn.to_owned(), tags.clone());
        self.write("TagResource", format!("{arn} {tags:?}"), move |account, _| {
            changed(account, &arn, "TagResource", |service| service.base.tags.extend(tags))
        })
        .await
    }

    async fn untag(&self, arn: &str, keys: &[String]) -> Result<(), Failure> {
        let (arn, keys) = (arn.to_owned(), keys.to_vec());
        self.write("UntagResource", format!("{arn} {keys:?}"), move |account, _| {
            changed(account, &arn, "UntagResource", |service| service.base.tags.retain(|key, _| !keys.contains(key)))
        })
        .await
    }

    async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Failure> {
        self.read("ListTagsForResource", true, |account, _| {
            let found = account.services.values().find(|service| service.base.arn == arn);
            found.map(|service| service.base.tags.clone()).ok_or_else(|| missing("ListTagsForResource"))
        })
        .await
    }
}
