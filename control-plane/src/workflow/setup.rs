//! The setups: the steps that carry ECS's documents.

use domain::{
    manifest::{
        AutoScalingDocument, DesiredCountDocument, DnsSetupDocument, Manifest, PairDocument, RegistryDocument, Service,
        SetupDocument, Source, VersionDocument,
    },
    names::family,
    step::{AutoScaling, DesiredCount, DnsSetup, LoadBalancerSetup, NewVersion, ServiceRegistry, WantedPair},
};
use serde_json::{Value, json};

use super::{
    draft::{Documents, Role},
    names::Names,
    resolver::Resolver,
};

/// Tasks of a first deployment whose workflow says nothing.
const FIRST_COUNT: u32 = 2;
/// Minutes that a service may take to be steady when the workflow says nothing.
const STEADY_MINUTES: u32 = 10;
/// The longest family: `__` and a revision follow it, and a service's name has at most 255 characters.
const FAMILY: usize = 240;

/// What the placeholders in ECS's documents stand for, as far as it is known.
pub(super) struct Placeholders {
    pub(super) image: Option<String>,
    pub(super) container: Option<String>,
    pub(super) role: Role,
}

impl Placeholders {
    /// All of them.
    pub(super) const NAMES: [&'static str; 3] = ["DOCKER_IMAGE_NAME", "CONTAINER_NAME", "EXECUTION_ROLE"];

    /// The task definition and the service definition, with everything replaced.
    pub(super) fn documents(
        &self,
        manifest: &Manifest,
        service: &Service,
        names: &Names,
        infrastructure: Option<&Manifest>,
        resolver: &mut Resolver,
    ) -> Option<(Value, Value)> {
        let mut names = names.clone();
        let mut set = |name: &str, value: Option<&String>| match value {
            Some(value) => names.set(name, value),
            None => names.leave_open(name),
        };
        set("DOCKER_IMAGE_NAME", self.image.as_ref());
        set("CONTAINER_NAME", self.container.as_ref());
        match (&self.role, infrastructure) {
            (Role::Known(role), _) => set("EXECUTION_ROLE", Some(role)),
            (Role::Missing, Some(infrastructure)) => names.explain(
                "EXECUTION_ROLE",
                format!("is used, but {} has no executionRole", infrastructure.key),
                "add executionRole to its spec, or write the role's ARN here",
            ),
            (Role::Missing | Role::Open, _) => set("EXECUTION_ROLE", None),
        }
        let task_definition = resolver.document(&manifest.source, &names, &service.task_definition);
        let service_definition = match &service.service_definition {
            Some(document) => resolver.document(&manifest.source, &names, document),
            None => Some(json!({})),
        };
        task_definition.zip(service_definition)
    }
}

/// Where the setup's words stand, and what they may name.
pub(super) struct Said<'a> {
    pub(super) documents: &'a Documents,
    pub(super) source: &'a Source,
    pub(super) names: &'a Names,
    pub(super) placeholders: &'a Placeholders,
}

/// *ECS Blue Green Load Balancer Setup*.
pub(super) fn load_balancer_setup(said: &SetupDocument, of: &Said<'_>, resolver: &mut Resolver) -> Option<LoadBalancerSetup> {
    let version = version(&said.version, of, resolver);
    let pairs: Vec<_> = said.pairs.iter().map(|said| pair(said, of, resolver)).collect();
    Some(LoadBalancerSetup { version: version?, pairs: pairs.into_iter().collect::<Option<_>>()? })
}

/// *ECS Blue Green Route 53 Setup*.
pub(super) fn dns_setup(said: &DnsSetupDocument, of: &Said<'_>, resolver: &mut Resolver) -> Option<DnsSetup> {
    let version = version(&said.version, of, resolver);
    let first = registry(&said.specification1, of, resolver);
    let second = registry(&said.specification2, of, resolver);
    let alias = resolver.later(of.source, of.names, &said.alias);
    let hosted_zone = resolver.later(of.source, of.names, &said.hosted_zone);
    Some(DnsSetup {
        version: version?,
        specification1: first?,
        specification2: second?,
        // What was written as an expression has not been through the field's own reader.
        alias: alias.map(|alias| format!("{}.", alias.trim_end_matches('.').to_ascii_lowercase()))?,
        hosted_zone: hosted_zone?,
    })
}

