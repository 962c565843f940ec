//! The setups of a new version: what they are told, and what they hand on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AutoScaling, Traffic};

/// How many tasks the new version is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum DesiredCount {
    /// This many.
    Fixed(u32),
    /// As many as the old version runs; `max` the first time, when there is none.
    SameAsRunning {
        /// Used when no old version runs.
        max: u32,
    },
}

/// What a new version is made of: the same for every way to lead traffic to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewVersion {
    /// Family of the line, normalised: services are `<family>__<N>`, and so is the task definition's family.
    pub family: String,
    /// The image with its tag.
    pub image: String,
    /// What `${CONTAINER_NAME}` stands for: the image's name as a container name.
    pub container_name: String,
    /// The user's task definition, placeholders resolved: the JSON that `register-task-definition --cli-input-json` takes.
    pub task_definition: Value,
    /// The user's service definition: the `create-service` JSON. An empty object when there is none.
    pub service_definition: Value,
    /// How many tasks.
    pub desired: DesiredCount,
    /// Auto scaling of the new version at full size. None: as the old version has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_scaling: Option<AutoScaling>,
    /// Legacy ECS service role; rarely needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// How long the service may take to be steady, in minutes.
    pub steady_state_timeout_minutes: u32,
}

/// Inputs of *ECS Blue Green Load Balancer Setup*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancerSetup {
    /// What the new version is made of.
    pub version: NewVersion,
    /// Where production and stage are: one pair or more.
    pub pairs: Vec<WantedPair>,
}

/// A pair of production and stage as a workflow names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedPair {
    /// Name or ARN of the load balancer.
    pub load_balancer: String,
    /// Port or ARN of the production listener.
    pub prod_listener: String,
    /// Port or ARN of the stage listener.
    pub stage_listener: String,
    /// Priority or ARN of the production rule, with `stage_rule`. None: the listener's default action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prod_rule: Option<String>,
    /// Priority or ARN of the stage rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage_rule: Option<String>,
    /// The container the load balancer talks to, when it can't be told from the target group's port. With `target_port`, or not
    /// at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_container: Option<String>,
    /// The container port the load balancer talks to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_port: Option<u16>,
}

/// The version that served production when the setup ran, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OldService {
    /// ECS service name.
    pub name: String,
    /// Its ARN (long form).
    pub arn: String,
    /// Its desired count before anything was changed.
    pub desired_count: u32,
    /// Its task definition's ARN.
    pub task_definition: String,
    /// Its `BG_VERSION` tag before anything was changed, if it bore one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bg_version: Option<String>,
    /// Its auto scaling before anything was changed, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_scaling: Option<AutoScaling>,
}

/// What the setup hands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetupOutput {
    /// ECS cluster the service is in, as the infrastructure names it.
    pub cluster: String,
    /// The new service, `<family>__<N>`.
    pub service: String,
    /// Its ARN (long form).
    pub service_arn: String,
    /// ARN of the registered task definition.
    pub task_definition: String,
    /// The image with its tag.
    pub image: String,
    /// How many tasks the new version is to have at full size.
    pub desired_count: u32,
    /// Auto scaling of the new version at full size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_scaling: Option<AutoScaling>,
    /// The version that served production, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<OldService>,
    /// What leads production's traffic to it.
    pub traffic: Traffic,
    /// How long the service may take to be steady, in minutes.
    pub steady_state_timeout_minutes: u32,
}

impl SetupOutput {
    /// The names that [`SetupOutput::values`] yields.
    pub const NAMES: [&'static str; 9] = [
        "service",
        "taskDefinition",
        "image",
        "desiredCount",
        "oldService",
        "newTargetGroup",
        "oldTargetGroup",
        "prodUrl",
        "stageUrl",
    ];

    pub(super) fn values(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("service", self.service.clone()),
            ("taskDefinition", self.task_definition.clone()),
            ("image", self.image.clone()),
            ("desiredCount", self.desired_count.to_string()),
            ("oldService", self.old.as_ref().map(|old| old.name.clone()).unwrap_or_default()),
            ("newTargetGroup", self.traffic.new_target_groups().first().copied().unwrap_or_default().to_owned()),
            ("oldTargetGroup", self.traffic.old_target_groups().first().copied().unwrap_or_default().to_owned()),
            ("prodUrl", self.traffic.prod_url()),
            ("stageUrl", self.traffic.stage_url()),
        ])
    }
}
