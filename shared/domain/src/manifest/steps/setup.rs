//! `blueGreenLoadBalancerSetup`.

use crate::manifest::{
    fields::{Element, Mapping},
    template::{Template, Wrong},
    written::{Listener, Minutes, PortNumber, Whole, Words},
};

/// *ECS Blue Green Load Balancer Setup* as a document says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupDocument {
    /// Family of the ECS services. None: `<app>__<service>__<env>`.
    pub service_name: Option<Template<Words>>,
    /// How many tasks the new version is to have.
    pub desired: DesiredCountDocument,
    /// Name or ARN of the load balancer.
    pub load_balancer: Template<Words>,
    /// Port or ARN of the production listener.
    pub prod_listener: Template<Listener>,
    /// Port or ARN of the stage listener.
    pub stage_listener: Template<Listener>,
    /// Legacy ECS service role.
    pub role: Option<Template<Words>>,
    /// The container that the load balancer talks to.
    pub target_container: Option<Template<Words>>,
    /// Its port.
    pub target_port: Option<Template<PortNumber>>,
    /// How long the service may take to be steady, in minutes. None: 10.
    pub steady_state_timeout: Option<Template<Minutes>>,
}

/// How many tasks the new version is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DesiredCountDocument {
    /// This many.
    Fixed(Template<Whole>),
    /// As many as the old version runs; so many (none: 2) the first time.
    SameAsRunning(Option<Template<Whole>>),
}

impl SetupDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&[
            "serviceName",
            "desiredCount",
            "loadBalancer",
            "prodListener",
            "stageListener",
            "role",
            "targetContainer",
            "targetPort",
            "steadyStateTimeout",
        ])?;
        let service_name = fields.optional_template("serviceName");
        let desired = match fields.optional("desiredCount") {
            Some(desired) => DesiredCountDocument::read(&desired),
            None => Some(DesiredCountDocument::SameAsRunning(None)),
        };
        let load_balancer = fields.template("loadBalancer");
        let (prod, stage) = (fields.template::<Listener>("prodListener"), fields.template::<Listener>("stageListener"));
        if let (Some(prod), Some(stage)) = (&prod, &stage)
            && prod.text.value == stage.text.value
        {
            let wrong = Wrong::new(format!("prod and stage listener are the same: {}", stage.text.value));
            let hint = "blue/green needs two listeners, each with a target group of its own";
            element.findings().at(&stage.text.place, wrong.hint(hint));
        }
        check_target(&fields);
        Some(Self {
            service_name,
            role: fields.optional_template("role"),
            target_container: fields.optional_template("targetContainer"),
            target_port: fields.optional_template("targetPort"),
            steady_state_timeout: fields.optional_template("steadyStateTimeout"),
            desired: desired?,
            load_balancer: load_balancer?,
            prod_listener: prod?,
            stage_listener: stage?,
        })
    }
}

/// Container and port name one port mapping together.
fn check_target(fields: &Mapping<'_>) {
    let (present, missing) = match (fields.optional("targetContainer"), fields.optional("targetPort")) {
        (Some(_), Some(_)) | (None, None) => return,
        (Some(container), None) => (container, "targetPort"),
        (None, Some(port)) => (port, "targetContainer"),
    };
    let reason = if missing == "targetContainer" {
        "as an ECS requirement the target container cannot be empty if the target port is defined"
    } else {
        "the target container alone does not say which of its ports the load balancer talks to"
    };
    let wrong = Wrong::new(format!("{missing:?} is missing: {reason}"));
    present.wrong(wrong.hint("give both, or neither: then the container is found by the target group's port"));
}

impl DesiredCountDocument {
    /// `{fixed: 3}`, `{sameAsRunning: {max: 2}}`, or just the words `3` and `sameAsRunning`.
    fn read(element: &Element<'_>) -> Option<Self> {
        if !element.is_mapping() {
            let text = element.text()?;
            if text.value == "sameAsRunning" {
                return Some(Self::SameAsRunning(None));
            }
            return Some(Self::Fixed(element.template()?));
        }
        let fields = element.mapping(&["fixed", "sameAsRunning"])?;
        match (fields.optional("fixed"), fields.present("sameAsRunning")) {
            (Some(fixed), None) => Some(Self::Fixed(fixed.template()?)),
            (None, Some(same)) if same.is_null() => Some(Self::SameAsRunning(None)),
            (None, Some(same)) => Some(Self::SameAsRunning(same.mapping(&["max"])?.optional_template("max"))),
            (None, None) => {
                if !fields.has_unknown() {
                    element.wrong(Wrong::new("expected \"fixed: N\" or \"sameAsRunning: {max: N}\""));
                }
                None
            }
            (Some(_), Some(same)) => {
                let wrong = Wrong::new("\"fixed\" and \"sameAsRunning\" exclude each other");
                element.findings().at(&same.key_place(), wrong);
                None
            }
        }
    }
}
