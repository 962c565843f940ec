//! The steps that look before a deployment goes on, from documents to the plan.

use domain::step::{Approval, Bound, CloudWatchAlarms, InsufficientData, Notify, Number, StepAction};

use super::fixture::{plan, refused};

const NOTE: &str = "        - note: ${steps.Swap Target Groups.liveService} serves production\n";

/// The planned step that takes the place of the examples' last one.
fn planned(step: &str) -> engine::PlannedStep {
    plan(&[(NOTE, &format!("        {step}\n"))], &[]).steps.pop().expect("a step")
}

fn wrong(step: &str) -> String {
    refused(&[(NOTE, &format!("        {step}\n"))], &[])
}

#[test]
fn an_approval_with_what_it_is_by_default() {
    let step = planned("- approval: {message: \"Is ${artifact.tag} good?\"}");
    let expected = Approval { message: "Is 4 good?".into(), approvers: Vec::new(), count: 1, timeout_seconds: 3_600 };
    assert_eq!((step.action, step.timeout_seconds), (StepAction::Approval(expected), 3_600));
    let step = planned("- approval: {message: Go?, approvers: [ann, \"${env.name}-lead\"], count: 2, timeout: 90s}");
    let StepAction::Approval(approval) = step.action else { panic!("an approval") };
    assert_eq!((approval.approvers, approval.count, step.timeout_seconds), (vec!["ann".into(), "prod-lead".into()], 2, 90));
}

#[test]
fn approvals_that_nobody_can_give() {
    let says = |fields: &str, expected: &str| {
        let found = wrong(&format!("- approval: {{message: Go?, {fields}}}"));
        assert!(found.starts_with("workflow.yaml:") && found.contains(expected), "{fields}: {found}");
    };
    says("count: 0", "an approval by nobody asks nobody");
    says("approvers: [ann, ann], count: 2", "2 different people have to approve, but only 1 may");
    says("timeout: 0s", "an approval that waits no time is never given");
}

#[test]
fn a_prometheus_check_with_what_it_is_by_default() {
    let step =
        planned("- prometheusCheck: {url: \"http://prom:9090\", query: up, below: 0.5, headers: {X-Org: \"${secrets.org}\"}}");
    let StepAction::PrometheusCheck(check) = step.action else { panic!("a check") };
    assert_eq!((check.hold_ms, check.interval_ms, check.within_ms, step.timeout_seconds), (60_000, 10_000, 300_000, 360));
    assert_eq!(check.headers["X-Org"], "${secrets.org}", "known to the delegate only");
    assert_eq!(check.bound, Bound::Below(Number::parse("0.5").expect("a number")));
}

#[test]
fn prometheus_checks_that_can_not_succeed() {
    let says = |fields: &str, expected: &str| {
        let found = wrong(&format!("- prometheusCheck: {{{fields}}}"));
        assert!(found.starts_with("workflow.yaml:") && found.contains(expected), "{fields}: {found}");
    };
    says("url: \"http://prom/?a=b\", query: up, below: 1", "without a question");
    says("url: \"http://prom\", query: \" \", below: 1", "the query is empty");
    says("url: \"http://prom\", query: up, below: 1, for: 10m", "longer than \"within\"");
    says("url: \"http://prom\", query: up, between: [5, 1]", "the smaller number comes first");
    says("url: \"http://prom\", query: up, below: 1, interval: 1ms", "at least 100 ms");
}

#[test]
fn alarms_scripts_and_notifications_with_what_they_are_by_default() {
    let step = planned("- cloudWatchAlarms: {alarms: [errors, \"${env.name}-latency\"]}");
    let expected = CloudWatchAlarms {
        alarms: vec!["errors".into(), "prod-latency".into()],
        hold_ms: 60_000,
        interval_ms: 15_000,
        insufficient_data: InsufficientData::Good,
    };
    assert_eq!(step.action, StepAction::CloudWatchAlarms(expected));

    let step =
        planned("- shellScript: {script: \"echo ${TAG} $$${X}\", env: {TAG: \"${artifact.tag}\", KEY: \"${secrets.key}\"}}");
    let env = [("KEY", "${secrets.key}"), ("TAG", "4")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let StepAction::ShellScript(script) = step.action.clone() else { panic!("a script") };
    assert_eq!((script.env.into_iter().collect::<Vec<_>>(), script.timeout_ms, script.idempotent), (env.into(), 600_000, false));
    // The delegate replaces expressions in everything: what the shell means is to come out of that as it was written.
    let scope = domain::expression::Scope::new();
    assert_eq!(domain::expression::resolve(&script.script, &scope).as_deref(), Ok("echo ${TAG} $$${X}"));

    let step = planned("- notify: {webhook: \"${secrets.hook}\", message: \"${artifact.tag} is live\"}");
    let expected = Notify { webhook: "${secrets.hook}".into(), message: "4 is live".into(), required: false };
    assert_eq!(step.action, StepAction::Notify(expected));
}

#[test]
fn looks_that_are_too_often_and_scripts_that_are_too_short() {
    let found = wrong("- cloudWatchAlarms: {alarms: [a], interval: 10ms}");
    assert!(found.contains("at least 1000 ms"), "{found}");
    let found = wrong("- shellScript: {script: exit, timeout: 10ms}");
    assert!(found.contains("less than a second"), "{found}");
}
