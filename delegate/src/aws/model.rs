//! What the delegate knows of ECS and of load balancers: the members that steps decide by, nothing else.
//!
//! Times are milliseconds since 1970-01-01 UTC by AWS's clock. Names and texts are AWS's, or the user's, and come from outside.

use std::collections::BTreeMap;

use domain::step::WeightedRecord;
use serde_json::Value;

/// An ECS cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// `ACTIVE`, `PROVISIONING`, `INACTIVE` ...
    pub status: String,
}

/// An ECS service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its ARN, long form.
    pub arn: String,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    /// Tasks wanted.
    pub desired: u32,
    /// Tasks running.
    pub running: u32,
    /// Tasks on their way up.
    pub pending: u32,
    /// ARN of its task definition.
    pub task_definition: String,
    /// ECS's own deployments of the service.
    pub deployments: Vec<ServiceDeployment>,
    /// What ECS says about it, newest first, as AWS gives it.
    pub events: Vec<ServiceEvent>,
    /// Target groups its tasks are registered in.
    pub target_groups: Vec<String>,
    /// ARNs of the Cloud Map services its tasks are registered in.
    pub registries: Vec<String>,
    /// How long after its start ECS overlooks a task's failing health checks, in seconds.
    pub health_check_grace_seconds: u32,
    /// `ECS`, `CODE_DEPLOY` or `EXTERNAL`; none means `ECS`.
    pub controller: Option<String>,
    /// `ROLLING`, `BLUE_GREEN` ...; none means `ROLLING`.
    pub strategy: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Service {
    /// Whether it can be worked with: neither draining nor gone.
    pub fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }

    /// The deployment that ECS is bringing about, or has.
    pub fn primary(&self) -> Option<&ServiceDeployment> {
        self.deployments.iter().find(|deployment| deployment.status == "PRIMARY")
    }

    /// Whether ECS itself is still rolling something out on it.
    pub fn is_rolling_out(&self) -> bool {
        let in_progress =
            |primary: &ServiceDeployment| primary.rollout_state.as_deref() == Some("IN_PROGRESS") && self.running < self.desired;
        self.deployments.len() > 1 || self.primary().is_some_and(in_progress)
    }
}

