//! `blueGreenRoute53Setup` and `changeRoute53Weights`.

use super::{ShiftDocument, VersionDocument};
use crate::manifest::{
    fields::Element,
    template::{Template, Wrong},
    written::{DnsName, PortNumber, RecordWeight, RegistryArn, Whole, Words, YesNo},
};

/// *ECS Blue Green Route 53 Setup* as a document says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsSetupDocument {
    /// What the new version is made of.
    pub version: VersionDocument,
    /// The first of the two registries that alternate.
    pub specification1: RegistryDocument,
    /// The second.
    pub specification2: RegistryDocument,
    /// The name that customers use.
    pub alias: Template<DnsName>,
    /// Id or name of the hosted zone that holds it.
    pub hosted_zone: Template<Words>,
}

/// How tasks are registered in a Cloud Map service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryDocument {
    /// ARN of the Cloud Map service.
    pub registry_arn: Template<RegistryArn>,
    /// The container whose port is registered. None with a port: the container that the image's name stands for.
    pub container_name: Option<Template<Words>>,
    /// Its port.
    pub container_port: Option<Template<PortNumber>>,
    /// The port of an SRV record where no container is named.
    pub port: Option<Template<PortNumber>>,
}

/// *Change Route 53 Weights* as a document says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WeightsDocument {
    /// Weight of the new version's record. None: 100.
    pub new_weight: Option<Template<RecordWeight>>,
    /// Weight of the old version's record. None: 0.
    pub old_weight: Option<Template<RecordWeight>>,
    /// TTL of both, in seconds. None: 60.
    pub ttl: Option<Template<Whole>>,
    /// Bring the old service to 0 afterwards. None: yes.
    pub downsize_old: Option<Template<YesNo>>,
    /// What the set identifiers begin with. None: `Harness`.
    pub identifier_prefix: Option<Template<Words>>,
    /// Weights in between.
    pub shift: Vec<ShiftDocument>,
}

impl DnsSetupDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&[
            "serviceName",
            "desiredCount",
            "autoScaling",
            "specification1",
            "specification2",
            "aliasName",
            "hostedZone",
            "role",
            "steadyStateTimeout",
        ])?;
        let version = VersionDocument::read(&fields);
        let registry = |name: &str| RegistryDocument::read(&fields.required(name)?);
        let (first, second) = (registry("specification1"), registry("specification2"));
        if let (Some(first), Some(second)) = (&first, &second)
            && first.registry_arn.text.value == second.registry_arn.text.value
        {
            let wrong = Wrong::new("both specifications name the same Cloud Map service");
            let hint = "blue/green needs two that alternate";
            element.findings().at(&second.registry_arn.text.place, wrong.hint(hint));
        }
        let alias = fields.template("aliasName");
        let hosted_zone = fields.template("hostedZone");
        Some(Self {
            version: version?,
            specification1: first?,
            specification2: second?,
            alias: alias?,
            hosted_zone: hosted_zone?,
        })
    }
}

impl RegistryDocument {
    fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&["registryArn", "containerName", "containerPort", "port"])?;
        let registry_arn = fields.template("registryArn");
        let container_name = fields.optional_template("containerName");
        let container_port = fields.optional_template("containerPort");
        let port = fields.optional_template("port");
        if container_port.is_some() && port.is_some() {
            element.wrong(Wrong::new("\"containerPort\" and \"port\" exclude each other").hint("ECS takes one of them"));
        }
        if container_name.is_some() && container_port.is_none() && port.is_none() {
            element.wrong(Wrong::new("\"containerName\" says nothing without \"containerPort\""));
        }
        Some(Self { registry_arn: registry_arn?, container_name, container_port, port })
    }
}

impl WeightsDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        if element.is_null() {
            return Some(Self::default());
        }
        let fields = element.mapping(&["newWeight", "oldWeight", "ttl", "downsizeOld", "identifierPrefix", "shift"])?;
        Some(Self {
            new_weight: fields.optional_template("newWeight"),
            old_weight: fields.optional_template("oldWeight"),
            ttl: fields.optional_template("ttl"),
            downsize_old: fields.optional_template("downsizeOld"),
            identifier_prefix: fields.optional_template("identifierPrefix"),
            shift: ShiftDocument::list(&fields),
        })
    }
}
