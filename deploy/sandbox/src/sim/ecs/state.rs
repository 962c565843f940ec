//! What ECS remembers in one account and region. Documents that a user wrote are kept whole, so that what comes back is what was
//! asked for, members that this simulator has never heard of included.

use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
};

use serde_json::{Map, Value};

use super::{awslogs::LogPlace, conduct::Conduct};

/// One account and region.
#[derive(Debug, Clone, Default)]
pub struct Ecs {
    /// By name.
    pub clusters: BTreeMap<String, Cluster>,
    /// Families by name; a revision is its position, from 1.
    pub families: BTreeMap<String, Vec<TaskDefinition>>,
    /// By (cluster, name).
    pub services: BTreeMap<(String, String), Service>,
    /// By id.
    pub tasks: BTreeMap<String, Task>,
    /// `RunTask` calls by client token: the request and the ids of what it started.
    pub runs: BTreeMap<String, (Map<String, Value>, Vec<String>)>,
}

/// A cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// `ACTIVE` or `INACTIVE`.
    pub status: &'static str,
    /// Its tags.
    pub tags: Tags,
}

/// Tags in the order of their keys.
pub type Tags = BTreeMap<String, String>;

/// A revision of a task definition.
#[derive(Debug, Clone)]
pub struct TaskDefinition {
    /// The request, whole, without its tags.
    pub document: Map<String, Value>,
    /// `ACTIVE` or `INACTIVE`.
    pub status: &'static str,
    /// When it was registered, seconds since 1970.
    pub registered_at: f64,
    /// Its tags.
    pub tags: Tags,
}

/// Where a service is in its life.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ServiceStatus {
    /// Alive.
    Active,
    /// Deleted, tasks still stopping; since when, in AWS's time.
    Draining(f64),
    /// Gone, still described; since when, in AWS's time.
    Inactive(f64),
}

impl ServiceStatus {
    /// AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Draining(_) => "DRAINING",
            Self::Inactive(_) => "INACTIVE",
        }
    }
}

/// A service.
#[derive(Debug, Clone)]
pub struct Service {
    /// Long ARN.
    pub arn: String,
    /// Cluster's ARN.
    pub cluster_arn: String,
    /// The `CreateService` request with later updates merged in, without the members kept beside it here.
    pub document: Map<String, Value>,
    /// Full ARN of the task definition.
    pub task_definition: String,
    /// Its desired count.
    pub desired: u32,
    /// Where it is in its life.
    pub status: ServiceStatus,
    /// The `CreateService` request, to know it when it comes again.
    pub asked: Map<String, Value>,
    /// Its deployments, the PRIMARY one first.
    pub deployments: Vec<Deployment>,
    /// Deployments that are over, newest first, at most 100.
    pub history: VecDeque<Deployment>,
    /// Its events, newest first, at most 100.
    pub events: VecDeque<Event>,
    /// Its tags.
    pub tags: Tags,
    /// When it was created, seconds since 1970.
    pub created_at: f64,
    /// Since when it is steady, if it is, in AWS's time.
    pub steady: Option<f64>,
    /// When it last said that its tasks do not start, in AWS's time.
    pub complained_at: Option<f64>,
    /// When it last found no room for a task, in AWS's time.
    pub unplaced_at: Option<f64>,
    /// Since when it is as it is, in AWS's time.
    pub changed_at: f64,
}

impl Service {
    /// The target groups its tasks register in: (target group ARN, container, port).
    pub fn targets(&self) -> Vec<(String, String, u16)> {
        let listed = self.document.get("loadBalancers").and_then(Value::as_array).into_iter().flatten();
        listed
            .filter_map(|balancer| {
                let text = |name: &str| balancer.get(name).and_then(Value::as_str).map(str::to_owned);
                let port = balancer.get("containerPort").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok())?;
                Some((text("targetGroupArn")?, text("containerName")?, port))
            })
            .collect()
    }

    /// A percentage of its deployment configuration.
    fn percent(&self, name: &str, default: u32) -> u32 {
        let configured = self.document.get("deploymentConfiguration").and_then(|configuration| configuration.get(name));
        configured.and_then(Value::as_u64).and_then(|percent| u32::try_from(percent).ok()).unwrap_or(default).min(10_000)
    }

    /// How many tasks may be running or pending during a deployment: rounded down.
    pub fn most_tasks(&self) -> usize {
        let most = u64::from(self.desired) * u64::from(self.percent("maximumPercent", 200)) / 100;
        usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// How many tasks must stay healthy during a deployment: rounded up.
    pub fn fewest_healthy(&self) -> usize {
        let fewest = (u64::from(self.desired) * u64::from(self.percent("minimumHealthyPercent", 100))).div_ceil(100);
        usize::try_from(fewest).unwrap_or(usize::MAX)
    }

    /// The circuit breaker's switch called `name`: `enable` or `rollback`.
    pub fn breaker(&self, name: &str) -> bool {
        let breaker = self.document.get("deploymentConfiguration").and_then(|c| c.get("deploymentCircuitBreaker"));
        breaker.and_then(|breaker| breaker.get(name)).and_then(Value::as_bool) == Some(true)
    }

    /// How many failed tasks fail a deployment: half of the desired count, at least 3 and at most 200.
    pub fn breaker_threshold(&self) -> u32 {
        self.desired.div_ceil(2).clamp(3, 200)
    }

    /// Grace period for target health, in seconds.
    pub fn grace(&self) -> f64 {
        self.document.get("healthCheckGracePeriodSeconds").and_then(Value::as_f64).unwrap_or(0.0)
    }
}

