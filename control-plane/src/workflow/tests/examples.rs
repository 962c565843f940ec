//! The examples beside the complete set: each is a workflow more for the same application, and makes a plan.

use domain::manifest::{Parsed, parse};

use super::fixture::{id, lines, request, resources};
use crate::workflow::{StartRequest, compile};

/// The names of the steps that the workflow in this text makes.
fn steps(text: &str) -> Vec<String> {
    let Parsed { mut manifests, diagnostics } = parse("workflow.yaml", text);
    assert!(diagnostics.is_empty(), "{}", lines(&diagnostics));
    let workflow = manifests.pop().expect("one document");
    let request = StartRequest { workflow: workflow.key.name.clone(), ..request(&[]) };
    let mut resources = resources(&[]);
    resources.insert(workflow);
    let plan = compile(&resources, &request, id()).unwrap_or_else(|wrong| panic!("{}", lines(&wrong)));
    plan.steps.into_iter().map(|step| step.name).collect()
}

#[test]
fn blue_green_by_dns() {
    let expected = [
        "ECS Blue Green Route 53 Setup",
        "Upgrade Containers",
        "Shift Traffic to 10 %",
        "Wait at 10 %",
        "Change Route 53 Weights",
    ];
    assert_eq!(steps(include_str!("../../../../deploy/examples/dns/workflow.yaml")), expected);
}

#[test]
fn share_by_share_through_rules() {
    let steps = steps(include_str!("../../../../deploy/examples/shift/workflow.yaml"));
    let expected = ["Shift Traffic to 5 %", "Wait at 5 %", "HTTP Check at 5 %", "Shift Traffic to 50 %"];
    assert_eq!(steps[3..7], expected);
    assert_eq!((steps.len(), steps[9].as_str()), (10, "Swap Target Groups"));
}

#[test]
fn everything_that_looks() {
    let steps = steps(include_str!("../../../../deploy/examples/verify/workflow.yaml"));
    for expected in ["Prometheus Check", "Shell Script", "Approval", "CloudWatch Alarms", "Notify"] {
        assert!(steps.iter().any(|step| step == expected), "{expected} in {steps:?}");
    }
}
