//! What is found when documents are applied.

use domain::manifest::{Kind, Manifest, Parsed, parse};

use super::fixture::{documents, lines, resources};
use crate::workflow::{Resources, check_documents};

fn found(parsed: &[Manifest], stored: &Resources) -> String {
    lines(&check_documents(parsed, stored))
}

/// Only the documents of a kind.
fn only(kind: Kind, changes: &[(&str, &str)]) -> Vec<Manifest> {
    documents(changes).into_iter().filter(|manifest| manifest.key.kind == kind).collect()
}

#[test]
fn the_examples_are_right_at_once_and_one_by_one() {
    assert_eq!(found(&documents(&[]), &Resources::new()), "");
    for kind in Kind::ALL {
        assert_eq!(found(&only(kind, &[]), &resources(&[])), "", "{kind}");
    }
}

#[test]
fn documents_refer_to_what_is_there() {
    assert_eq!(
        found(&only(Kind::Workflow, &[]), &Resources::new()),
        "workflow.yaml:5:14 application: there is no application \"shop\" (there is none yet: apply one with kind: Application)
workflow.yaml:9:12 spec.service: there is no service \"todolist\" in application \"shop\" (there is none yet: apply one with kind: \
         Service)
workflow.yaml:10:16 spec.environment: there is no environment \"prod\" in application \"shop\" (there is none yet: apply one with \
         kind: Environment)
workflow.yaml:11:19 spec.infrastructure: there is no infrastructure \"prod-ecs\" in application \"shop\" (there is none yet: apply \
         one with kind: Infrastructure)"
    );
    let changes = [("  service: todolist\n", "  service: todolst\n"), ("      todolist:\n", "      todolists:\n")];
    assert_eq!(
        found(&documents(&changes), &Resources::new()),
        "environment.yaml:12:7 spec.overrides.services.todolists: there is no service \"todolists\" in application \"shop\" (did you \
         mean todolist?)
workflow.yaml:9:12 spec.service: there is no service \"todolst\" in application \"shop\" (did you mean todolist?)"
    );
    let staging = parse("staging.yaml", "kind: Environment\nname: staging\napplication: shop\nspec: {type: nonProduction}\n");
    let mut all = documents(&[("  environment: prod\n  region", "  environment: staging\n  region")]);
    all.extend(staging.manifests);
    assert_eq!(
        found(&all, &Resources::new()),
        "workflow.yaml:11:19 spec.infrastructure: infrastructure prod-ecs belongs to environment staging, not to prod"
    );
}

#[test]
fn one_apply_says_one_thing_of_each_document() {
    let Parsed { manifests, .. } = parse("a.yaml", "kind: Application\nname: shop\n---\nkind: Application\nname: shop\n");
    assert_eq!(
        found(&manifests, &Resources::new()),
        "a.yaml:5:7 name: application shop is there twice (the other one: a.yaml:2:7)"
    );
}

#[test]
fn expressions_are_checked_before_any_deployment() {
    let changes = [
        ("desired: ${workflow.variables.DesiredInstances}", "desired: ${workflow.variables.DesiredInstance}"),
        ("${service.variables.GREETING}", "${service.variables.GRETING}"),
        ("cluster: docs-ecs", "cluster: ${env.nme}"),
    ];
    let all = found(&documents(&changes), &Resources::new());
    let expected = [
        "infrastructure.yaml:8:12 spec.cluster: unknown expression ${env.nme} (did you mean ${env.name}?)",
        "service.yaml:27:45 spec.taskDefinition.containerDefinitions[0].environment[0].value: unknown expression \
         ${service.variables.GRETING} (did you mean ${service.variables.GREETING}?)",
        "workflow.yaml:29:22 spec.phases[0].steps[1].upgradeContainers.desired: unknown expression ${workflow.variables.DesiredInstance} \
         (did you mean ${workflow.variables.DesiredInstances}?)",
    ];
    assert_eq!(all, expected.join("\n"));
    // Alone too, where it can be known.
    assert_eq!(found(&only(Kind::Service, &changes[1..2]), &resources(&[])), expected[1]);
}

#[test]
fn a_service_alone_may_use_what_workflows_and_environments_bring() {
    let changes =
        [("${service.variables.GREETING}", "${service.variables.FROM_ENV} ${workflow.variables.Any} ${artifact.image}")];
    let env = [("      LOG_LEVEL: info\n", "      FROM_ENV: here\n")];
    assert_eq!(found(&only(Kind::Service, &changes), &resources(&env)), "");
    assert!(found(&only(Kind::Service, &changes), &resources(&[])).contains("unknown expression ${service.variables.FROM_ENV}"));
}

#[test]
fn defaults_that_do_not_fit_are_found() {
    assert_eq!(
        found(&documents(&[("      default: 100%\n", "      default: lots\n")]), &Resources::new()),
        "workflow.yaml:29:22 spec.phases[0].steps[1].upgradeContainers.desired: \"lots\" is not a number of instances (from \
         ${workflow.variables.DesiredInstances}) (a count (3), or a percentage of the setup's desired count (50%))"
    );
    // What has to be given can't be judged yet.
    assert_eq!(found(&documents(&[("      default: 100%\n", "      required: true\n")]), &Resources::new()), "");
}
