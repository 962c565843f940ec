//! What is wrong with the steps that look before a deployment goes on.

use super::fixture::{only, workflow, wrong};

fn is(steps: &str, expected: &str) {
    assert_eq!(wrong(&workflow(steps)), expected.trim_matches('\n'), "of\n{steps}");
}

#[test]
fn the_fields_of_an_approval() {
    only(&workflow("- approval: {message: Go?, approvers: [ann, bob], count: 2, timeout: 1h}"));
    let approval = "- approval: Go?
- approval: {approvers: ann}
- approval: {message: Go?, count: two, timeout: 5, approver: ann}
- approval: {message: Go?}
  timeout: 1h
";
    is(
        approval,
        "
f.yaml:13:21 spec.phases[0].steps[0].approval: expected a mapping, found text
f.yaml:14:11 spec.phases[0].steps[1].approval.message: \"message\" is missing
f.yaml:14:33 spec.phases[0].steps[1].approval.approvers: expected a list, found text
f.yaml:15:43 spec.phases[0].steps[2].approval.count: \"two\" is not a whole number from 0 to 10000
f.yaml:15:57 spec.phases[0].steps[2].approval.timeout: \"5\" is not a length of time (write the unit: 5s, 5m)
f.yaml:15:60 spec.phases[0].steps[2].approval.approver: unknown field \"approver\" (did you mean approvers?)
f.yaml:17:20 spec.phases[0].steps[3].timeout: an approval's own timeout says how long it waits (write it below approval:)
",
    );
}

#[test]
fn the_fields_of_a_prometheus_check() {
    only(&workflow("- prometheusCheck: {url: \"http://prom:9090\", query: up, above: 0.5, for: 1m, headers: {X-Org: a}}"));
    only(&workflow("- prometheusCheck: {url: \"http://prom:9090\", query: up, between: [-1, 1e3]}"));
    let checks = "- prometheusCheck: {query: up}
- prometheusCheck: {url: prom, query: up, below: 5%, above: 1}
- prometheusCheck: {url: \"http://prom\", query: up, between: [1]}
- prometheusCheck: {url: \"http://prom\", query: up, below: 5%, every: 1s}
";
    is(
        checks,
        "
f.yaml:13:11 spec.phases[0].steps[0].prometheusCheck.url: \"url\" is missing
f.yaml:13:11 spec.phases[0].steps[0].prometheusCheck: what the answer is held against is missing (below: 0.01, above: 10 or between: \
[1, 5])
f.yaml:14:34 spec.phases[0].steps[1].prometheusCheck.url: \"prom\" is not a URL: it begins with http:// or https:// and a host
f.yaml:14:62 spec.phases[0].steps[1].prometheusCheck.above: one check holds its answer against one bound (one of below: 0.01, above: \
10 or between: [1, 5])
f.yaml:15:69 spec.phases[0].steps[2].prometheusCheck.between: \"between\" is a list of two numbers: the least and the most (below: \
0.01, above: 10 or between: [1, 5])
f.yaml:16:67 spec.phases[0].steps[3].prometheusCheck.below: \"5%\" is not a finite number (as 0.01, -3 or 1e6)
f.yaml:16:71 spec.phases[0].steps[3].prometheusCheck.every: unknown field \"every\" (did you mean query?)
",
    );
}

#[test]
fn the_fields_of_alarms_scripts_and_notifications() {
    only(&workflow("- cloudWatchAlarms: {alarms: [errors, latency], for: 2m, insufficientData: fail}"));
    only(&workflow(
        "- shellScript:\n    script: |\n      echo \"${HOME}\"\n    env: {TAG: \"${artifact.tag}\"}\n    idempotent: true",
    ));
    only(&workflow("- notify: {webhook: \"https://hooks.example/x\", message: done, required: true}"));
    let steps = "- cloudWatchAlarms: {alarms: [], interval: 15}
- cloudWatchAlarms: {alarms: [\"arn:aws:cloudwatch:eu-west-1:1:alarm:a\"], insufficientData: bad}
- shellScript: {script: \" \", env: {1A: x, SEGUE_TAG: y}, retries: 3}
- notify: {webhook: hooks, text: done}
";
    is(
        steps,
        "
f.yaml:13:38 spec.phases[0].steps[0].cloudWatchAlarms.alarms: \"alarms\" is an empty list (name at least one alarm)
f.yaml:13:52 spec.phases[0].steps[0].cloudWatchAlarms.interval: \"15\" is not a length of time (write the unit: 15s, 15m)
f.yaml:14:39 spec.phases[0].steps[1].cloudWatchAlarms.alarms[0]: an alarm is named by its name, not by its ARN (the part after \
:alarm:)
f.yaml:14:100 spec.phases[0].steps[1].cloudWatchAlarms.insufficientData: \"bad\" is not what an alarm without data counts as (known: \
good, fail)
f.yaml:15:33 spec.phases[0].steps[2].shellScript.script: the script is empty
f.yaml:15:44 spec.phases[0].steps[2].shellScript.env.1A: \"1A\" is not the name of an environment variable
f.yaml:15:51 spec.phases[0].steps[2].shellScript.env.SEGUE_TAG: variables that begin with SEGUE_ are set by Segue (choose another \
name)
f.yaml:15:66 spec.phases[0].steps[2].shellScript.retries: unknown field \"retries\" (known: script, timeout, env, idempotent)
f.yaml:16:11 spec.phases[0].steps[3].notify.message: \"message\" is missing
f.yaml:16:29 spec.phases[0].steps[3].notify.webhook: \"hooks\" is not a URL: it begins with http:// or https:// and a host
f.yaml:16:36 spec.phases[0].steps[3].notify.text: unknown field \"text\" (known: webhook, message, required)
",
    );
}