/// A deployment of a service.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// `ecs-svc/` and 19 digits.
    pub id: String,
    /// Full ARN of its task definition.
    pub task_definition: String,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`.
    pub rollout_state: &'static str,
    /// The deployment that failed and is undone by this one.
    pub undoes: Option<String>,
    /// Whether a later deployment took its place before it was completed.
    pub superseded: bool,
    /// Consecutive tasks that failed.
    pub failed_tasks: u32,
    /// Seconds since 1970.
    pub created_at: f64,
    /// Seconds since 1970.
    pub updated_at: f64,
}

/// A service event.
#[derive(Debug, Clone)]
pub struct Event {
    /// A UUID.
    pub id: String,
    /// Seconds since 1970.
    pub at: f64,
    /// AWS's text.
    pub message: String,
}

/// Where a task is in its life. Times are AWS's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Phase {
    /// Its interface is being made, until then.
    Provisioning(f64),
    /// Its containers are being started, until then.
    Pending(f64),
    /// Its targets are being registered, until then.
    Activating(f64),
    /// It runs.
    Running,
    /// It is to stop: targets drain first.
    Draining,
    /// It was told to stop, until then.
    Stopping(f64),
    /// Its interface is being removed, until then.
    Deprovisioning(f64),
    /// It has stopped, at that time.
    Stopped(f64),
}

/// A task.
#[derive(Debug, Clone)]
pub struct Task {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Its cluster's name.
    pub cluster: String,
    /// Its service's name; none for a task of its own.
    pub service: Option<String>,
    /// The deployment or caller that started it; empty if the caller gave no name.
    pub started_by: String,
    /// What `RunTask` was asked for, or the members of the service that its tasks share.
    pub document: Map<String, Value>,
    /// Its tags.
    pub tags: Tags,
    /// Full ARN of its task definition.
    pub task_definition: String,
    /// Where it is.
    pub phase: Phase,
    /// How much slower or faster than usual its start is; tasks launched together share it.
    pub jitter: f64,
    /// Its address.
    pub address: Ipv4Addr,
    /// Seconds since 1970.
    pub created_at: f64,
    /// Seconds since 1970, once it ran.
    pub started_at: Option<f64>,
    /// When it was told to stop, seconds since 1970.
    pub stopping_at: Option<f64>,
    /// When it began to run, in AWS's time.
    pub running_since: Option<f64>,
    /// Seconds since 1970, once it stopped.
    pub stopped_at: Option<f64>,
    /// AWS's word for why, and its text.
    pub stop: Option<(&'static str, String)>,
    /// Its containers.
    pub containers: Vec<Container>,
    /// The exit code of containers that did not end by themselves, once they ended.
    pub exit_code: Option<i32>,
    /// How containers ended that did it by themselves, by name.
    pub ends: BTreeMap<String, ContainerEnd>,
    /// Whether it has once served, which ends a row of failures.
    pub served: bool,
    /// Target groups it is registered in.
    pub registered: Vec<(String, u16)>,
}

/// A container of a task.
#[derive(Debug, Clone)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Whether its task ends with it.
    pub essential: bool,
    /// How it behaves.
    pub conduct: Conduct,
    /// The tag of its image.
    pub version: String,
    /// The ports that it listens at.
    pub ports: Vec<u64>,
    /// Where its lines go, if CloudWatch Logs has them.
    pub log: Option<LogPlace>,
    /// Whether it has said that it is sick.
    pub told_sick: bool,
}

/// How a container ended, or was kept from being started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerEnd {
    /// Its exit code, if it was started.
    pub exit_code: Option<i32>,
    /// AWS's text, if there is one.
    pub reason: Option<String>,
}

impl Task {
    /// Whether it is meant to go on.
    pub fn is_wanted(&self) -> bool {
        matches!(self.phase, Phase::Provisioning(_) | Phase::Pending(_) | Phase::Activating(_) | Phase::Running)
    }

    /// Whether AWS counts it as running. A task that drains still runs: with one target group, DEACTIVATING was reported not to
    /// show (aws/containers-roadmap issue 1039).
    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Draining)
    }

    /// Whether AWS counts it as pending.
    pub fn is_pending(&self) -> bool {
        matches!(self.phase, Phase::Provisioning(_) | Phase::Pending(_) | Phase::Activating(_))
    }

    /// AWS's word for where it is.
    pub fn last_status(&self) -> &'static str {
        match self.phase {
            Phase::Provisioning(_) => "PROVISIONING",
            Phase::Pending(_) => "PENDING",
            Phase::Activating(_) => "ACTIVATING",
            Phase::Running | Phase::Draining => "RUNNING",
            Phase::Stopping(_) => "STOPPING",
            Phase::Deprovisioning(_) => "DEPROVISIONING",
            Phase::Stopped(_) => "STOPPED",
        }
    }
}

/// `family` or `family:revision` or an ARN, taken apart; a revision of none means the newest active one.
pub fn parse_task_definition(text: &str) -> (String, Option<String>) {
    let name = text.rsplit('/').next().unwrap_or(text);
    match name.split_once(':') {
        Some((family, revision)) => (family.to_owned(), Some(revision.to_owned())),
        None => (name.to_owned(), None),
    }
}

/// The last part of an ARN, or the name itself.
pub fn short(name_or_arn: &str) -> &str {
    name_or_arn.rsplit('/').next().unwrap_or(name_or_arn)
}

/// Tags in AWS's JSON form.
pub fn tags_json(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| serde_json::json!({"key": key, "value": value})).collect()
}

/// Reads tags in AWS's JSON form.
pub fn parse_tags(value: Option<&Value>) -> Tags {
    let text = |tag: &Value, name: &str| tag.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    value.and_then(Value::as_array).into_iter().flatten().map(|tag| (text(tag, "key"), text(tag, "value"))).collect()
}
