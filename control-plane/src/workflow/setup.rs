//! *ECS Blue Green Load Balancer Setup*: the step that carries ECS's documents.

use domain::{
    manifest::{DesiredCountDocument, Manifest, Service, SetupDocument, Source},
    names::family,
    step::{DesiredCount, LoadBalancerSetup},
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

/// The setup step, and the family of the line.
pub(super) fn setup(
    said: &SetupDocument,
    documents: &Documents,
    source: &Source,
    names: &Names,
    placeholders: &Placeholders,
    resolver: &mut Resolver,
) -> Option<LoadBalancerSetup> {
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
    let load_balancer = resolver.later(source, names, &said.load_balancer);
    let prod_listener = resolver.later(source, names, &said.prod_listener);
    let stage_listener = resolver.later(source, names, &said.stage_listener);
    if let (Some(prod), Some(stage)) = (&prod_listener, &stage_listener)
        && prod == stage
    {
        let message = format!("prod and stage listener are the same: {stage}");
        let hint = "blue/green needs two listeners, each with a target group of its own";
        resolver.add(source.finding(&said.stage_listener.text.place, message).hint(hint));
    }
    let role = optional(&said.role, |role| resolver.later(source, names, role));
    let target_container = optional(&said.target_container, |container| resolver.later(source, names, container));
    let target_port = optional(&said.target_port, |port| resolver.now(source, names, port));
    let steady = match &said.steady_state_timeout {
        Some(minutes) => resolver.now(source, names, minutes),
        None => Some(STEADY_MINUTES),
    };
    let (task_definition, service_definition) = ecs?;
    Some(LoadBalancerSetup {
        family: family?,
        image: placeholders.image.clone()?,
        container_name: placeholders.container.clone()?,
        task_definition,
        service_definition,
        desired: desired?,
        load_balancer: load_balancer?,
        prod_listener: prod_listener?,
        stage_listener: stage_listener?,
        role: role?,
        target_container: target_container?,
        target_port: target_port?,
        steady_state_timeout_minutes: steady?,
    })
}

/// A field that may be left away: `Some(None)` then.
pub(super) fn optional<T, V>(field: &Option<T>, read: impl FnOnce(&T) -> Option<V>) -> Option<Option<V>> {
    match field {
        Some(field) => read(field).map(Some),
        None => Some(None),
    }
}

fn line(said: &SetupDocument, documents: &Documents, source: &Source, names: &Names, resolver: &mut Resolver) -> Option<String> {
    let Some(template) = &said.service_name else { return super::draft::family(documents) };
    let name = family(&resolver.now(source, names, template)?);
    if name.len() > FAMILY {
        let message = format!("the service name has {} characters; at most {FAMILY} leave room for the revision", name.len());
        resolver.add(source.finding(&template.text.place, message));
        return None;
    }
    Some(name)
}
