//! The examples that are handed out are right.

use crate::manifest::{Body, Kind, Parsed, parse};

/// The documents of `deploy/examples/todolist`, by file.
const EXAMPLES: [(&str, &str); 5] = [
    ("application.yaml", include_str!("../../../../../deploy/examples/todolist/application.yaml")),
    ("environment.yaml", include_str!("../../../../../deploy/examples/todolist/environment.yaml")),
    ("infrastructure.yaml", include_str!("../../../../../deploy/examples/todolist/infrastructure.yaml")),
    ("service.yaml", include_str!("../../../../../deploy/examples/todolist/service.yaml")),
    ("workflow.yaml", include_str!("../../../../../deploy/examples/todolist/workflow.yaml")),
];

#[test]
fn every_example_is_read_without_a_finding() {
    let mut kinds = Vec::new();
    for (file, text) in EXAMPLES {
        let Parsed { manifests, diagnostics } = parse(file, text);
        assert!(diagnostics.is_empty(), "{}", diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        kinds.extend(manifests.iter().map(|manifest| manifest.key.kind));
    }
    kinds.sort();
    assert_eq!(kinds, Kind::ALL);
}

#[test]
fn the_same_documents_in_one_file_are_the_same() {
    let one: String = EXAMPLES.iter().map(|(_, text)| format!("---\n{text}")).collect();
    let Parsed { manifests, diagnostics } = parse("all.yaml", &one);
    assert!(diagnostics.is_empty());
    assert_eq!(manifests.len(), EXAMPLES.len());
    let Body::Workflow(workflow) = &manifests[4].body else { panic!("the workflow is last") };
    let names: Vec<&str> = workflow.phases[0].steps.iter().map(|step| step.name.as_str()).collect();
    let expected = ["ECS Blue Green Load Balancer Setup", "Upgrade Containers", "HTTP Check", "Swap Target Groups", "Note"];
    assert_eq!(names, expected);
}

#[test]
fn a_stored_document_reads_back_as_it_was() {
    for (file, text) in EXAMPLES {
        let manifest = &parse(file, &format!("# several\n---\n{text}")).manifests[0];
        let again = crate::manifest::parse_one(&manifest.key.to_string(), manifest.text()).expect("nothing is wrong");
        assert_eq!((&again.key, again.text()), (&manifest.key, manifest.text()));
    }
}