/// One of ECS's own deployments of a service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceDeployment {
    /// `ecs-svc/` and digits.
    pub id: String,
    /// `PRIMARY`, `ACTIVE` or `INACTIVE`.
    pub status: String,
    /// Tasks that failed to start or to become healthy, one after another.
    pub failed_tasks: u32,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`, where ECS gives it.
    pub rollout_state: Option<String>,
    /// Why it is in that state.
    pub rollout_reason: Option<String>,
}

/// A service event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEvent {
    /// AWS's id of it.
    pub id: String,
    /// When.
    pub at_ms: i64,
    /// AWS's text.
    pub message: String,
}

/// A registered task definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskDefinition {
    /// Its ARN, with the revision.
    pub arn: String,
    /// The revision.
    pub revision: i32,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Which tasks are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Running, or wanted to run.
    Running,
    /// Stopped; visible for about an hour.
    Stopped,
}

/// A task of a service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    /// Its ARN.
    pub arn: String,
    /// `PROVISIONING` ... `RUNNING` ... `STOPPED`.
    pub last_status: String,
    /// Why it stopped.
    pub stopped_reason: Option<String>,
    /// `EssentialContainerExited`, `TaskFailedToStart` ...
    pub stop_code: Option<String>,
    /// When it was created.
    pub created_at_ms: Option<i64>,
    /// When it had stopped.
    pub stopped_at_ms: Option<i64>,
    /// Its private address, with network mode `awsvpc`.
    pub address: Option<String>,
    /// Its containers.
    pub containers: Vec<TaskContainer>,
}

impl Task {
    /// The last part of the ARN: what AWS's events call it.
    pub fn id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }
}

/// A container of a task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskContainer {
    /// Its name.
    pub name: String,
    /// What it exited with.
    pub exit_code: Option<i32>,
    /// What ECS says about it.
    pub reason: Option<String>,
}

/// A load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Where it answers.
    pub dns_name: String,
    /// `application`, `network` or `gateway`.
    pub kind: String,
    /// `internal` or `internet-facing`.
    pub scheme: String,
    /// `active`, `provisioning`, `active_impaired` or `failed`.
    pub state: String,
    /// Its VPC.
    pub vpc: String,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its ARN.
    pub arn: String,
    /// ARN of its load balancer.
    pub load_balancer: String,
    /// Its port.
    pub port: u16,
    /// `HTTP`, `HTTPS`, `TCP` ...
    pub protocol: String,
    /// Its default actions, whole, in the shape of AWS's JSON: see [`super::actions`].
    pub actions: Value,
}

/// A rule of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its ARN.
    pub arn: String,
    /// A number, or `default`.
    pub priority: String,
    /// Whether it is the listener's default rule.
    pub is_default: bool,
    /// Its conditions in short, as `path-pattern /api/*`.
    pub conditions: Vec<String>,
    /// Its actions, whole, in the shape of AWS's JSON.
    pub actions: Value,
}

/// A target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroup {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Port its targets listen on unless registered with another.
    pub port: Option<u16>,
    /// `HTTP` ...
    pub protocol: String,
    /// Its VPC.
    pub vpc: String,
    /// `ip`, `instance`, `lambda` or `alb`.
    pub target_type: String,
    /// Load balancers whose listeners or rules forward to it.
    pub load_balancers: Vec<String>,
    /// Time between two health checks of a target, in seconds.
    pub health_check_interval_seconds: u32,
}

/// A target in a target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Address or instance id.
    pub id: String,
    /// Its port.
    pub port: Option<u16>,
    /// `initial`, `healthy`, `unhealthy`, `unused`, `draining` ...
    pub state: String,
    /// `Target.FailedHealthChecks` ...
    pub reason: Option<String>,
    /// AWS's words for the reason.
    pub description: Option<String>,
}

impl Target {
    /// Whether requests are sent to it.
    pub fn is_healthy(&self) -> bool {
        self.state == "healthy"
    }

    /// Whether it is on its way out: it neither counts nor stands in the way.
    pub fn is_leaving(&self) -> bool {
        self.state.ends_with("draining")
    }
}

/// A Cloud Map service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// `srv-...`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Its name, the first label of its DNS name.
    pub name: String,
    /// Id of its namespace (`ns-...`).
    pub namespace: String,
    /// Its DNS records: type and TTL in seconds. Empty: it is found by API calls only.
    pub records: BTreeMap<String, u32>,
}

/// A Cloud Map namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// `ns-...`.
    pub id: String,
    /// Its name: the domain of its services.
    pub name: String,
    /// `DNS_PUBLIC`, `DNS_PRIVATE` or `HTTP`.
    pub kind: String,
}

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    /// `Z...`, without the path that AWS writes before it.
    pub id: String,
    /// Its name, with a trailing dot.
    pub name: String,
    /// Whether only VPCs see it.
    pub private: bool,
    /// The AWS service that made it, and alone may change its records.
    pub managed_by: Option<String>,
}

/// A record set of a hosted zone, as far as a deployer decides by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSet {
    /// Its name, with a trailing dot.
    pub name: String,
    /// `CNAME`, `A` ...
    pub kind: String,
    /// What tells it from others of the same name and type; none for a simple record.
    pub set_identifier: Option<String>,
    /// Its weight; none unless the routing is weighted.
    pub weight: Option<u8>,
    /// Its TTL, in seconds; none for an alias.
    pub ttl_seconds: Option<u32>,
    /// What it leads to.
    pub values: Vec<String>,
    /// Id of its health check.
    pub health_check: Option<String>,
}

/// What is to become of a weighted CNAME record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordChange {
    /// It is to be like this, whether it exists or not.
    Upsert(WeightedRecord),
    /// It is to be gone; it has to be like this now.
    Delete(WeightedRecord),
}

/// Who AWS says that the delegate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// Account number.
    pub account: String,
    /// ARN of the user or role session.
    pub arn: String,
}
