//! Documents for the tests, and their findings as lines.

use crate::manifest::{Manifest, Parsed, parse};

/// What is wrong with a file, a line each.
pub(super) fn wrong(text: &str) -> String {
    let Parsed { diagnostics, .. } = parse("f.yaml", text);
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The only document of a file in which nothing is wrong.
pub(super) fn only(text: &str) -> Manifest {
    let Parsed { mut manifests, diagnostics } = parse("f.yaml", text);
    assert!(diagnostics.is_empty(), "{}", diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    assert_eq!(manifests.len(), 1);
    manifests.remove(0)
}

/// A workflow with these steps, each line indented by eight.
pub(super) fn workflow(steps: &str) -> String {
    let steps: String = steps.lines().map(|line| format!("        {line}\n")).collect();
    format!(
        "kind: Workflow\nname: deploy\napplication: shop\nspec:\n  type: blueGreen\n  switch: loadBalancer\n  service: todolist\n  \
         environment: prod\n  infrastructure: prod-ecs\n  phases:\n    - name: Phase 1\n      steps:\n{steps}"
    )
}

/// A service with this task definition, each line indented by four.
pub(super) fn service(task_definition: &str) -> String {
    let lines: String = task_definition.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "kind: Service\nname: todolist\napplication: shop\nspec:\n  image: harness/todolist-sample\n  taskDefinition:\n{lines}"
    )
}

/// The lines of a setup that is right.
pub(super) const SETUP: &str =
    "- blueGreenLoadBalancerSetup:\n    loadBalancer: docs-example\n    prodListener: 80\n    stageListener: 8080\n";
