//! The one way that checks and plans go: from documents to steps, with everything known replaced and everything wrong noted.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    ids::DeploymentId,
    infrastructure::InfrastructureSpec,
    manifest::{Diagnostic, Environment, Image, Infrastructure, Kind, Located, Manifest, Service, Workflow, Written},
    names::{container_name, default_family},
};
use engine::PlannedStep;

use super::{
    infrastructure, names::Names, resolver::Resolver, resources::Resources, setup::Placeholders, steps, variables::variables,
};

/// The documents of one workflow, or of what is checked without one. What is missing is noted by the caller.
#[derive(Default)]
pub(super) struct Documents {
    pub(super) application: String,
    pub(super) workflow: Option<Arc<Manifest>>,
    pub(super) service: Option<Arc<Manifest>>,
    pub(super) environment: Option<Arc<Manifest>>,
    pub(super) infrastructure: Option<Arc<Manifest>>,
    /// Without an environment: the variables that any of the application's may give.
    pub(super) overridden: Vec<String>,
}

impl Documents {
    /// None yet.
    pub(super) fn of(application: &str) -> Self {
        Self { application: application.to_owned(), ..Self::default() }
    }

    pub(super) fn workflow(&self) -> Option<(&Manifest, &Workflow)> {
        self.workflow.as_deref().and_then(|manifest| Some((manifest, manifest.workflow()?)))
    }

    pub(super) fn service(&self) -> Option<(&Manifest, &Service)> {
        self.service.as_deref().and_then(|manifest| Some((manifest, manifest.service()?)))
    }

    pub(super) fn environment(&self) -> Option<(&Manifest, &Environment)> {
        self.environment.as_deref().and_then(|manifest| Some((manifest, manifest.environment()?)))
    }

    pub(super) fn infrastructure(&self) -> Option<(&Manifest, &Infrastructure)> {
        self.infrastructure.as_deref().and_then(|manifest| Some((manifest, manifest.infrastructure()?)))
    }
}

/// What is known once a deployment is started.
pub(super) struct Start<'a> {
    pub(super) tag: &'a str,
    pub(super) variables: &'a BTreeMap<String, String>,
    pub(super) triggered_by: &'a str,
    pub(super) deployment: DeploymentId,
}

/// What a plan is made of.
pub(super) struct Draft {
    pub(super) infrastructure: InfrastructureSpec,
    pub(super) line: String,
    pub(super) image: String,
    pub(super) steps: Vec<PlannedStep>,
}

/// Walks all of it. None: something is wrong and noted, or (without a start) not known yet.
pub(super) fn draft(documents: &Documents, start: Option<&Start<'_>>, resolver: &mut Resolver) -> Option<Draft> {
    let mut names = base(documents, start);
    variables(documents, start, &mut names, resolver);
    let infrastructure = match &documents.infrastructure {
        Some(manifest) => infrastructure::spec(manifest, &mut names, resolver),
        None => {
            names.leave_open("infra.cluster");
            None
        }
    };
    let image = image(documents, start, &names, resolver);
    match &image {
        Some(image) => names.set("artifact.image", image),
        None => names.leave_open("artifact.image"),
    }
    let role = match (documents.infrastructure(), &infrastructure) {
        (Some((_, said)), _) if said.execution_role.is_none() => Role::Missing,
        (_, Some(spec)) => spec.execution_role.clone().map_or(Role::Open, Role::Known),
        _ => Role::Open,
    };
    let placeholders = Placeholders { image: image.clone(), container: image.as_deref().map(container_name), role };
    let (line, steps) = match documents.workflow() {
        Some((manifest, workflow)) => steps::steps(documents, manifest, workflow, &names, &placeholders, resolver)?,
        None => {
            if let Some((manifest, service)) = documents.service() {
                placeholders.documents(manifest, service, &names, documents.infrastructure.as_deref(), resolver);
            }
            return None;
        }
    };
    Some(Draft { infrastructure: infrastructure?, line, image: image?, steps })
}

/// The execution role that `${EXECUTION_ROLE}` stands for.
pub(super) enum Role {
    Known(String),
    /// The infrastructure has none.
    Missing,
    Open,
}

/// Names that everything may use.
pub(super) fn base(documents: &Documents, start: Option<&Start<'_>>) -> Names {
    let mut names = Names::new();
    names.set("app.name", &documents.application);
    let mut name_of = |name: &str, manifest: &Option<Arc<Manifest>>| match manifest {
        Some(manifest) => names.set(name, &manifest.key.name),
        None => names.leave_open(name),
    };
    name_of("service.name", &documents.service);
    name_of("env.name", &documents.environment);
    name_of("infra.name", &documents.infrastructure);
    match documents.environment() {
        Some((_, environment)) => names.set("env.type", environment.kind.as_str()),
        None => names.leave_open("env.type"),
    }
    match start {
        Some(start) => {
            names.set("artifact.tag", start.tag);
            names.set("deployment.id", &start.deployment.to_string());
            names.set("deployment.triggeredBy", start.triggered_by);
        }
        None => ["artifact.tag", "deployment.id", "deployment.triggeredBy"].into_iter().for_each(|name| names.leave_open(name)),
    }
    names.explain("infra.cluster", "can't be used in a variable", "use it where the variable would be used");
    names.explain("artifact.image", "is made of the service's image, so it can't be used here", "${artifact.tag} can");
    for placeholder in Placeholders::NAMES {
        names.explain(
            placeholder,
            "stands only for something in a task definition or service definition",
            "${artifact.image} is the image everywhere else",
        );
    }
    names
}

/// The image with its tag.
fn image(documents: &Documents, start: Option<&Start<'_>>, names: &Names, resolver: &mut Resolver) -> Option<String> {
    let (manifest, service) = documents.service()?;
    let template = &service.image;
    if !service.image_names_tag() {
        let repository = resolver.now(&manifest.source, names, template)?;
        return start.map(|start| format!("{repository}:{}", start.tag));
    }
    // With the tag in the middle only the whole can be read: it has one, and it is the one that was given.
    let whole = resolver.now(&manifest.source, names, &template.as_text())?;
    let start = start?;
    let repository = whole.strip_suffix(start.tag).and_then(|front| front.strip_suffix(':'));
    let Some(repository) = repository else {
        let message = format!("{whole:?} does not end with \":\" and the tag {:?}", start.tag);
        let finding = manifest.source.finding(&template.text.place, message);
        resolver.add(finding.hint("write the repository alone, or ...:${artifact.tag}"));
        return None;
    };
    match Image::read(repository) {
        Ok(_) => Some(whole),
        Err(wrong) => {
            resolver.add(manifest.source.finding(&template.text.place, wrong.message).maybe_hint(wrong.hint));
            None
        }
    }
}

/// The finding for a document that another one names and that is not there.
pub(super) fn missing_reference(known: &Resources, from: &Manifest, kind: Kind, named: &Located<String>) -> Option<Diagnostic> {
    let application = &from.key.application;
    if known.get(kind, application, &named.value).is_some() {
        return None;
    }
    let (message, hint) = known.missing(kind, application, &named.value);
    Some(from.source.finding(&named.place, message).hint(hint))
}

/// The family of a service whose workflow names none.
pub(super) fn family(documents: &Documents) -> Option<String> {
    let (service, environment) = (documents.service.as_ref()?, documents.environment.as_ref()?);
    Some(default_family(&documents.application, &service.key.name, &environment.key.name))
}