fn version(said: &VersionDocument, of: &Said<'_>, resolver: &mut Resolver) -> Option<NewVersion> {
    let Said { documents, source, names, placeholders } = of;
    let family = line(said, documents, source, names, resolver);
    let ecs = documents.service().and_then(|(manifest, service)| {
        placeholders.documents(manifest, service, names, documents.infrastructure.as_deref(), resolver)
    });
    let desired = match &said.desired {
        DesiredCountDocument::Fixed(count) => resolver.now(source, names, count).map(DesiredCount::Fixed),
        DesiredCountDocument::SameAsRunning(None) => Some(DesiredCount::SameAsRunning { max: FIRST_COUNT }),
        DesiredCountDocument::SameAsRunning(Some(max)) => {
            resolver.now(source, names, max).map(|max| DesiredCount::SameAsRunning { max })
        }
    };
    let auto_scaling = optional(&said.auto_scaling, |said| auto_scaling(said, of, resolver));
    let role = optional(&said.role, |role| resolver.later(source, names, role));
    let steady = match &said.steady_state_timeout {
        Some(minutes) => resolver.now(source, names, minutes),
        None => Some(STEADY_MINUTES),
    };
    let (task_definition, service_definition) = ecs?;
    Some(NewVersion {
        family: family?,
        image: placeholders.image.clone()?,
        container_name: placeholders.container.clone()?,
        task_definition,
        service_definition,
        desired: desired?,
        auto_scaling: auto_scaling?,
        role: role?,
        steady_state_timeout_minutes: steady?,
    })
}

fn auto_scaling(said: &AutoScalingDocument, of: &Said<'_>, resolver: &mut Resolver) -> Option<AutoScaling> {
    let target = resolver.document(of.source, of.names, &said.scalable_target);
    let policies: Vec<_> = said.scaling_policies.iter().map(|policy| resolver.document(of.source, of.names, policy)).collect();
    let (target, policies) = (target?, policies.into_iter().collect::<Option<Vec<_>>>()?);
    let wanted = AutoScaling::new(&target, &policies);
    let problems = wanted.problems();
    for problem in &problems {
        let finding = of.source.finding(&said.scalable_target.place_of(of.source, ""), problem.clone());
        resolver
            .add(finding.hint("the shapes of AWS's Application Auto Scaling API: RegisterScalableTarget and PutScalingPolicy"));
    }
    problems.is_empty().then_some(wanted)
}

fn pair(said: &PairDocument, of: &Said<'_>, resolver: &mut Resolver) -> Option<WantedPair> {
    let Said { source, names, .. } = of;
    let load_balancer = resolver.later(source, names, &said.load_balancer);
    let prod_listener = resolver.later(source, names, &said.prod_listener);
    let stage_listener = resolver.later(source, names, &said.stage_listener);
    let rules = optional(&said.rules, |(prod, stage)| {
        let (prod, stage) = (resolver.later(source, names, prod), resolver.later(source, names, stage));
        prod.zip(stage)
    });
    if let (Some(prod), Some(stage), Some(rules)) = (&prod_listener, &stage_listener, &rules)
        && prod == stage
        && rules.as_ref().is_none_or(|(prod, stage)| prod == stage)
    {
        let message = format!("prod and stage listener are the same: {stage}");
        let hint = "blue/green needs two listeners, or two rules, each with a target group of its own";
        resolver.add(source.finding(&said.stage_listener.text.place, message).hint(hint));
    }
    let target_container = optional(&said.target_container, |container| resolver.later(source, names, container));
    let target_port = optional(&said.target_port, |port| resolver.now(source, names, port));
    let (prod_rule, stage_rule) = rules?.unzip();
    Some(WantedPair {
        load_balancer: load_balancer?,
        prod_listener: prod_listener?,
        stage_listener: stage_listener?,
        prod_rule,
        stage_rule,
        target_container: target_container?,
        target_port: target_port?,
    })
}

fn registry(said: &RegistryDocument, of: &Said<'_>, resolver: &mut Resolver) -> Option<ServiceRegistry> {
    let Said { source, placeholders, .. } = of;
    // As in the reference, the container may be named by the placeholder that stands for it.
    let mut names = of.names.clone();
    match &placeholders.container {
        Some(container) => names.set("CONTAINER_NAME", container),
        None => names.leave_open("CONTAINER_NAME"),
    }
    let registry_arn = resolver.later(source, &names, &said.registry_arn);
    let container_name = optional(&said.container_name, |name| resolver.later(source, &names, name));
    let container_port = optional(&said.container_port, |port| resolver.now(source, &names, port));
    let port = optional(&said.port, |port| resolver.now(source, &names, port));
    let container_port = container_port?;
    let container_name = match (container_name?, container_port) {
        (None, Some(_)) => Some(placeholders.container.clone()?),
        (named, _) => named,
    };
    Some(ServiceRegistry { registry_arn: registry_arn?, container_name, container_port, port: port? })
}

/// A field that may be left away: `Some(None)` then.
pub(super) fn optional<T, V>(field: &Option<T>, read: impl FnOnce(&T) -> Option<V>) -> Option<Option<V>> {
    match field {
        Some(field) => read(field).map(Some),
        None => Some(None),
    }
}

fn line(
    said: &VersionDocument,
    documents: &Documents,
    source: &Source,
    names: &Names,
    resolver: &mut Resolver,
) -> Option<String> {
    let Some(template) = &said.service_name else { return super::draft::family(documents) };
    let name = family(&resolver.now(source, names, template)?);
    if name.len() > FAMILY {
        let message = format!("the service name has {} characters; at most {FAMILY} leave room for the revision", name.len());
        resolver.add(source.finding(&template.text.place, message));
        return None;
    }
    Some(name)
}
