//! The infrastructure as delegates get it.

use std::sync::Arc;

use domain::{
    infrastructure::{AssumeRole, InfrastructureSpec},
    manifest::{Diagnostic, Kind, Manifest, Template, Words},
};

use super::{
    compile::application_of,
    draft::{Documents, base},
    names::Names,
    resolver::Resolver,
    resources::Resources,
    variables::variables,
};

/// An infrastructure, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The application.
    pub application: String,
    /// The environment; empty if the document names none.
    pub environment: String,
    /// The infrastructure as delegates get it.
    pub infrastructure: InfrastructureSpec,
}

/// The infrastructure of that name without a deployment, for discovery. An empty `application` means the only one there is.
///
/// # Errors
/// There is none, or it cannot be known without a deployment.
pub fn infrastructure(known: &Resources, application: &str, name: &str) -> Result<Placed, Vec<Diagnostic>> {
    let application = application_of(known, application).map_err(|finding| vec![*finding])?;
    let Some(manifest) = known.get(Kind::Infrastructure, &application, name) else {
        let (message, hint) = known.missing(Kind::Infrastructure, &application, name);
        return Err(vec![Diagnostic::of_request("infrastructure", message).hint(hint)]);
    };
    let named = manifest.infrastructure().and_then(|said| said.environment.as_ref());
    let environment_name = named.map(|named| named.value.clone()).unwrap_or_default();
    let environment = named.and_then(|named| known.get(Kind::Environment, &application, &named.value));
    let documents = Documents { environment, infrastructure: Some(Arc::clone(&manifest)), ..Documents::of(&application) };
    let mut resolver = Resolver::default();
    let mut names = base(&documents, None);
    variables(&documents, None, &mut names, &mut resolver);
    match spec(&manifest, &mut names, &mut resolver) {
        Some(infrastructure) if resolver.is_clean() => Ok(Placed { application, environment: environment_name, infrastructure }),
        _ if resolver.is_clean() => {
            let message = "it uses expressions that only a deployment can replace";
            let finding = manifest.source.finding(&manifest.name_place, message);
            Err(vec![finding.hint("without a deployment ${app.*}, ${env.*} and ${infra.name} are known")])
        }
        _ => Err(resolver.into_findings()),
    }
}

/// Resolves the infrastructure and makes `${infra.cluster}` known. None: something is wrong and noted, or still open.
pub(super) fn spec(manifest: &Manifest, names: &mut Names, resolver: &mut Resolver) -> Option<InfrastructureSpec> {
    let said = manifest.infrastructure()?;
    let source = &manifest.source;
    names.explain("infra.cluster", "can't be used in the infrastructure itself", "write the cluster out");
    let here = names.clone();
    let all = |list: &[Template<Words>], resolver: &mut Resolver| -> Option<Vec<String>> {
        // All are looked at, so that all findings are told.
        let all: Vec<_> = list.iter().map(|item| resolver.now(source, &here, item)).collect();
        all.into_iter().collect()
    };
    let one = |item: &Option<Template<Words>>, resolver: &mut Resolver| match item {
        Some(item) => resolver.now(source, &here, item).map(Some),
        None => Some(None),
    };
    let cluster = resolver.now(source, &here, &said.cluster);
    match &cluster {
        Some(cluster) => names.set("infra.cluster", cluster),
        None => names.leave_open("infra.cluster"),
    }
    let region = resolver.now(source, &here, &said.region);
    let (vpc, execution_role) = (one(&said.vpc, resolver), one(&said.execution_role, resolver));
    let (subnets, security_groups) = (all(&said.subnets, resolver), all(&said.security_groups, resolver));
    let delegate_selectors = all(&said.delegate_selectors, resolver);
    let assume_role = match &said.assume_role {
        Some(role) => {
            let arn = resolver.now(source, &here, &role.arn);
            let external_id = one(&role.external_id, resolver);
            arn.zip(external_id).map(|(arn, external_id)| Some(AssumeRole { arn, external_id }))
        }
        None => Some(None),
    };
    Some(InfrastructureSpec {
        name: manifest.key.name.clone(),
        region: region?,
        cluster: cluster?,
        launch_type: said.launch_type.as_ref().map(|launch_type| launch_type.value),
        vpc: vpc?,
        subnets: subnets?,
        security_groups: security_groups?,
        assign_public_ip: said.assign_public_ip,
        execution_role: execution_role?,
        assume_role: assume_role?,
        delegate_selectors: delegate_selectors?,
    })
}
