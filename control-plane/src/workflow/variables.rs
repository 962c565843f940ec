//! Variables, and which of several values one has. From high to low: given at the start, the workflow, the environment for the
//! one service, the environment for all, the service.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    manifest::{Diagnostic, Environment, FreeText, Manifest, Source, Template, Variable, Variables},
    suggestion::nearest,
};

use super::{
    draft::{Documents, Start},
    names::{Names, Resolved},
    resolver::Resolver,
};

/// What a variable is.
#[derive(Clone)]
enum Value {
    /// This text.
    Plain(String),
    /// A text with expressions that the delegate replaces.
    ForDelegate(String),
    /// Not known yet.
    Open,
}

/// Makes the variables known to `names`, which knows everything that variables may use.
pub(super) fn variables(documents: &Documents, start: Option<&Start<'_>>, names: &mut Names, resolver: &mut Resolver) {
    let base = names.clone();
    let given = |name: &str| start.and_then(|start| start.variables.get(name)).map(|value| Value::Plain(value.clone()));
    let mut of_workflow: BTreeMap<String, Value> = BTreeMap::new();
    match documents.workflow() {
        Some((manifest, workflow)) => {
            for variable in &workflow.variables {
                // The default is checked even when a value is given.
                let default = variable.default.as_ref().map(|text| value(&manifest.source, &base, text, resolver));
                let name = &variable.name.value;
                let value = given(name).or(default).unwrap_or_else(|| missing(manifest, variable, start, resolver));
                of_workflow.insert(name.clone(), value);
            }
        }
        None => names.leave_open_all("workflow.variables."),
    }
    for (name, value) in &of_workflow {
        define(names, &format!("workflow.variables.{name}"), value);
    }
    let mut of_service: BTreeMap<String, Value> = BTreeMap::new();
    for (source, layer) in layers(documents) {
        for (name, text) in layer {
            of_service.insert(name.clone(), value(source, &base, text, resolver));
        }
    }
    if documents.service.is_none() {
        names.leave_open_all("service.variables.");
    }
    for (name, value) in &of_service {
        let above = given(name).or_else(|| of_workflow.get(name).cloned());
        define(names, &format!("service.variables.{name}"), above.as_ref().unwrap_or(value));
    }
    if documents.environment.is_none() {
        // Any environment of the application may add to what the service says.
        for name in &documents.overridden {
            names.leave_open(&format!("service.variables.{name}"));
        }
    }
    if let Some(start) = start {
        let known: BTreeSet<&str> = of_workflow.keys().chain(of_service.keys()).map(String::as_str).collect();
        for name in start.variables.keys().filter(|name| !known.contains(name.as_str())) {
            resolver.add(unknown(name, &known));
        }
    }
}

/// The service's variables and what the environment says over them, the weakest first.
fn layers(documents: &Documents) -> Vec<(&Source, &Variables)> {
    let mut layers = Vec::new();
    if let Some((manifest, service)) = documents.service() {
        layers.push((&manifest.source, &service.variables));
    }
    if let Some((manifest, environment)) = documents.environment() {
        layers.push((&manifest.source, &environment.all));
        let own = environment
            .services
            .iter()
            .filter(|(name, _)| documents.service.as_ref().is_some_and(|service| service.key.name == name.value));
        layers.extend(own.map(|(_, variables)| (&manifest.source, variables)));
    }
    layers
}

/// The names that an environment gives a value for a service.
pub(super) fn overridden<'a>(environment: &'a Environment, service: &'a str) -> impl Iterator<Item = &'a str> {
    let own =
        environment.services.iter().filter(move |(name, _)| name.value == service).flat_map(|(_, variables)| variables.keys());
    environment.all.keys().chain(own).map(String::as_str)
}

fn value(source: &Source, base: &Names, text: &Template<FreeText>, resolver: &mut Resolver) -> Value {
    let waits = base.waits_for_delegate(&text.text.value);
    if waits {
        return resolver.later(source, base, text).map_or(Value::Open, Value::ForDelegate);
    }
    match base.now(&text.text.value) {
        Ok(Resolved::Known(value)) => Value::Plain(value),
        Ok(Resolved::Open) => Value::Open,
        Err(_) => {
            // Notes what is wrong.
            resolver.now(source, base, text);
            Value::Open
        }
    }
}

/// A variable without default that was not given.
fn missing(manifest: &Manifest, variable: &Variable, start: Option<&Start<'_>>, resolver: &mut Resolver) -> Value {
    if !variable.required {
        return Value::Plain(String::new());
    }
    if start.is_some() {
        let name = &variable.name.value;
        let message = match &variable.description {
            Some(words) => format!("variable {name} has to be given: {words}"),
            None => format!("variable {name} has to be given"),
        };
        let finding = manifest.source.finding(&variable.name.place, message);
        resolver.add(finding.hint(format!("--var {name}=...")));
    }
    Value::Open
}

fn unknown(name: &str, known: &BTreeSet<&str>) -> Diagnostic {
    let cut: String = name.chars().take(80).collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None if known.is_empty() => "the workflow and its service have no variables".to_owned(),
        None => format!("known: {}", known.iter().copied().collect::<Vec<_>>().join(", ")),
    };
    let message = format!("neither the workflow nor its service has a variable {cut:?}");
    Diagnostic::of_request(format!("variables.{cut}"), message).hint(hint)
}

fn define(names: &mut Names, name: &str, value: &Value) {
    match value {
        Value::Plain(text) => names.set(name, text),
        Value::ForDelegate(text) => names.set_for_delegate(name, text),
        Value::Open => names.leave_open(name),
    }
}
