//! Where a deployment goes: everything a delegate needs to know of a region, a cluster and its network.

use serde::{Deserialize, Serialize};

/// What ECS runs the tasks on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LaunchType {
    /// AWS's own capacity.
    #[serde(rename = "FARGATE")]
    Fargate,
    /// Container instances of the cluster.
    #[serde(rename = "EC2")]
    Ec2,
    /// Registered machines outside AWS.
    #[serde(rename = "EXTERNAL")]
    External,
}

impl LaunchType {
    /// The value as AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fargate => "FARGATE",
            Self::Ec2 => "EC2",
            Self::External => "EXTERNAL",
        }
    }
}

/// The role a delegate assumes before it calls AWS for an infrastructure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssumeRole {
    /// ARN of the role.
    pub arn: String,
    /// The external id that the role's trust policy asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// An infrastructure as the delegate gets it, with every expression resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InfrastructureSpec {
    /// Name of the infrastructure document.
    pub name: String,
    /// AWS region, as `eu-west-1`.
    pub region: String,
    /// ECS cluster, name or ARN.
    pub cluster: String,
    /// Where tasks run. None: the service definition's own launch type or capacity provider strategy decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch_type: Option<LaunchType>,
    /// The VPC, for discovery and for checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<String>,
    /// Subnets of the tasks (network mode `awsvpc`).
    #[serde(default)]
    pub subnets: Vec<String>,
    /// Security groups of the tasks.
    #[serde(default)]
    pub security_groups: Vec<String>,
    /// Whether tasks get a public address.
    #[serde(default)]
    pub assign_public_ip: bool,
    /// ARN or name of the task execution role, for `${EXECUTION_ROLE}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_role: Option<String>,
    /// The role to assume first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role: Option<AssumeRole>,
    /// Selectors a delegate must all bear to be eligible.
    #[serde(default)]
    pub delegate_selectors: Vec<String>,
}
