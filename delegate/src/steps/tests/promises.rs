//! What the executor promises of every step: no write without a lease, nothing after a cancel, a report even of a panic, secrets
//! that stay inside; and the steps' waits.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use domain::{
    failure::{Effect, FailureKind},
    step::{Checkpoint, HttpCheck, HttpTarget, Note, StepAction, StepOutput, Traffic},
    task::Direction,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

use super::{
    fake_aws::{FakeAws, Fault, World},
    rig::{FAMILY, Rig},
};
use crate::executor::SecretsDirectory;

fn rig() -> Rig {
    Rig::new(FakeAws::new(World::with_past(FAMILY)))
}

/// Answers each connection with the next status, until the set is dropped; gives the port.
async fn answers(statuses: Vec<u16>) -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let mut server = JoinSet::new();
    server.spawn(async move {
        for status in statuses {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = [0; 2048];
            let _ = stream.read(&mut request).await.expect("a request");
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\nok");
            stream.write_all(answer.as_bytes()).await.expect("written");
        }
    });
    (port, server)
}

#[tokio::test]
async fn without_a_lease_nothing_is_written() {
    let mut rig = rig();
    let before = rig.aws.world();
    rig.no_lease = true;
    let failure = rig.perform(0).await.failure();
    assert_eq!((failure.effect, failure.message.as_str()), (Effect::DidNotHappen, "lost the control plane: no lease"));
    assert_eq!(rig.aws.world().comparable(), before.comparable());
}

#[tokio::test]
async fn a_cancelled_step_calls_nothing() {
    let mut rig = rig();
    rig.cancelled = true;
    let failure = rig.perform(0).await.failure();
    assert_eq!(failure.kind, FailureKind::Policy);
    assert!(rig.aws.calls.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn a_panic_is_a_failure_whose_effect_is_uncertain() {
    let mut rig = rig();
    *rig.aws.fault.lock().expect("no panic") = Some((3, Fault::Panic));
    let ended = rig.perform(0).await;
    assert!(ended.lines.iter().any(|line| line.starts_with("Error: The step panicked")), "{:?}", ended.lines);
    assert_eq!(ended.failure().effect, Effect::MayHaveHappened);
}

#[tokio::test]
async fn secrets_reach_aws_and_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("db"), "hunter2-hunter2\n").expect("written");
    let mut rig = rig();
    rig.secrets = SecretsDirectory::new(Some(folder.path().into()));
    rig.setup.version.task_definition["containerDefinitions"][0]["environment"] =
        json!([{"name": "DB", "value": "${secrets.db}"}]);
    let ended = rig.perform(0).await;
    assert!(!ended.lines.join("\n").contains("hunter2"));
    ended.output();
    let registered = rig.aws.world().definitions.last().expect("one was registered").0.clone();
    assert_eq!(registered["containerDefinitions"][0]["environment"][0]["value"], "hunter2-hunter2");

    let note = StepAction::Note(Note { message: "the password is ${secrets.db}".into() });
    assert_eq!(rig.attempt_of(note, 1, Direction::Perform).await.lines, ["the password is ***"]);
    let missing = StepAction::Note(Note { message: "${secrets.api}".into() });
    let failure = rig.attempt_of(missing, 1, Direction::Perform).await.failure();
    assert!(failure.message.contains("secrets.api") && failure.hint.is_some_and(|hint| hint.contains("--secrets-dir")));
}

#[tokio::test]
async fn a_resumed_delay_waits_only_the_rest() {
    let mut rig = rig();
    rig.swap.delay_seconds = 3_600;
    rig.perform(0).await.output();
    rig.perform(1).await.output();
    let long_ago = runtime::clock::Clock::now_ms(&runtime::clock::SystemClock::new()) - 7_200_000;
    rig.checkpoints[2].push(Checkpoint::TrafficSwitched { at_ms: long_ago, switch_ms: 5 });
    let started = Instant::now();
    rig.perform(2).await.output();
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn the_old_version_stays_while_production_does_not_answer_the_probe() {
    let mut rig = rig();
    rig.swap.probe_path = Some("/healthz".into());
    rig.perform(0).await.output();
    rig.perform(1).await.output();
    let (port, _server) = answers(vec![503, 503, 200]).await;
    if let StepOutput::Setup(setup) = &mut rig.earlier[0].output {
        let Traffic::LoadBalancer(pairs) = &mut setup.traffic else { panic!("load balancers lead the traffic") };
        pairs[0].load_balancer_dns = "127.0.0.1".into();
        pairs[0].prod.port = port;
    }
    let ended = rig.perform(2).await;
    assert!(ended.lines.contains(&format!("http://127.0.0.1:{port}/healthz answers with status 200")), "{:?}", ended.lines);
    ended.output();
}

#[tokio::test]
async fn a_service_that_is_not_steady_in_time_is_told_with_its_counts() {
    let mut rig = rig();
    rig.setup.version.steady_state_timeout_minutes = 0;
    rig.perform(0).await.output();
    let failure = rig.perform(1).await.failure();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.message.contains("did not reach a steady state within 0 s: 0 of 2 tasks are running"), "{}", failure.message);
}

fn check(port: u16, within_ms: u64) -> StepAction {
    StepAction::HttpCheck(HttpCheck {
        target: HttpTarget::Url(format!("http://127.0.0.1:{port}/healthz")),
        status: Vec::new(),
        body_contains: Some("ok".into()),
        headers: BTreeMap::new(),
        max_latency_ms: 5_000,
        consecutive: 2,
        interval_ms: 50,
        within_ms,
    })
}

#[tokio::test]
async fn an_http_check_wants_its_answers_in_a_row() {
    let mut rig = rig();
    let (port, _server) = answers(vec![200, 500, 200, 200]).await;
    let ended = rig.attempt_of(check(port, 30_000), 0, Direction::Perform).await;
    let StepOutput::HttpCheck(output) = ended.output() else { panic!("another output") };
    assert_eq!((output.status, output.url), (200, format!("http://127.0.0.1:{port}/healthz")));

    let (port, _server) = answers(vec![500; 8]).await;
    let failure = rig.attempt_of(check(port, 120), 0, Direction::Perform).await.failure();
    assert_eq!((failure.kind, failure.effect), (FailureKind::Verification, Effect::DidNotHappen));
    assert!(failure.message.contains("Last: status 500 instead of 200 to 299."), "{}", failure.message);
    assert!(rig.aws.calls.lock().expect("no panic").is_empty(), "a check has no access to AWS");
}
