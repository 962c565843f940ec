//! What steps ask of AWS. Narrow on purpose: one method for each question or change that a step makes.
//!
//! Every failure says whether its effect may stand ([`domain::failure::Effect`]). Reads are retried inside; a write is sent once
//! and never again by itself: whether it may be sent again is for the caller to say (see
//! [`crate::executor::StepContext::write`]).

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::{failure::Failure, infrastructure::InfrastructureSpec, step::AutoScaling};
use serde_json::Value;

use super::{
    alarms::Alarms,
    budget::Budget,
    metrics::Metrics,
    model::{
        CallerIdentity, Cluster, HostedZone, Listener, LoadBalancer, Namespace, RecordChange, RecordSet, Registry, Rule, Service,
        Target, TargetGroup, Task, TaskDefinition, TaskState,
    },
};

/// The container service.
#[async_trait]
pub trait Ecs: Send + Sync {
    /// The cluster of that name or ARN, if there is one.
    async fn cluster(&self, cluster: &str) -> Result<Option<Cluster>, Failure>;
    /// Names of the cluster's services, all pages; draining ones are not listed by AWS.
    async fn service_names(&self, cluster: &str) -> Result<Vec<String>, Failure>;
    /// These services with their tags, in batches as AWS allows; those that don't exist are left out.
    async fn services(&self, cluster: &str, names: &[String]) -> Result<Vec<Service>, Failure>;
    /// The service's tasks in this state.
    async fn tasks(&self, cluster: &str, service: &str, state: TaskState) -> Result<Vec<Task>, Failure>;
    /// ARNs of the family's newest revisions, newest first, at most `limit` (1 to 100).
    async fn newest_revisions(&self, family: &str, limit: u8) -> Result<Vec<String>, Failure>;
    /// A task definition with its tags.
    async fn task_definition(&self, arn: &str) -> Result<TaskDefinition, Failure>;
    /// A task definition as AWS gives it, members unknown to the SDK included, without its tags.
    async fn task_definition_document(&self, arn: &str) -> Result<Value, Failure>;
    /// Registers a revision: the `RegisterTaskDefinition` request whole, members unknown to the SDK included.
    async fn register_task_definition(&self, document: &Value) -> Result<TaskDefinition, Failure>;
    /// Creates a service: the `CreateService` request whole.
    async fn create_service(&self, document: &Value) -> Result<Service, Failure>;
    /// Changes the desired count and nothing else.
    async fn set_desired_count(&self, cluster: &str, service: &str, count: u32) -> Result<Service, Failure>;
    /// Deletes a service, its tasks with it.
    async fn delete_service(&self, cluster: &str, service: &str) -> Result<(), Failure>;
    /// Sets tags on the service with this long ARN; others stay.
    async fn tag(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), Failure>;
    /// Removes tags.
    async fn untag(&self, arn: &str, keys: &[String]) -> Result<(), Failure>;
    /// The tags on this ARN.
    async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Failure>;
}

/// Elastic Load Balancing.
#[async_trait]
pub trait LoadBalancing: Send + Sync {
    /// The load balancer of that name or ARN, if there is one.
    async fn load_balancer(&self, name_or_arn: &str) -> Result<Option<LoadBalancer>, Failure>;
    /// All load balancers of the region, all pages.
    async fn load_balancers(&self) -> Result<Vec<LoadBalancer>, Failure>;
    /// All listeners of a load balancer.
    async fn listeners_of(&self, load_balancer: &str) -> Result<Vec<Listener>, Failure>;
    /// These listeners.
    async fn listeners(&self, arns: &[String]) -> Result<Vec<Listener>, Failure>;
    /// All rules of a listener, the default one included.
    async fn rules(&self, listener: &str) -> Result<Vec<Rule>, Failure>;
    /// These rules.
    async fn rules_named(&self, arns: &[String]) -> Result<Vec<Rule>, Failure>;
    /// These target groups.
    async fn target_groups(&self, arns: &[String]) -> Result<Vec<TargetGroup>, Failure>;
    /// The target groups that a load balancer forwards to.
    async fn target_groups_of(&self, load_balancer: &str) -> Result<Vec<TargetGroup>, Failure>;
    /// A target group's targets with their health.
    async fn target_health(&self, target_group: &str) -> Result<Vec<Target>, Failure>;
    /// Replaces a listener's default actions and nothing else of it; gives the listener as AWS answered.
    async fn set_default_actions(&self, listener: &str, actions: &Value) -> Result<Listener, Failure>;
    /// Replaces a rule's actions and nothing else of it; gives the rule as AWS answered.
    async fn set_rule_actions(&self, rule: &str, actions: &Value) -> Result<Rule, Failure>;
}

