//! What documents say about failures.

use super::fixture::{SETUP, only, workflow, wrong};
use crate::{
    failure::FailureKind,
    retry::RetryPolicy,
    strategy::{FailureAction, FailureStrategy},
};

const ASKS: &str = "- note: a
  failureStrategies:
    - on: [verification, timeout]
      action: retry
      retry: {count: 2, intervals: [10s]}
      then: {action: manualIntervention, timeout: 30m, then: abort}
    - action: ignore
";

#[test]
fn a_chain_of_actions_is_read() {
    let manifest = only(&workflow(ASKS));
    let read = &manifest.workflow().expect("a workflow").phases[0].steps[0].failure_strategies;
    let asks = FailureAction::ManualIntervention { timeout_seconds: 1_800, then: Box::new(FailureAction::Abort) };
    let retry = FailureAction::Retry { policy: RetryPolicy { delays_ms: vec![10_000, 10_000] }, then: Box::new(asks) };
    let expected = [
        FailureStrategy { on: vec![FailureKind::Verification, FailureKind::Timeout], action: retry },
        FailureStrategy { on: Vec::new(), action: FailureAction::Ignore },
    ];
    assert_eq!(read, &expected);
}

#[test]
fn phases_and_workflows_have_strategies_too() {
    let text = workflow(SETUP).replace("  phases:", "  failureStrategies:\n    - action: fail\n  phases:");
    let manifest = only(&text);
    let workflow = manifest.workflow().expect("a workflow");
    assert_eq!(workflow.failure_strategies, [FailureStrategy { on: Vec::new(), action: FailureAction::Fail }]);
    assert!(workflow.phases[0].failure_strategies.is_empty());
}

#[test]
fn what_cannot_be_meant_is_told() {
    let says = |strategies: &str| {
        let text = workflow(&format!("- note: a\n  failureStrategies:\n{strategies}"));
        let found = wrong(&text);
        found.lines().map(|line| line.split_once(".failureStrategies").expect("a place").1.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        says("    - action: rolback\n"),
        ["[0].action: \"rolback\" is nothing that can be done about a failure (did you mean rollback?)"]
    );
    assert_eq!(
        says("    - {on: [timeouts], action: abort}\n"),
        ["[0].on[0]: \"timeouts\" is no kind of failure (did you mean timeout?)"]
    );
    assert_eq!(says("    - {action: abort, timeout: 5m}\n"), ["[0].timeout: abort has no use for \"timeout\""]);
    assert_eq!(
        says("    - {action: retry, then: retry}\n"),
        ["[0].then: retries can't follow retries or a wait for a person (raise \"count\" instead)"]
    );
    assert_eq!(
        says("    - action: abort\n    - action: ignore\n"),
        ["[1]: this strategy is never reached: the one before it speaks of every kind of failure"]
    );
    let setup = SETUP.trim_end().to_owned() + "\n  failureStrategies:\n    - action: ignore\n";
    assert!(
        wrong(&workflow(&setup)).contains("a step that changes something can't be passed over"),
        "{}",
        wrong(&workflow(&setup))
    );
}
