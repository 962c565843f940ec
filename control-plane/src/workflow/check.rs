//! What can be found wrong when documents are applied: together with what is stored already, and before any deployment.

use std::{collections::BTreeMap, sync::Arc};

use domain::manifest::{Body, Diagnostic, Environment, Kind, Manifest, ResourceKey};

use super::{
    compile,
    draft::{Documents, draft, missing_reference},
    resolver::Resolver,
    resources::Resources,
    variables::overridden,
};

/// Everything that is wrong with the documents of one apply. `stored` is what is known before it.
pub fn check_documents(parsed: &[Manifest], stored: &Resources) -> Vec<Diagnostic> {
    let mut resolver = Resolver::default();
    let mut known = stored.clone();
    let mut seen: BTreeMap<&ResourceKey, &Manifest> = BTreeMap::new();
    for manifest in parsed {
        known.insert(manifest.clone());
        if let Some(first) = seen.insert(&manifest.key, manifest) {
            let message = format!("{} is there twice", manifest.key);
            let at = first.source.finding(&first.name_place, "");
            let hint = format!("the other one: {}:{}:{}", at.file, at.line, at.column);
            resolver.add(manifest.source.finding(&manifest.name_place, message).hint(hint));
        }
    }
    for manifest in parsed {
        application(manifest, &known, &mut resolver);
        for documents in documents(&Arc::new(manifest.clone()), &known, &mut resolver) {
            draft(&documents, None, &mut resolver);
        }
    }
    resolver.into_findings()
}

fn application(manifest: &Manifest, known: &Resources, resolver: &mut Resolver) {
    let name = &manifest.key.application;
    if manifest.key.kind != Kind::Application && known.get(Kind::Application, "", name).is_none() {
        let (message, hint) = known.missing(Kind::Application, "", name);
        resolver.add(manifest.source.finding(&manifest.application_place, message).hint(hint));
    }
}

/// What a document is looked at together with. What it names and is not there is noted.
fn documents(manifest: &Arc<Manifest>, known: &Resources, resolver: &mut Resolver) -> Vec<Documents> {
    let mut documents = Documents::of(&manifest.key.application);
    match &manifest.body {
        Body::Application(_) => return Vec::new(),
        Body::Workflow(_) => documents = compile::documents(known, manifest, resolver),
        Body::Service(_) => {
            documents.overridden = overridden_anywhere(manifest, known);
            documents.service = Some(Arc::clone(manifest));
        }
        Body::Environment(said) => return with_each_service(manifest, said, known, resolver),
        Body::Infrastructure(said) => {
            if let Some(named) = &said.environment {
                let missing = missing_reference(known, manifest, Kind::Environment, named);
                missing.into_iter().for_each(|finding| resolver.add(finding));
                documents.environment = known.get(Kind::Environment, &manifest.key.application, &named.value);
            }
            documents.infrastructure = Some(Arc::clone(manifest));
        }
    }
    vec![documents]
}

/// The variables that any environment of the application gives a service.
fn overridden_anywhere(service: &Manifest, known: &Resources) -> Vec<String> {
    let application = &service.key.application;
    let names = known.names(Kind::Environment, application);
    let environments = names.filter_map(|name| known.get(Kind::Environment, application, name));
    let variables = |environment: Arc<Manifest>| -> Vec<String> {
        let said = environment.environment();
        said.map(|said| overridden(said, &service.key.name).map(str::to_owned).collect()).unwrap_or_default()
    };
    environments.flat_map(variables).collect()
}

/// An environment is looked at once for all services, and once for each that it names.
fn with_each_service(manifest: &Arc<Manifest>, said: &Environment, known: &Resources, resolver: &mut Resolver) -> Vec<Documents> {
    let application = &manifest.key.application;
    let mut all = vec![Documents { environment: Some(Arc::clone(manifest)), ..Documents::of(application) }];
    for (name, _) in &said.services {
        let missing = missing_reference(known, manifest, Kind::Service, name);
        missing.into_iter().for_each(|finding| resolver.add(finding));
        if let Some(service) = known.get(Kind::Service, application, &name.value) {
            let environment = Some(Arc::clone(manifest));
            all.push(Documents { environment, service: Some(service), ..Documents::of(application) });
        }
    }
    all
}
