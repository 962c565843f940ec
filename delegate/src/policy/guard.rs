//! The ports that change something, each with a look at the policy before the call goes on. Reads of a cluster or a load balancer
//! that is not allowed are refused too: so a step finds out before it has changed anything.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    step::AutoScaling,
};
use serde_json::Value;

use super::{
    Policy,
    resource::{Tagged, load_balancer_of, tagged},
};
use crate::aws::{
    model::{
        Cluster, HostedZone, Listener, LoadBalancer, RecordChange, RecordSet, Rule, Service, Target, TargetGroup, Task,
        TaskDefinition, TaskState,
    },
    ports::{Aws, Ecs, LoadBalancing, Records, Scaling},
};

/// One infrastructure's AWS under the policy.
pub(super) struct Guard {
    pub(super) policy: Arc<Policy>,
    pub(super) aws: Aws,
}

impl Guard {
    fn service(&self, cluster: &str, service: &str) -> Result<(), Failure> {
        self.policy.cluster(cluster)?;
        self.policy.service(service)
    }

    /// A family is allowed if a service of it would be.
    fn family(&self, family: &str) -> Result<(), Failure> {
        self.policy.service(family).or_else(|_| self.policy.service(&format!("{family}__1")))
    }

    fn load_balancer(&self, arn: &str) -> Result<(), Failure> {
        match load_balancer_of(arn) {
            Some(name) => self.policy.load_balancer(name),
            None if self.policy.names_load_balancers() => Err(unknown(arn)),
            None => Ok(()),
        }
    }

    fn tagged(&self, arn: &str) -> Result<(), Failure> {
        match tagged(arn) {
            Some(Tagged::Service(cluster, service)) => self.service(cluster, service),
            Some(Tagged::TaskDefinition(family)) => self.family(family),
            None if self.policy.names_services() => Err(unknown(arn)),
            None => Ok(()),
        }
    }

    fn scaled(&self, resource: &str) -> Result<(), Failure> {
        match resource.split('/').collect::<Vec<_>>()[..] {
            ["service", cluster, service] => self.service(cluster, service),
            _ if self.policy.names_services() => Err(unknown(resource)),
            _ => Ok(()),
        }
    }
}

/// What can't be told is not allowed.
fn unknown(what: &str) -> Failure {
    Failure::refused(FailureKind::Policy, format!("This delegate's own policy can't tell whether it allows {what}."))
}

fn text<'v>(document: &'v Value, member: &str) -> &'v str {
    document[member].as_str().unwrap_or_default()
}

#[async_trait]
impl Ecs for Guard {
    async fn cluster(&self, cluster: &str) -> Result<Option<Cluster>, Failure> {
        self.policy.cluster(cluster)?;
        self.aws.ecs.cluster(cluster).await
    }

    async fn service_names(&self, cluster: &str) -> Result<Vec<String>, Failure> {
        self.policy.cluster(cluster)?;
        self.aws.ecs.service_names(cluster).await
    }

    async fn services(&self, cluster: &str, names: &[String]) -> Result<Vec<Service>, Failure> {
        self.policy.cluster(cluster)?;
        self.aws.ecs.services(cluster, names).await
    }

    async fn tasks(&self, cluster: &str, service: &str, state: TaskState) -> Result<Vec<Task>, Failure> {
        self.policy.cluster(cluster)?;
        self.aws.ecs.tasks(cluster, service, state).await
    }

    async fn newest_revisions(&self, family: &str, limit: u8) -> Result<Vec<String>, Failure> {
        self.family(family)?;
        self.aws.ecs.newest_revisions(family, limit).await
    }

    async fn task_definition(&self, arn: &str) -> Result<TaskDefinition, Failure> {
        self.aws.ecs.task_definition(arn).await
    }

    async fn task_definition_document(&self, arn: &str) -> Result<Value, Failure> {
        self.aws.ecs.task_definition_document(arn).await
    }

    async fn register_task_definition(&self, document: &Value) -> Result<TaskDefinition, Failure> {
        self.family(text(document, "family"))?;
        for role in
            ["executionRoleArn", "taskRoleArn"].map(|member| text(document, member)).into_iter().filter(|role| !role.is_empty())
        {
            self.policy.role(role)?;
        }
        self.aws.ecs.register_task_definition(document).await
    }

    async fn create_service(&self, document: &Value) -> Result<Service, Failure> {
        self.service(text(document, "cluster"), text(document, "serviceName"))?;
        let role = text(document, "role");
        if !role.is_empty() {
            self.policy.role(role)?;
        }
        self.aws.ecs.create_service(document).await
    }

    async fn set_desired_count(&self, cluster: &str, service: &str, count: u32) -> Result<Service, Failure> {
        self.service(cluster, service)?;
        self.aws.ecs.set_desired_count(cluster, service, count).await
    }

    async fn delete_service(&self, cluster: &str, service: &str) -> Result<(), Failure> {
        self.service(cluster, service)?;
        self.aws.ecs.delete_service(cluster, service).await
    }

