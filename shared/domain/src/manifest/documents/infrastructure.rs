//! Infrastructure: where it is deployed to.

use crate::{
    infrastructure::LaunchType,
    manifest::{
        fields::Element,
        parse::{description, reference},
        source::Located,
        template::{Template, Written, Wrong},
        written::{Region, RoleArn, Words, YesNo},
    },
};

/// What an infrastructure says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Infrastructure {
    /// The environment it belongs to.
    pub environment: Option<Located<String>>,
    /// AWS region.
    pub region: Template<Region>,
    /// ECS cluster, name or ARN.
    pub cluster: Template<Words>,
    /// Where tasks run.
    pub launch_type: Option<Located<LaunchType>>,
    /// The VPC.
    pub vpc: Option<Template<Words>>,
    /// Subnets of the tasks.
    pub subnets: Vec<Template<Words>>,
    /// Security groups of the tasks.
    pub security_groups: Vec<Template<Words>>,
    /// Whether tasks get a public address.
    pub assign_public_ip: bool,
    /// ARN or name of the task execution role.
    pub execution_role: Option<Template<Words>>,
    /// The role that delegates assume first.
    pub assume_role: Option<AssumeRoleDocument>,
    /// What a delegate must bear to work here.
    pub delegate_selectors: Vec<Template<Words>>,
    /// Words for people.
    pub description: Option<String>,
}

/// The role that delegates assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRoleDocument {
    /// Its ARN.
    pub arn: Template<RoleArn>,
    /// What its trust policy asks for.
    pub external_id: Option<Template<Words>>,
}

impl Written for LaunchType {
    type Value = Self;

    fn read(text: &str) -> Result<Self, Wrong> {
        let all = [Self::Fargate, Self::Ec2, Self::External];
        let found = all.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| Wrong::none_of(text, "a launch type", &all.map(Self::as_str)))
    }
}

impl Infrastructure {
    pub(in crate::manifest) fn read(spec: &Element<'_>) -> Option<Self> {
        let fields = spec.mapping(&[
            "environment",
            "region",
            "cluster",
            "launchType",
            "vpc",
            "subnets",
            "securityGroups",
            "assignPublicIp",
            "executionRole",
            "assumeRole",
            "delegateSelectors",
            "description",
        ])?;
        let list = |name: &str| fields.optional(name).map(|element| element.templates()).unwrap_or_default();
        let environment = fields.optional("environment").and_then(|_| reference(&fields, "environment"));
        let (region, cluster) = (fields.template("region"), fields.template("cluster"));
        let read = Self {
            environment,
            launch_type: fields.optional_value::<LaunchType>("launchType"),
            vpc: fields.optional_template("vpc"),
            subnets: list("subnets"),
            security_groups: list("securityGroups"),
            assign_public_ip: fields.optional_value::<YesNo>("assignPublicIp").is_some_and(|yes| yes.value),
            execution_role: fields.optional_template("executionRole"),
            assume_role: fields.optional("assumeRole").and_then(|element| assume_role(&element)),
            delegate_selectors: list("delegateSelectors"),
            description: description(&fields),
            region: region?,
            cluster: cluster?,
        };
        Some(read)
    }
}

fn assume_role(element: &Element<'_>) -> Option<AssumeRoleDocument> {
    let fields = element.mapping(&["arn", "externalId"])?;
    let external_id = fields.optional_template("externalId");
    Some(AssumeRoleDocument { arn: fields.template("arn")?, external_id })
}
