//! The delegate's steps against the simulated AWS, in one process: the official SDK on the wire, real listeners and real tasks, no
//! control plane. What the end-to-end tests show of whole worlds is shown here of the steps alone, quickly.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use async_trait::async_trait;
use delegate::{
    aws::{
        budget::Budgets,
        sdk::{CallLimits, SdkAccess},
    },
    discovery,
    executor::{CheckpointLog, Hooks, Polling, SecretsDirectory, Services, StepLog, WritePermit, run},
};
use domain::{
    discovery::{Findings, Query, Subject},
    failure::Failure,
    ids::DeploymentId,
    infrastructure::InfrastructureSpec,
    log::LogLevel,
    step::{
        Checkpoint, DesiredCount, LoadBalancerSetup, NewVersion, StepAction, SwapTargetGroups, UpgradeContainers, WantedPair,
    },
    task::{Assignment, Direction, EarlierStep, TaskKey, TaskReport},
};
use runtime::http::HttpProbe;
use sandbox::{
    sim::{Settings, Simulator},
    world::{AwsControl, LoadBalancerSeed, Seed, Seeded, seed},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// AWS's clock runs so many times faster.
const FACTOR: u32 = 20;
const REGION: &str = "eu-west-1";
const FAMILY: &str = "shop__todolist__production";

#[derive(Default)]
struct Record {
    lines: Mutex<Vec<String>>,
    checkpoints: Mutex<Vec<Checkpoint>>,
}

impl StepLog for Record {
    fn line(&self, _level: LogLevel, text: &str) {
        self.lines.lock().expect("no panic").push(text.to_owned());
    }
}

#[async_trait]
impl CheckpointLog for Record {
    async fn record(&self, checkpoint: Checkpoint) -> Result<(), Failure> {
        self.checkpoints.lock().expect("no panic").push(checkpoint);
        Ok(())
    }
}

#[async_trait]
impl WritePermit for Record {
    async fn acquire(&self, _budget: Duration) -> Result<(), Failure> {
        Ok(())
    }
}

/// A simulated AWS with a seeded load balancer, and the executor on top of it.
struct Stage {
    simulator: Simulator,
    control: AwsControl,
    seeded: Seeded,
    services: Services,
    infrastructure: InfrastructureSpec,
}

/// One deployment and what is known of it.
struct Deployment {
    id: DeploymentId,
    setup: LoadBalancerSetup,
    earlier: Vec<EarlierStep>,
    checkpoints: [Vec<Checkpoint>; 3],
}

impl Stage {
    async fn new(number: u64) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let settings = Settings { clock_factor: f64::from(FACTOR), seed: number, ..Settings::default() };
        let (access_key, secret_key) = (settings.access_key.clone(), settings.secret_key.clone());
        let simulator = Simulator::start(settings, listener)?;
        let endpoint = simulator.endpoint();
        let seeded = seed(&Seed {
            endpoint: endpoint.clone(),
            region: REGION.into(),
            access_key: access_key.clone(),
            secret_key: secret_key.clone(),
            cluster: "docs-ecs".into(),
            load_balancer: LoadBalancerSeed {
                name: "docs-example".into(),
                prod_port: 8080,
                stage_port: 8081,
                target_port: 8080,
                health_check_seconds: 5,
                deregistration_delay_seconds: 10,
            },
        })
        .await?;
        let credentials = aws_credential_types::Credentials::new(access_key, secret_key, None, None, "test");
        let services = Services {
            aws: Arc::new(SdkAccess::fixed(
                "test",
                CallLimits::default(),
                Budgets::published(f64::from(FACTOR)),
                &endpoint,
                credentials,
            )),
            secrets: SecretsDirectory::default(),
            polling: Polling { min: Duration::from_secs(1) / FACTOR, max: Duration::from_secs(5) / FACTOR },
            memory: Arc::default(),
            shell_scripts: false,
            write_budget: Duration::from_secs(4),
            clock: Arc::new(runtime::clock::SystemClock::new()),
            chance: runtime::chance::Chance::from_machine(),
        };
        let infrastructure = serde_json::from_value(json!({
            "name": "production", "region": REGION, "cluster": "docs-ecs", "launchType": "FARGATE",
            "subnets": ["subnet-0aaaaaaaaaaaaaaa1"], "securityGroups": ["sg-0cccccccccccccccc"],
        }))?;
        Ok(Self { control: AwsControl::new(endpoint), simulator, seeded, services, infrastructure })
    }

    async fn attempt(&self, deployment: &mut Deployment, step: usize, direction: Direction) -> (TaskReport, Vec<String>) {
        let record = Arc::new(Record::default());
        let action = match step {
            0 => StepAction::BlueGreenLoadBalancerSetup(Box::new(deployment.setup.clone())),
            1 => StepAction::UpgradeContainers(UpgradeContainers { desired: "100%".into() }),
            _ => StepAction::SwapTargetGroups(SwapTargetGroups {
                downsize_old: true,
                delay_seconds: 0,
                drain_ms: None,
                probe_path: Some("/healthz".into()),
                bake: None,
            }),
        };
        let assignment = Assignment {
            task: TaskKey { deployment: deployment.id, step: u32::try_from(step).expect("few"), direction, attempt: 1 },
            step_name: "step".into(),
            action,
            infrastructure: self.infrastructure.clone(),
            earlier: deployment.earlier.clone(),
            checkpoints: deployment.checkpoints[step].clone(),
            timeout_seconds: 120,
            promised_ms: 0,
            resumed: direction == Direction::Undo,
        };
        let hooks = Hooks {
            log: record.clone(),
            checkpoints: record.clone(),
            permit: record.clone(),
            cancel: CancellationToken::new(),
            drain: CancellationToken::new(),
        };
        let report = run(assignment, &self.services, hooks).await;
        deployment.checkpoints[step].extend(record.checkpoints.lock().expect("no panic").drain(..));
        if let TaskReport::Succeeded { output } = &report
            && direction == Direction::Perform
        {
            deployment.earlier.push(EarlierStep { name: format!("step{step}"), output: output.clone() });
        }
        let lines = record.lines.lock().expect("no panic").clone();
        (report, lines)
    }

    /// One direction of one step, which has to succeed.
    async fn well(&self, deployment: &mut Deployment, step: usize, direction: Direction) -> Vec<String> {
        let (report, lines) = self.attempt(deployment, step, direction).await;
        assert!(matches!(report, TaskReport::Succeeded { .. }), "step {step}: {report:?}\n{}", lines.join("\n"));
        lines
    }

    async fn deploy(&self, tag: u128) -> Deployment {
        let mut deployment = deployment(tag);
        for step in 0..3 {
            self.well(&mut deployment, step, Direction::Perform).await;
        }
        deployment
    }

    fn production(&self) -> String {
        format!("http://{}:8080/", self.seeded.dns_name)
    }

    /// The version that production answers as.
    async fn version(&self) -> String {
        let answer = HttpProbe::new().get(&self.production(), Duration::from_secs(5)).await.expect("production answers");
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.headers["x-version"].to_str().expect("text").to_owned()
    }
}

