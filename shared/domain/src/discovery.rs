//! Questions that a person puts to a VPC through a delegate, and their answers.

use serde::{Deserialize, Serialize};

use crate::{
    infrastructure::InfrastructureSpec,
    step::{PreviousVersion, PreviousVersionSetup},
};

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Query {
    /// Where to look.
    pub infrastructure: InfrastructureSpec,
    /// What to look for.
    pub subject: Subject,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Subject {
    /// Load balancers with their listeners, rules and target groups.
    LoadBalancers {
        /// Only those whose name contains this.
        name_contains: Option<String>,
    },
    /// Whether production can go back to the version before.
    PreviousVersion(Box<PreviousVersionSetup>),
    /// Whether AWS can be reached there at all, with the delegate's credentials and the infrastructure's role. Put by the control plane
    /// before it gives a delegate a step; the failure to answer is the answer.
    Access,
}

/// What a delegate found, and who it was that looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Account that the delegate's credentials belong to, after the role was assumed. Empty for [`Subject::Access`] if no such cluster
    /// is there.
    pub account: String,
    /// ARN of the identity that looked; empty for [`Subject::Access`], which must not need AWS's token service.
    pub identity: String,
    /// Region it looked in.
    pub region: String,
    /// VPC it was restricted to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<String>,
    /// What was found.
    pub findings: Findings,
}

/// What was found, by subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Findings {
    /// Of [`Subject::LoadBalancers`], by name.
    LoadBalancers(Vec<LoadBalancer>),
    /// Of [`Subject::PreviousVersion`].
    PreviousVersion(PreviousVersion),
    /// Of [`Subject::Access`].
    Access {
        /// Whether the infrastructure's cluster is there.
        cluster: bool,
    },
}

/// A load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancer {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Where it answers.
    pub dns_name: String,
    /// `application` or `network`.
    pub kind: String,
    /// `internal` or `internet-facing`.
    pub scheme: String,
    /// `active`, `provisioning` ...
    pub state: String,
    /// Its VPC.
    pub vpc: String,
    /// Its listeners, by port.
    pub listeners: Vec<Listener>,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// Its ARN.
    pub arn: String,
    /// Its port.
    pub port: u16,
    /// `HTTP`, `HTTPS` ...
    pub protocol: String,
    /// Its rules in the order they are tried; the default rule is the last.
    pub rules: Vec<Rule>,
}

/// A rule of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Its ARN.
    pub arn: String,
    /// Its priority, or `default`.
    pub priority: String,
    /// Its conditions in short, as `path-pattern /api/*`.
    pub conditions: Vec<String>,
    /// Its actions in short, as `fixed-response 404`; a forward is told by `target_groups`.
    pub actions: Vec<String>,
    /// The target groups it forwards to.
    pub target_groups: Vec<TargetGroup>,
}

/// A target group, as a rule forwards to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetGroup {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Weight in the forward.
    pub weight: u32,
    /// Port its targets listen on.
    pub port: u16,
    /// `HTTP` ...
    pub protocol: String,
    /// `ip`, `instance` ...
    pub target_type: String,
    /// Targets that are healthy.
    pub healthy: u32,
    /// Targets in all.
    pub targets: u32,
}
