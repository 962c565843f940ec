//! Documents for the tests, and their findings as lines.

use std::collections::BTreeMap;

use domain::{
    ids::DeploymentId,
    manifest::{Diagnostic, Manifest, Parsed, parse},
};
use engine::Plan;

use crate::workflow::{Resources, StartRequest, compile};

/// The documents of `deploy/examples/todolist`, by file.
pub(super) const EXAMPLES: [(&str, &str); 5] = [
    ("application.yaml", include_str!("../../../../deploy/examples/todolist/application.yaml")),
    ("environment.yaml", include_str!("../../../../deploy/examples/todolist/environment.yaml")),
    ("infrastructure.yaml", include_str!("../../../../deploy/examples/todolist/infrastructure.yaml")),
    ("service.yaml", include_str!("../../../../deploy/examples/todolist/service.yaml")),
    ("workflow.yaml", include_str!("../../../../deploy/examples/todolist/workflow.yaml")),
];

/// The examples with texts replaced, each of which is there exactly once.
pub(super) fn documents(changes: &[(&str, &str)]) -> Vec<Manifest> {
    let mut files = EXAMPLES.map(|(file, text)| (file, text.to_owned()));
    for (old, new) in changes {
        let found: usize = files.iter().map(|(_, text)| text.matches(old).count()).sum();
        assert_eq!(found, 1, "{old:?} is in the examples {found} times");
        files.iter_mut().for_each(|(_, text)| *text = text.replace(old, new));
    }
    let mut manifests = Vec::new();
    for (file, text) in &files {
        let Parsed { manifests: read, diagnostics } = parse(file, text);
        assert!(diagnostics.is_empty(), "{}", lines(&diagnostics));
        manifests.extend(read);
    }
    manifests
}

pub(super) fn resources(changes: &[(&str, &str)]) -> Resources {
    let mut resources = Resources::new();
    documents(changes).into_iter().for_each(|manifest| resources.insert(manifest));
    resources
}

pub(super) fn request(variables: &[(&str, &str)]) -> StartRequest {
    StartRequest {
        application: "shop".into(),
        workflow: "todolist-blue-green".into(),
        tag: "4".into(),
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>(),
        triggered_by: "ada".into(),
    }
}

pub(super) fn id() -> DeploymentId {
    DeploymentId::new(uuid::Uuid::from_u128(7))
}

/// The plan of the examples with texts replaced and variables given.
pub(super) fn plan(changes: &[(&str, &str)], variables: &[(&str, &str)]) -> Plan {
    compile(&resources(changes), &request(variables), id()).unwrap_or_else(|wrong| panic!("{}", lines(&wrong)))
}

/// What is wrong with it, a line each.
pub(super) fn refused(changes: &[(&str, &str)], variables: &[(&str, &str)]) -> String {
    lines(&compile(&resources(changes), &request(variables), id()).expect_err("something is wrong"))
}

pub(super) fn lines(findings: &[Diagnostic]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