fn deployment(tag: u128) -> Deployment {
    Deployment {
        id: DeploymentId::new(Uuid::from_u128(tag)),
        setup: LoadBalancerSetup {
            version: NewVersion {
                family: FAMILY.into(),
                image: format!("harness/todolist-sample:{tag}"),
                container_name: format!("harness_todolist-sample_{tag}"),
                task_definition: json!({
                    "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
                    "memberOfTomorrow": {"kept": true},
                    "containerDefinitions": [{
                        "name": format!("harness_todolist-sample_{tag}"), "image": format!("harness/todolist-sample:{tag}"),
                        "essential": true, "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
                    }],
                }),
                service_definition: json!({"serviceMemberOfTomorrow": [1, 2], "tags": [{"key": "team", "value": "shop"}]}),
                desired: DesiredCount::Fixed(2),
                auto_scaling: None,
                role: None,
                steady_state_timeout_minutes: 1,
            },
            pairs: vec![WantedPair {
                load_balancer: "docs-example".into(),
                prod_listener: "8080".into(),
                stage_listener: "8081".into(),
                prod_rule: None,
                stage_rule: None,
                target_container: None,
                target_port: None,
            }],
        },
        earlier: Vec::new(),
        checkpoints: Default::default(),
    }
}

/// Asks production without pause until told to stop; gives how many answers came and how many questions failed.
async fn load(url: String, stop: Arc<AtomicBool>, failed: Arc<AtomicU64>) -> u64 {
    let probe = HttpProbe::new();
    let mut answered = 0;
    while !stop.load(Ordering::Relaxed) {
        match probe.get(&url, Duration::from_secs(5)).await {
            Ok(answer) if answer.status == 200 => answered += 1,
            _ => {
                failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_deployments_take_turns_and_no_request_fails() -> anyhow::Result<()> {
    let stage = Stage::new(1).await?;
    stage.deploy(1).await;
    assert_eq!(stage.version().await, "1");

    let (stop, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut requests = JoinSet::new();
    requests.spawn(load(stage.production(), stop.clone(), failed.clone()));
    stage.control.forget_calls().await?;
    stage.deploy(2).await;
    let calls = stage.control.counts().await?;
    assert_eq!(stage.version().await, "2");
    stage.deploy(3).await;
    stop.store(true, Ordering::Relaxed);
    let answered = requests.join_next().await.context("the load")??;
    assert!(answered > 100, "{answered} answers");
    assert_eq!(failed.load(Ordering::Relaxed), 0, "of {answered} requests");
    assert_eq!(stage.version().await, "3");

    assert_eq!((calls["ecs:CreateService"], calls["ecs:RegisterTaskDefinition"]), (1, 1), "{calls:?}");
    assert_eq!(calls["elasticloadbalancing:ModifyListener"], 2, "{calls:?}");
    let all: u64 = calls.values().sum();
    assert!(all <= 72, "{all} calls for one deployment: {calls:?}");

    let query = Query {
        infrastructure: stage.infrastructure.clone(),
        subject: Subject::LoadBalancers { name_contains: Some("docs".into()) },
    };
    let answer = discovery::answer(&query, stage.services.aws.as_ref()).await?;
    assert_eq!(answer.account, "123456789012");
    let Findings::LoadBalancers(balancers) = answer.findings else { panic!("another answer") };
    let ports: Vec<_> = balancers[0].listeners.iter().map(|listener| listener.port).collect();
    assert_eq!(ports, [8080, 8081]);
    let group = &balancers[0].listeners[0].rules[0].target_groups[0];
    assert_eq!((group.healthy, group.arn.as_str()), (2, stage.seeded.stage_target_group.as_str()));
    stage.simulator.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_that_the_sdk_does_not_know_reach_aws() -> anyhow::Result<()> {
    let stage = Stage::new(2).await?;
    let mut first = deployment(1);
    stage.well(&mut first, 0, Direction::Perform).await;
    let calls = stage.control.calls().await?.to_string();
    assert!(calls.contains(r#""memberOfTomorrow":{"kept":true}"#), "{calls}");
    let state = stage.control.state().await?.to_string();
    assert!(state.contains(r#""serviceMemberOfTomorrow":[1,2]"#), "{state}");
    stage.simulator.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_mismatch_changes_nothing() -> anyhow::Result<()> {
    let stage = Stage::new(3).await?;
    let before = stage.control.state().await?;
    let mut wrong = deployment(1);
    wrong.setup.version.task_definition["containerDefinitions"][0]["portMappings"][0]["containerPort"] = json!(80);
    let (report, lines) = stage.attempt(&mut wrong, 0, Direction::Perform).await;
    let words = format!(
        "Error: No container definition has port mapping that matches the target port: 8080 for target group: {}",
        stage.seeded.stage_target_group
    );
    assert!(lines.contains(&words), "{report:?}\n{}", lines.join("\n"));
    assert_eq!(stage.control.state().await?, before);
    stage.simulator.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_is_taken_back_while_requests_flow() -> anyhow::Result<()> {
    let stage = Stage::new(4).await?;
    stage.deploy(1).await;
    let before = stage.control.state().await?;
    let (stop, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut requests = JoinSet::new();
    requests.spawn(load(stage.production(), stop.clone(), failed.clone()));
    let mut second = stage.deploy(2).await;
    for step in [2, 1, 0] {
        stage.well(&mut second, step, Direction::Undo).await;
    }
    stop.store(true, Ordering::Relaxed);
    let answered = requests.join_next().await.context("the load")??;
    assert_eq!(failed.load(Ordering::Relaxed), 0, "of {answered} requests");
    assert_eq!(stage.version().await, "1");
    let after = stage.control.state().await?;
    assert_eq!(listeners(&before), listeners(&after));
    stage.simulator.stop().await;
    Ok(())
}

/// Every member called `listeners` or `Listeners`, wherever the state keeps it.
fn listeners(state: &Value) -> Vec<&Value> {
    match state {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, value)| if key.eq_ignore_ascii_case("listeners") { vec![value] } else { listeners(value) })
            .collect(),
        Value::Array(items) => items.iter().flat_map(listeners).collect(),
        _ => Vec::new(),
    }
}
