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
