//! From a request to a plan.

use std::sync::Arc;

use domain::{
    ids::DeploymentId,
    limits::CHECKPOINT_BYTES,
    manifest::{Diagnostic, Kind, Located, Manifest, tag_problem},
};
use engine::Plan;

use super::{
    draft::{Documents, Draft, Start, draft, missing_reference},
    request::StartRequest,
    resolver::Resolver,
    resources::Resources,
};

/// The plan is one value of the store, with a little around it.
const PLAN_BYTES: usize = CHECKPOINT_BYTES - 1024;

/// The plan of a deployment.
///
/// # Errors
/// Everything that is wrong with the request or with the documents it leads to.
pub fn compile(known: &Resources, request: &StartRequest, deployment: DeploymentId) -> Result<Plan, Vec<Diagnostic>> {
    let application = application_of(known, &request.application).map_err(|finding| vec![*finding])?;
    let Some(manifest) = known.get(Kind::Workflow, &application, &request.workflow) else {
        let (message, hint) = known.missing(Kind::Workflow, &application, &request.workflow);
        return Err(vec![Diagnostic::of_request("workflow", message).hint(hint)]);
    };
    let mut resolver = Resolver::default();
    if let Some(wrong) = tag_problem(&request.tag) {
        resolver.add(Diagnostic::of_request("artifactTag", wrong.message).maybe_hint(wrong.hint));
    }
    let documents = documents(known, &manifest, &mut resolver);
    let start = Start { tag: &request.tag, variables: &request.variables, triggered_by: &request.triggered_by, deployment };
    let drafted = draft(&documents, Some(&start), &mut resolver);
    if !resolver.is_clean() {
        return Err(resolver.into_findings());
    }
    let whole = drafted.zip(documents.service.as_ref()).zip(documents.environment.as_ref());
    let Some(((Draft { infrastructure, line, image, steps }, service), environment)) = whole else {
        // Nothing is wrong and yet something is not known: that would be a mistake of ours, not of the person's.
        return Err(vec![manifest.source.finding(&manifest.name_place, "the workflow can't be planned")]);
    };
    let plan = Plan {
        deployment,
        application,
        workflow: manifest.key.name.clone(),
        service: service.key.name.clone(),
        environment: environment.key.name.clone(),
        infrastructure_name: infrastructure.name.clone(),
        infrastructure,
        line,
        image,
        tag: request.tag.clone(),
        triggered_by: request.triggered_by.clone(),
        rolls_back: None,
        steps,
    };
    check(&plan, &manifest)?;
    Ok(plan)
}

/// The documents that a workflow names; what is not there is noted.
pub(super) fn documents(known: &Resources, manifest: &Arc<Manifest>, resolver: &mut Resolver) -> Documents {
    let application = manifest.key.application.as_str();
    let mut documents = Documents { workflow: Some(Arc::clone(manifest)), ..Documents::of(application) };
    let Some(workflow) = manifest.workflow() else { return documents };
    let mut named = |kind: Kind, name: &Located<String>| {
        if let Some(finding) = missing_reference(known, manifest, kind, name) {
            resolver.add(finding);
        }
        known.get(kind, application, &name.value)
    };
    documents.service = named(Kind::Service, &workflow.service);
    documents.environment = named(Kind::Environment, &workflow.environment);
    documents.infrastructure = named(Kind::Infrastructure, &workflow.infrastructure);
    let belongs_to = documents.infrastructure().and_then(|(_, said)| said.environment.clone());
    if let Some(belongs_to) = belongs_to
        && belongs_to.value != workflow.environment.value
    {
        let message = format!(
            "infrastructure {} belongs to environment {}, not to {}",
            workflow.infrastructure.value, belongs_to.value, workflow.environment.value
        );
        resolver.add(manifest.source.finding(&workflow.infrastructure.place, message));
    }
    documents
}

/// The application that is meant: the named one, or the only one.
pub(super) fn application_of(known: &Resources, name: &str) -> Result<String, Box<Diagnostic>> {
    if !name.is_empty() {
        if known.get(Kind::Application, "", name).is_some() {
            return Ok(name.to_owned());
        }
        let (message, hint) = known.missing(Kind::Application, "", name);
        return Err(Box::new(Diagnostic::of_request("application", message).hint(hint)));
    }
    let names: Vec<&str> = known.names(Kind::Application, "").collect();
    match names[..] {
        [only] => Ok(only.to_owned()),
        [] => {
            Err(Box::new(Diagnostic::of_request("application", "there is no application yet").hint("apply the documents first")))
        }
        _ => {
            let message = "there are several applications: say which";
            Err(Box::new(Diagnostic::of_request("application", message).hint(format!("known: {}", names.join(", ")))))
        }
    }
}

/// What only the whole plan shows.
fn check(plan: &Plan, manifest: &Manifest) -> Result<(), Vec<Diagnostic>> {
    let wrong = |message: String| vec![manifest.source.finding(&manifest.name_place, message)];
    plan.validate().map_err(|invalid| wrong(invalid.to_string()))?;
    let bytes = serde_json::to_vec(plan).map_err(|error| wrong(error.to_string()))?.len();
    if bytes > PLAN_BYTES {
        let message = format!("the plan has {bytes} bytes; at most {PLAN_BYTES} are kept");
        let finding = manifest.source.finding(&manifest.name_place, message);
        return Err(vec![finding.hint("make the task definition smaller, or the steps fewer")]);
    }
    Ok(())
}