/// Cloud Map: where services that are found by DNS are registered.
#[async_trait]
pub trait Registries: Send + Sync {
    /// The Cloud Map service with this id, if there is one.
    async fn registry(&self, id: &str) -> Result<Option<Registry>, Failure>;
    /// The namespace with this id, if there is one.
    async fn namespace(&self, id: &str) -> Result<Option<Namespace>, Failure>;
    /// Addresses of the instances that are registered in a Cloud Map service, all pages.
    async fn addresses(&self, id: &str) -> Result<Vec<String>, Failure>;
}

/// Route 53.
#[async_trait]
pub trait Records: Send + Sync {
    /// The hosted zone with this id, if there is one.
    async fn zone(&self, id: &str) -> Result<Option<HostedZone>, Failure>;
    /// The hosted zones of exactly this name (with a trailing dot).
    async fn zones_named(&self, name: &str) -> Result<Vec<HostedZone>, Failure>;
    /// The record sets of exactly this name (with a trailing dot), all types.
    async fn record_sets(&self, zone: &str, name: &str) -> Result<Vec<RecordSet>, Failure>;
    /// Makes all of these changes to the weighted CNAME records of a name, or none; gives the change's id.
    async fn change(&self, zone: &str, name: &str, changes: &[RecordChange]) -> Result<String, Failure>;
    /// Whether all of AWS's name servers have that change.
    async fn in_sync(&self, change: &str) -> Result<bool, Failure>;
}

/// Application Auto Scaling of ECS services. A service is named as `service/CLUSTER/SERVICE`.
#[async_trait]
pub trait Scaling: Send + Sync {
    /// Its scalable target with all policies, if it has one.
    async fn of(&self, resource: &str) -> Result<Option<AutoScaling>, Failure>;
    /// Registers its scalable target, or changes it: the `RegisterScalableTarget` request but for what names the service. AWS pulls
    /// the desired count into the bounds at once.
    async fn register(&self, resource: &str, target: &Value) -> Result<(), Failure>;
    /// Puts a policy: the `PutScalingPolicy` request but for what names the service.
    async fn put_policy(&self, resource: &str, policy: &Value) -> Result<(), Failure>;
    /// Deletes a policy; one that is gone is no failure.
    async fn delete_policy(&self, resource: &str, name: &str) -> Result<(), Failure>;
    /// Removes the target and its policies; one that is gone is no failure.
    async fn deregister(&self, resource: &str) -> Result<(), Failure>;
}

/// The log service.
#[async_trait]
pub trait ContainerLogs: Send + Sync {
    /// The last lines of a log stream, oldest first, at most `limit` (1 to 10,000), of that region if one is given.
    async fn last_lines(&self, group: &str, stream: &str, region: Option<&str>, limit: u16) -> Result<Vec<String>, Failure>;
}

/// The token service.
#[async_trait]
pub trait Identity: Send + Sync {
    /// Who AWS says that we are.
    async fn caller(&self) -> Result<CallerIdentity, Failure>;
}

/// AWS as one infrastructure's credentials see it.
#[derive(Clone)]
pub struct Aws {
    /// The container service.
    pub ecs: Arc<dyn Ecs>,
    /// The load balancers.
    pub load_balancing: Arc<dyn LoadBalancing>,
    /// Where services are registered.
    pub registries: Arc<dyn Registries>,
    /// The DNS records.
    pub records: Arc<dyn Records>,
    /// What changes desired counts.
    pub scaling: Arc<dyn Scaling>,
    /// What containers wrote.
    pub logs: Arc<dyn ContainerLogs>,
    /// The alarms.
    pub alarms: Arc<dyn Alarms>,
    /// The metrics.
    pub metrics: Arc<dyn Metrics>,
    /// The identity.
    pub identity: Arc<dyn Identity>,
    /// How often it may be called. Reads keep to it by themselves; a write takes its turn in the step's context.
    pub budget: Budget,
}

/// How the delegate gets at AWS for an infrastructure.
#[async_trait]
pub trait AwsAccess: Send + Sync {
    /// The ports for this infrastructure's region and role. Cheap when asked again. Makes no call that needs a permission except
    /// assuming the role, which may also happen at the first call.
    async fn connect(&self, infrastructure: &InfrastructureSpec) -> Result<Aws, Failure>;
}