    async fn tag(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), Failure> {
        self.tagged(arn)?;
        self.aws.ecs.tag(arn, tags).await
    }

    async fn untag(&self, arn: &str, keys: &[String]) -> Result<(), Failure> {
        self.tagged(arn)?;
        self.aws.ecs.untag(arn, keys).await
    }

    async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Failure> {
        self.aws.ecs.tags(arn).await
    }
}

#[async_trait]
impl LoadBalancing for Guard {
    async fn load_balancer(&self, name_or_arn: &str) -> Result<Option<LoadBalancer>, Failure> {
        self.policy.load_balancer(load_balancer_of(name_or_arn).unwrap_or(name_or_arn))?;
        self.aws.load_balancing.load_balancer(name_or_arn).await
    }

    /// Those that are allowed.
    async fn load_balancers(&self) -> Result<Vec<LoadBalancer>, Failure> {
        let mut all = self.aws.load_balancing.load_balancers().await?;
        all.retain(|balancer| self.policy.load_balancer(&balancer.name).is_ok());
        Ok(all)
    }

    async fn listeners_of(&self, load_balancer: &str) -> Result<Vec<Listener>, Failure> {
        self.load_balancer(load_balancer)?;
        self.aws.load_balancing.listeners_of(load_balancer).await
    }

    async fn listeners(&self, arns: &[String]) -> Result<Vec<Listener>, Failure> {
        arns.iter().try_for_each(|arn| self.load_balancer(arn))?;
        self.aws.load_balancing.listeners(arns).await
    }

    async fn rules(&self, listener: &str) -> Result<Vec<Rule>, Failure> {
        self.load_balancer(listener)?;
        self.aws.load_balancing.rules(listener).await
    }

    async fn rules_named(&self, arns: &[String]) -> Result<Vec<Rule>, Failure> {
        arns.iter().try_for_each(|arn| self.load_balancer(arn))?;
        self.aws.load_balancing.rules_named(arns).await
    }

    async fn target_groups(&self, arns: &[String]) -> Result<Vec<TargetGroup>, Failure> {
        self.aws.load_balancing.target_groups(arns).await
    }

    async fn target_groups_of(&self, load_balancer: &str) -> Result<Vec<TargetGroup>, Failure> {
        self.load_balancer(load_balancer)?;
        self.aws.load_balancing.target_groups_of(load_balancer).await
    }

    async fn target_health(&self, target_group: &str) -> Result<Vec<Target>, Failure> {
        self.aws.load_balancing.target_health(target_group).await
    }

    async fn set_default_actions(&self, listener: &str, actions: &Value) -> Result<Listener, Failure> {
        self.load_balancer(listener)?;
        self.aws.load_balancing.set_default_actions(listener, actions).await
    }

    async fn set_rule_actions(&self, rule: &str, actions: &Value) -> Result<Rule, Failure> {
        self.load_balancer(rule)?;
        self.aws.load_balancing.set_rule_actions(rule, actions).await
    }
}

#[async_trait]
impl Records for Guard {
    async fn zone(&self, id: &str) -> Result<Option<HostedZone>, Failure> {
        self.policy.hosted_zone(id)?;
        self.aws.records.zone(id).await
    }

    async fn zones_named(&self, name: &str) -> Result<Vec<HostedZone>, Failure> {
        self.aws.records.zones_named(name).await
    }

    async fn record_sets(&self, zone: &str, name: &str) -> Result<Vec<RecordSet>, Failure> {
        self.policy.hosted_zone(zone)?;
        self.aws.records.record_sets(zone, name).await
    }

    async fn change(&self, zone: &str, name: &str, changes: &[RecordChange]) -> Result<String, Failure> {
        self.policy.hosted_zone(zone)?;
        self.aws.records.change(zone, name, changes).await
    }

    async fn in_sync(&self, change: &str) -> Result<bool, Failure> {
        self.aws.records.in_sync(change).await
    }
}

#[async_trait]
impl Scaling for Guard {
    async fn of(&self, resource: &str) -> Result<Option<AutoScaling>, Failure> {
        self.aws.scaling.of(resource).await
    }

    async fn register(&self, resource: &str, target: &Value) -> Result<(), Failure> {
        self.scaled(resource)?;
        self.aws.scaling.register(resource, target).await
    }

    async fn put_policy(&self, resource: &str, policy: &Value) -> Result<(), Failure> {
        self.scaled(resource)?;
        self.aws.scaling.put_policy(resource, policy).await
    }

    async fn delete_policy(&self, resource: &str, name: &str) -> Result<(), Failure> {
        self.scaled(resource)?;
        self.aws.scaling.delete_policy(resource, name).await
    }

    async fn deregister(&self, resource: &str) -> Result<(), Failure> {
        self.scaled(resource)?;
        self.aws.scaling.deregister(resource).await
    }
}
