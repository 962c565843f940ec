//! From documents to a deployment and its log, by the API alone.

use domain::log::{LogLevel, LogLine};
use proto::{
    api::{
        ApplyRequest, ApplyResponse, Deployment, DiscoveryRequest, Document, GetDeploymentRequest, GetResourceRequest,
        ListDeploymentsRequest, ListResourcesRequest, LogEntry, LogsRequest, SignalRequest, StartRequest, StartResponse,
        deployments_client::DeploymentsClient, discovery_client::DiscoveryClient, resources_client::ResourcesClient,
        status::State,
    },
    convert::log::line_to_wire,
    delegate::{LogAck, LogChunk},
};
use tokio::sync::mpsc;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Code, Streaming, transport::Channel};

use super::{
    delegate::{Hello, Joined},
    world::{LIMIT, World, long},
};

const DOCUMENTS: &str = "\
kind: Application
name: shop
spec: {}
---
kind: Environment
name: prod
application: shop
spec: { type: production }
---
kind: Infrastructure
name: eu
application: shop
spec: { region: eu-west-1, cluster: c }
---
kind: Service
name: todolist
application: shop
spec:
  image: shop/todolist
  taskDefinition:
    containerDefinitions:
      - { name: \"${CONTAINER_NAME}\", image: \"${DOCKER_IMAGE_NAME}\" }
---
kind: Workflow
name: notes
application: shop
spec:
  type: blueGreen
  switch: loadBalancer
  service: todolist
  environment: prod
  infrastructure: eu
  phases:
    - name: Phase 1
      steps:
        - { name: first, note: \"deploying ${artifact.tag}\" }
        - { name: second, note: done }
";

async fn apply(world: &World, text: &str, dry_run: bool) -> ApplyResponse {
    let mut resources = ResourcesClient::new(world.api().await);
    let documents = vec![Document { file: "all.yaml".into(), text: text.into() }];
    let applied = resources.apply(world.request(ApplyRequest { documents, dry_run })).await;
    applied.expect("is answered").into_inner()
}

async fn deployments(world: &World) -> DeploymentsClient<Channel> {
    DeploymentsClient::new(world.api().await)
}

async fn start(world: &World, tag: &str, idempotency_key: &str) -> StartResponse {
    let request = StartRequest {
        workflow: "notes".into(),
        artifact_tag: tag.into(),
        idempotency_key: idempotency_key.into(),
        ..StartRequest::default()
    };
    deployments(world).await.start(world.request(request)).await.expect("is answered").into_inner()
}

fn outcome(deployment: &Deployment) -> Option<&str> {
    match deployment.status.as_ref()?.state.as_ref()? {
        State::Finished(finished) => Some(&finished.outcome),
        _ => None,
    }
}

async fn next<T>(stream: &mut Streaming<T>) -> Option<T> {
    let next = tokio::time::timeout(LIMIT, stream.next()).await.expect("comes in time");
    next.map(|message| message.expect("is well"))
}

#[tokio::test]
async fn documents_are_kept_all_or_none_and_found_again() {
    let world = World::start(long()).await;
    let wrong = apply(&world, &DOCUMENTS.replace("service: todolist", "service: todolst"), false).await;
    assert!(wrong.applied.is_empty());
    let finding = wrong.diagnostics.first().expect("a finding");
    assert!(finding.message.contains("todolst") && finding.hint.contains("todolist"), "{finding:?}");
    assert_eq!((finding.file.as_str(), finding.field.as_str()), ("all.yaml", "spec.service"));
    let dry = apply(&world, DOCUMENTS, true).await;
    assert_eq!((dry.applied.len(), dry.diagnostics.len()), (5, 0));
    let mut resources = ResourcesClient::new(world.api().await);
    let all = world.request(ListResourcesRequest::default());
    assert!(resources.list(all).await.expect("lists").into_inner().resources.is_empty());
    let applied = apply(&world, DOCUMENTS, false).await.applied;
    assert!(applied.iter().all(|applied| applied.change == "created" && applied.generation == 1));
    let world = world.restart().await;
    let mut resources = ResourcesClient::new(world.api().await);
    let wanted = GetResourceRequest { kind: "workflows".into(), application: "shop".into(), name: "notes".into() };
    let kept = resources.get(world.request(wanted)).await.expect("is kept").into_inner();
    assert_eq!((kept.kind.as_str(), kept.changed_by.as_str()), ("Workflow", "admin"));
    assert!(DOCUMENTS.contains(kept.text.trim()));
    let unknown = GetResourceRequest { kind: "Workflow".into(), application: "shop".into(), name: "x".into() };
    assert_eq!(resources.get(world.request(unknown)).await.expect_err("there is none").code(), Code::NotFound);
    let nonsense = ListResourcesRequest { kind: "pod".into(), application: String::new() };
    let refused = resources.list(world.request(nonsense)).await.expect_err("no kind");
    assert_eq!(refused.metadata().get("segue-code").expect("a code"), "invalid");
}

#[tokio::test]
async fn a_deployment_is_planned_watched_to_its_end_and_its_log_followed() {
    let world = World::start(long()).await;
    apply(&world, DOCUMENTS, false).await;
    let wrong = start(&world, "not a tag", "").await;
    assert!(wrong.deployment_id.is_empty());
    assert!(wrong.diagnostics[0].message.contains("not a tag"), "{wrong:?}");
    let started = start(&world, "7", "key").await;
    assert_eq!(start(&world, "7", "key").await.deployment_id, started.deployment_id, "the same request is the same deployment");
    let deployment_id = started.deployment_id;
    let wanted = || world.request(GetDeploymentRequest { deployment_id: deployment_id.clone() });
    let mut watched = deployments(&world).await.watch(wanted()).await.expect("is watched").into_inner();
    let first = next(&mut watched).await.expect("a view");
    assert!(matches!(first.status.and_then(|status| status.state), Some(State::WaitingForDelegate(_))));
    let follow = LogsRequest { deployment_id: deployment_id.clone(), after: 0, follow: true };
    let mut log = deployments(&world).await.logs(world.request(follow)).await.expect("is followed").into_inner();

    let joined = Joined::new(&world, "one").await;
    let (mut link, _) = joined.connect(&world, Hello { instance: 1, ..Hello::default() }).await;
    let (chunks, mut acks) = ship(&world, &joined).await;
    let mut shown = Vec::new();
    for name in ["first", "second"] {
        let task = link.assigned().await.task;
        for (sent, next_number) in [(0..3, 3), (1..5, 5)] {
            chunks.send(chunk(&task.to_string(), sent)).await.expect("is open");
            let ack = next(&mut acks).await.expect("an acknowledgement");
            assert_eq!((ack.next, ack.rejection.as_str()), (next_number, ""));
        }
        for number in 0..5 {
            let entry = next(&mut log).await.expect("a line");
            assert_eq!((entry.step_name.as_str(), entry.number, entry.text), (name, number, format!("line {number}")));
            shown.push(entry.sequence);
        }
        assert_eq!(link.succeed(task).await, "");
    }
    assert!(next(&mut log).await.is_none(), "the log ends with the deployment");
    assert_eq!(shown, (1..=10).collect::<Vec<u64>>());
    let mut last = Deployment::default();
    while let Some(view) = next(&mut watched).await {
        assert!(view.revision >= last.revision);
        last = view;
    }
    assert_eq!(outcome(&last), Some("succeeded"));
    let after = LogsRequest { deployment_id: deployment_id.clone(), after: 8, follow: false };
    let log = deployments(&world).await.logs(world.request(after)).await.expect("is read").into_inner();
    let rest: Vec<LogEntry> = log.map(|entry| entry.expect("a line")).collect().await;
    assert_eq!(rest.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [9, 10]);
    let list = ListDeploymentsRequest { application: "shop".into(), limit: 0 };
    let listed = deployments(&world).await.list(world.request(list)).await.expect("are listed").into_inner().deployments;
    assert_eq!(listed.iter().map(|deployment| deployment.id.as_str()).collect::<Vec<_>>(), [deployment_id.as_str()]);
    let late = SignalRequest { deployment_id, signal: "abort".into(), ..SignalRequest::default() };
    let refused = deployments(&world).await.signal(world.request(late)).await.expect_err("it is over");
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

fn chunk(task: &str, numbers: std::ops::Range<u64>) -> LogChunk {
    let line = |number| line_to_wire(&LogLine { number, at_ms: 1, level: LogLevel::Info, text: format!("line {number}") });
    LogChunk { task: task.to_owned(), first: numbers.start, lines: numbers.map(line).collect(), dropped: 0 }
}

async fn ship(world: &World, joined: &Joined) -> (mpsc::Sender<LogChunk>, Streaming<LogAck>) {
    let (chunks, shipped) = mpsc::channel(4);
    let mut gateway = joined.client(world).await.expect("connects");
    let acks = gateway.ship_logs(ReceiverStream::new(shipped)).await.expect("is taken").into_inner();
    (chunks, acks)
}

#[tokio::test]
async fn log_lines_of_another_delegates_task_are_refused() {
    let world = World::start(long()).await;
    let (one, two) = (Joined::new(&world, "one").await, Joined::new(&world, "two").await);
    let (mut link, _) = one.connect(&world, Hello { instance: 1, ..Hello::default() }).await;
    let id = world.deploy(&["a"]).await;
    let task = link.assigned().await.task;
    let (chunks, mut acks) = ship(&world, &two).await;
    let unknown = format!("{}/0/perform/1", domain::ids::DeploymentId::new(uuid::Uuid::now_v7()));
    for (wrong, why) in [(task.to_string(), "not this delegate's"), (unknown, "not this delegate's"), ("x".into(), "not a task")]
    {
        chunks.send(chunk(&wrong, 0..2)).await.expect("is open");
        let ack = next(&mut acks).await.expect("an acknowledgement");
        assert!(ack.rejection.contains(why), "{ack:?}");
    }
    let (entries, _) = world.logs.read(id, crate::logs::LogCursor::start(), 10).await.expect("reads");
    assert!(entries.is_empty());
}

#[tokio::test]
async fn what_is_not_there_is_said_with_its_class() {
    let world = World::start(long()).await;
    apply(&world, DOCUMENTS, false).await;
    let mut deployments = deployments(&world).await;
    let unknown = domain::ids::DeploymentId::new(uuid::Uuid::now_v7()).to_string();
    let get = |id: &str| world.request(GetDeploymentRequest { deployment_id: id.to_owned() });
    assert_eq!(deployments.get(get(&unknown)).await.expect_err("unknown").code(), Code::NotFound);
    assert_eq!(deployments.get(get("x")).await.expect_err("no id").code(), Code::InvalidArgument);
    assert_eq!(deployments.watch(get(&unknown)).await.expect_err("unknown").code(), Code::NotFound);
    let logs = LogsRequest { deployment_id: unknown.clone(), after: 0, follow: true };
    assert_eq!(deployments.logs(world.request(logs)).await.expect_err("unknown").code(), Code::NotFound);
    let signal = SignalRequest { deployment_id: unknown, signal: "dance".into(), ..SignalRequest::default() };
    assert_eq!(deployments.signal(world.request(signal)).await.expect_err("no signal").code(), Code::InvalidArgument);
    let mut discovery = DiscoveryClient::new(world.api().await);
    let question = DiscoveryRequest { infrastructure: "eu".into(), subject: "loadBalancers".into(), ..Default::default() };
    let refused = discovery.query(world.request(question.clone())).await.expect_err("nobody is there");
    assert!(refused.code() == Code::Unavailable && refused.message().contains("No delegate has joined yet"), "{refused:?}");
    let elsewhere = DiscoveryRequest { infrastructure: "us".into(), ..question };
    let refused = discovery.query(world.request(elsewhere)).await.expect_err("no such infrastructure");
    assert!(refused.code() == Code::InvalidArgument && refused.message().contains("us"), "{refused:?}");
}
