//! Prometheus Check against a server that answers as Prometheus does.

use std::collections::BTreeMap;

use domain::{
    failure::{Failure, FailureKind},
    step::{Bound, Number, PrometheusCheck, PrometheusCheckOutput, StepAction, StepOutput},
    task::Direction,
};

use super::{
    fake_aws::{FakeAws, World},
    peer::Peer,
    rig::{Ended, FAMILY, Rig},
};
use crate::executor::SecretsDirectory;

const NO_DATA: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;

fn vector(values: &[&str]) -> String {
    let one = |(index, value)| format!(r#"{{"metric":{{"task":"{index}"}},"value":[1.5,"{value}"]}}"#);
    let samples: Vec<String> = values.iter().enumerate().map(one).collect();
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#, samples.join(","))
}

fn check(peer: &Peer) -> PrometheusCheck {
    PrometheusCheck {
        url: format!("{}/prom/", peer.url),
        query: "rate(errors{job=\"web\"}[1m]) / 2".into(),
        bound: Bound::Below(Number::parse("0.5").expect("a number")),
        hold_ms: 120,
        interval_ms: 50,
        within_ms: 400,
        headers: BTreeMap::new(),
    }
}

async fn perform(check: PrometheusCheck) -> Ended {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.attempt_of(StepAction::PrometheusCheck(Box::new(check)), 1, Direction::Perform).await
}

async fn failure(answers: &[(u16, &str)]) -> Failure {
    let peer = Peer::answering(answers).await;
    perform(check(&peer)).await.failure()
}

#[tokio::test]
async fn it_has_to_be_good_without_a_break() {
    let (good, bad) = (vector(&["0.1", "0.2"]), vector(&["0.1", "0.7"]));
    let peer = Peer::answering(&[(200, &good), (200, &bad), (200, &good)]).await;
    let ended = perform(PrometheusCheck { within_ms: 30_000, ..check(&peer) }).await;
    let lines = ended.lines.join("\n");
    assert!(lines.contains("Not good: 0.7 of {task=\"1\"} is not below 0.5; it has to be good from the beginning"), "{lines}");
    let output = PrometheusCheckOutput { value: "0.1, 0.2".into() };
    assert_eq!(ended.output(), StepOutput::PrometheusCheck(output));
    let asked = peer.asked();
    assert!(asked.len() >= 5, "one good, one bad, and 120 ms of good ones at 50 ms each: {}", asked.len());
    let question = "GET /prom/api/v1/query?query=rate%28errors%7Bjob%3D%22web%22%7D%5B1m%5D%29+%2F+2 HTTP/1.1\r\n";
    assert!(asked[0].starts_with(question), "{}", asked[0]);
}

#[tokio::test]
async fn a_bound_that_is_broken_and_data_that_is_none_are_told() {
    let failed = failure(&[(200, &vector(&["0.9"]))]).await;
    assert_eq!((failed.kind, failed.transient), (FailureKind::Verification, false));
    assert!(failed.message.contains("Last: 0.9 of {task=\"0\"} is not below 0.5."), "{}", failed.message);
    let failed = failure(&[(200, NO_DATA)]).await;
    assert!(failed.message.contains("gives no data") && failed.kind == FailureKind::Verification, "{}", failed.message);
    let failed = failure(&[(200, &vector(&["NaN"]))]).await;
    assert!(failed.message.contains("is NaN, not a number") && failed.kind == FailureKind::Verification, "{}", failed.message);
}

#[tokio::test]
async fn what_will_not_be_better_ends_it_at_once_and_what_may_does_not() {
    let refused = r#"{"status":"error","errorType":"bad_data","error":"parse error: unexpected )"}"#;
    let failed = failure(&[(400, refused), (200, &vector(&["0.1"]))]).await;
    assert!(failed.kind == FailureKind::Application && failed.message.contains("unexpected )"), "{}", failed.message);
    let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    assert!(failure(&[(200, matrix)]).await.message.contains("answers with a matrix"));
    assert_eq!(failure(&[(401, "who?")]).await.kind, FailureKind::Authorization);
    assert_eq!(failure(&[(503, "<html>")]).await.kind, FailureKind::Connectivity);
    let peer = Peer::answering(&[(503, "<html>"), (200, &vector(&["0.1"]))]).await;
    perform(PrometheusCheck { within_ms: 30_000, ..check(&peer) }).await.output();
}

#[tokio::test]
async fn a_secret_goes_into_a_header_and_into_no_line() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("prom"), "hunter2-hunter2\n").expect("written");
    let peer = Peer::answering(&[(403, "not you, hunter2-hunter2")]).await;
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.secrets = SecretsDirectory::new(Some(folder.path().into()));
    let headers = BTreeMap::from([("Authorization".to_owned(), "Bearer ${secrets.prom}".to_owned())]);
    let action = StepAction::PrometheusCheck(Box::new(PrometheusCheck { headers, ..check(&peer) }));
    let ended = rig.attempt_of(action, 1, Direction::Perform).await;
    assert!(peer.asked()[0].to_lowercase().contains("authorization: bearer hunter2-hunter2\r\n"));
    assert!(!ended.lines.join("\n").contains("hunter2"), "{:?}", ended.lines);
    assert!(!ended.failure().message.contains("hunter2"));
}
