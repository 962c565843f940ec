//! `blueGreenLoadBalancerSetup`, and what it shares with the other setups.

use crate::manifest::{
    ecs::EcsDocument,
    fields::{Element, Mapping},
    template::{Template, Wrong},
    written::{Listener, ListenerRule, Minutes, PortNumber, Whole, Words},
};

/// What every setup of a new version says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionDocument {
    /// Family of the ECS services. None: `<app>__<service>__<env>`.
    pub service_name: Option<Template<Words>>,
    /// How many tasks the new version is to have.
    pub desired: DesiredCountDocument,
    /// Auto scaling of the new version, whole: `scalableTarget` and `scalingPolicies`.
    pub auto_scaling: Option<AutoScalingDocument>,
    /// Legacy ECS service role.
    pub role: Option<Template<Words>>,
    /// How long the service may take to be steady, in minutes. None: 10.
    pub steady_state_timeout: Option<Template<Minutes>>,
}

/// *ECS Blue Green Load Balancer Setup* as a document says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupDocument {
    /// What the new version is made of.
    pub version: VersionDocument,
    /// Where production and stage are: the pair of the step itself, then the `additionalPairs`.
    pub pairs: Vec<PairDocument>,
}

/// A pair of production and stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairDocument {
    /// Name or ARN of the load balancer.
    pub load_balancer: Template<Words>,
    /// Port or ARN of the production listener.
    pub prod_listener: Template<Listener>,
    /// Port or ARN of the stage listener.
    pub stage_listener: Template<Listener>,
    /// Priorities or ARNs of the production and of the stage rule. None: the listeners' default actions.
    pub rules: Option<(Template<ListenerRule>, Template<ListenerRule>)>,
    /// The container that the load balancer talks to.
    pub target_container: Option<Template<Words>>,
    /// Its port.
    pub target_port: Option<Template<PortNumber>>,
}

/// How many tasks the new version is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DesiredCountDocument {
    /// This many.
    Fixed(Template<Whole>),
    /// As many as the old version runs; so many (none: 2) the first time.
    SameAsRunning(Option<Template<Whole>>),
}

/// `autoScaling`: the shapes of AWS's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoScalingDocument {
    /// What `RegisterScalableTarget` takes.
    pub scalable_target: EcsDocument,
    /// What `PutScalingPolicy` takes, one each.
    pub scaling_policies: Vec<EcsDocument>,
}

impl AutoScalingDocument {
    fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&["scalableTarget", "scalingPolicies"])?;
        let scalable_target = fields.required("scalableTarget").and_then(|target| EcsDocument::read(&target));
        let policies = match fields.optional("scalingPolicies") {
            Some(list) => list.list().map(|list| list.iter().map(EcsDocument::read).collect::<Vec<_>>()),
            None => Some(Vec::new()),
        };
        let scaling_policies = policies?.into_iter().collect::<Option<Vec<_>>>();
        Some(Self { scalable_target: scalable_target?, scaling_policies: scaling_policies? })
    }
}

impl VersionDocument {
    pub(super) fn read(fields: &Mapping<'_>) -> Option<Self> {
        let desired = match fields.optional("desiredCount") {
            Some(desired) => DesiredCountDocument::read(&desired),
            None => Some(DesiredCountDocument::SameAsRunning(None)),
        };
        let service_name = fields.optional_template("serviceName");
        let auto_scaling = fields.optional("autoScaling").map(|element| AutoScalingDocument::read(&element));
        let role = fields.optional_template("role");
        let steady_state_timeout = fields.optional_template("steadyStateTimeout");
        Some(Self {
            service_name,
            role,
            steady_state_timeout,
            desired: desired?,
            auto_scaling: auto_scaling.map_or(Some(None), |read| read.map(Some))?,
        })
    }
}

impl SetupDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&[
            "serviceName",
            "desiredCount",
            "autoScaling",
            "loadBalancer",
            "prodListener",
            "stageListener",
            "prodListenerRule",
            "stageListenerRule",
            "additionalPairs",
            "role",
            "targetContainer",
            "targetPort",
            "steadyStateTimeout",
        ])?;
        let version = VersionDocument::read(&fields);
        let first = PairDocument::read(&fields, None);
        let more = match fields.optional("additionalPairs") {
            Some(list) => list.list().map(|list| {
                let read = |item: &Element<'_>| PairDocument::read(&item.mapping(&PairDocument::FIELDS)?, first.as_ref());
                list.iter().map(read).collect::<Vec<_>>()
            }),
            None => Some(Vec::new()),
        };
        let (version, first, more) = (version?, first?, more?);
        let pairs = std::iter::once(Some(first)).chain(more).collect::<Option<Vec<_>>>()?;
        Some(Self { version, pairs })
    }
}

impl PairDocument {
    /// The fields of an additional one.
    const FIELDS: [&'static str; 7] = [
        "loadBalancer",
        "prodListener",
        "stageListener",
        "prodListenerRule",
        "stageListenerRule",
        "targetContainer",
        "targetPort",
    ];

    /// A pair; one beside the `first` is on the same load balancer unless it says another.
    fn read(fields: &Mapping<'_>, first: Option<&Self>) -> Option<Self> {
        let element = fields.element();
        let load_balancer = match (fields.optional("loadBalancer"), first) {
            (None, Some(first)) => Some(first.load_balancer.clone()),
            _ => fields.template("loadBalancer"),
        };
        let (prod, stage) = (fields.template::<Listener>("prodListener"), fields.template::<Listener>("stageListener"));
        let rules = rules(fields);
        if let (Some(prod), Some(stage), Some(rules)) = (&prod, &stage, &rules)
            && prod.text.value == stage.text.value
        {
            match rules {
                None => {
                    let wrong = Wrong::new(format!("prod and stage listener are the same: {}", stage.text.value));
                    let hint = "blue/green needs two listeners, or two rules, each with a target group of its own";
                    element.findings().at(&stage.text.place, wrong.hint(hint));
                }
                Some((prod, stage)) if prod.text.value == stage.text.value => {
                    let wrong = Wrong::new(format!("prod and stage rule are the same: {}", stage.text.value));
                    element
                        .findings()
                        .at(&stage.text.place, wrong.hint("blue/green needs two, each with a target group of its own"));
                }
                Some(_) => {}
            }
        }
        check_target(fields);
        let target_container = fields.optional_template("targetContainer");
        let target_port = fields.optional_template("targetPort");
        Some(Self {
            load_balancer: load_balancer?,
            prod_listener: prod?,
            stage_listener: stage?,
            rules: rules?,
            target_container,
            target_port,
        })
    }
}

/// Both rules or neither. None when one of them is wrong.
#[expect(clippy::option_option, reason = "the outer one says whether it could be read, as everywhere here")]
fn rules(fields: &Mapping<'_>) -> Option<Option<(Template<ListenerRule>, Template<ListenerRule>)>> {
    let (present, missing) = match (fields.optional("prodListenerRule"), fields.optional("stageListenerRule")) {
        (None, None) => return Some(None),
        (Some(prod), Some(stage)) => return Some(Some((prod.template()?, stage.template()?))),
        (Some(prod), None) => (prod, "stageListenerRule"),
        (None, Some(stage)) => (stage, "prodListenerRule"),
    };
    let wrong = Wrong::new(format!("{missing:?} is missing: a rule changes target groups with another rule"));
    present.wrong(wrong.hint("give both, or neither: then the listeners' default actions are switched"));
    None
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
