//! Which of several values a variable has.

use domain::step::StepAction;

use super::fixture::{plan, refused};

/// The value of the variable GREETING in the task definition.
fn greeting(changes: &[(&str, &str)], variables: &[(&str, &str)]) -> String {
    let plan = plan(changes, variables);
    let StepAction::BlueGreenLoadBalancerSetup(setup) = &plan.steps[0].action else { panic!("the setup is first") };
    setup.version.task_definition["containerDefinitions"][0]["environment"][0]["value"].as_str().expect("text").to_owned()
}

#[test]
fn the_nearest_value_wins() {
    let service_only = ("    services:\n      todolist:\n        GREETING: Hello from production\n", "");
    let for_all = ("      LOG_LEVEL: info\n", "      LOG_LEVEL: info\n      GREETING: all\n");
    let workflow = ("  variables:\n    DesiredInstances:", "  variables:\n    GREETING: workflow\n    DesiredInstances:");
    assert_eq!(greeting(&[service_only], &[]), "Hello");
    assert_eq!(greeting(&[service_only, for_all], &[]), "all");
    assert_eq!(greeting(&[for_all], &[]), "Hello from production");
    assert_eq!(greeting(&[for_all, workflow], &[]), "workflow");
    assert_eq!(greeting(&[for_all, workflow], &[("GREETING", "given")]), "given");
    assert_eq!(greeting(&[], &[("GREETING", "given")]), "given");
}

#[test]
fn an_override_for_another_service_does_not_count() {
    let other = ("      todolist:\n        GREETING", "      other:\n        GREETING");
    assert_eq!(greeting(&[other], &[]), "Hello");
}

#[test]
fn values_may_use_names_and_given_ones_are_texts() {
    let value = (
        "        GREETING: Hello from production",
        "        GREETING: ${service.name} in ${env.type} by ${deployment.triggeredBy}",
    );
    assert_eq!(greeting(&[value], &[]), "todolist in production by ada");
    // The delegate resolves once more, and then it is what was given.
    assert_eq!(greeting(&[], &[("GREETING", "${HOME} $$")]), "$${HOME} $$");
    let secret = ("        GREETING: Hello from production", "        GREETING: pg://${secrets.db}");
    assert_eq!(greeting(&[secret], &[]), "pg://${secrets.db}");
    let other = ("        GREETING: Hello from production", "        GREETING: ${service.variables.LOG_LEVEL}");
    assert!(
        refused(&[other], &[])
            .starts_with("environment.yaml:13:19 spec.overrides.services.todolist.GREETING: unknown expression")
    );
}

#[test]
fn variables_that_are_given_are_known_and_those_that_are_required_are_given() {
    assert_eq!(
        refused(&[], &[("DesiredInstnces", "1")]),
        "variables.DesiredInstnces: neither the workflow nor its service has a variable \"DesiredInstnces\" (did you mean \
         DesiredInstances?)"
    );
    let required = ("      default: 100%\n", "      required: true\n");
    assert_eq!(
        refused(&[required], &[]),
        "workflow.yaml:14:5 spec.variables.DesiredInstances: variable DesiredInstances has to be given: How many tasks to run, as a \
         count or a percentage of the setup's desired count (--var DesiredInstances=...)"
    );
    let StepAction::UpgradeContainers(upgrade) = &plan(&[required], &[("DesiredInstances", "50%")]).steps[1].action else {
        panic!("the upgrade is second")
    };
    assert_eq!(upgrade.desired, "50%");
    assert_eq!(
        refused(&[], &[("DesiredInstances", "all")]),
        "workflow.yaml:29:22 spec.phases[0].steps[1].upgradeContainers.desired: \"all\" is not a number of instances (from \
         ${workflow.variables.DesiredInstances}) (a count (3), or a percentage of the setup's desired count (50%))"
    );
}
