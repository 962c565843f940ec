//! Runs steps as the agent would: assignment in, report out, console and checkpoints kept.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    ids::DeploymentId,
    infrastructure::{InfrastructureSpec, LaunchType},
    log::LogLevel,
    step::{
        ChangeWeights, Checkpoint, DesiredCount, DnsSetup, LoadBalancerSetup, NewVersion, ServiceRegistry, ShiftTraffic,
        StepAction, StepOutput, SwapTargetGroups, UpgradeContainers, WantedPair,
    },
    task::{Assignment, Direction, EarlierStep, TaskKey, TaskReport},
};
use runtime::{chance::Chance, clock::SystemClock};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    fake_aws::{CLUSTER, FakeAws},
    fake_dns::{ALIAS, FIRST, SECOND},
};
use crate::{
    aws::{
        budget::Budget,
        ports::{Aws, AwsAccess},
    },
    executor::{CheckpointLog, Hooks, Polling, SecretsDirectory, Services, StepLog, WaitMemory, WritePermit, run},
    policy::{Policy, PolicyAccess},
};

pub(super) const FAMILY: &str = "ecs__blue__green__elb";

/// What one attempt left behind.
#[derive(Default)]
pub(super) struct Record {
    pub(super) lines: Mutex<Vec<String>>,
    pub(super) checkpoints: Mutex<Vec<Checkpoint>>,
    pub(super) permits: Mutex<usize>,
    drain_after: Option<usize>,
    drain: CancellationToken,
    no_lease: AtomicBool,
    /// From the beginning of a bake on there is no lease, and the new version's targets are ill.
    ill_in_bake: Option<Arc<FakeAws>>,
}

impl StepLog for Record {
    fn line(&self, _level: LogLevel, text: &str) {
        self.lines.lock().expect("no panic").push(text.to_owned());
    }
}

#[async_trait]
impl CheckpointLog for Record {
    async fn record(&self, checkpoint: Checkpoint) -> Result<(), Failure> {
        let mut checkpoints = self.checkpoints.lock().expect("no panic");
        if let (Checkpoint::BakeStarted { .. }, Some(aws)) = (&checkpoint, &self.ill_in_bake) {
            self.no_lease.store(true, Ordering::Relaxed);
            aws.world.lock().expect("no panic").ill = true;
        }
        checkpoints.push(checkpoint);
        if self.drain_after == Some(checkpoints.len()) {
            self.drain.cancel();
        }
        Ok(())
    }
}

#[async_trait]
impl WritePermit for Record {
    async fn acquire(&self, budget: Duration) -> Result<(), Failure> {
        assert_eq!(budget, Duration::from_secs(4));
        if self.no_lease.load(Ordering::Relaxed) {
            return Err(Failure::refused(FailureKind::Connectivity, "lost the control plane: no lease"));
        }
        *self.permits.lock().expect("no panic") += 1;
        Ok(())
    }
}

struct Access(Arc<FakeAws>);

#[async_trait]
impl AwsAccess for Access {
    async fn connect(&self, _infrastructure: &InfrastructureSpec) -> Result<Aws, Failure> {
        Ok(Aws {
            ecs: self.0.clone(),
            load_balancing: self.0.clone(),
            registries: self.0.clone(),
            records: self.0.clone(),
            scaling: self.0.clone(),
            logs: self.0.clone(),
            alarms: self.0.clone(),
            metrics: self.0.clone(),
            identity: self.0.clone(),
            budget: Budget::default(),
        })
    }
}

/// A deployment in the hand.
pub(super) struct Rig {
    pub(super) aws: Arc<FakeAws>,
    pub(super) earlier: Vec<EarlierStep>,
    /// Checkpoints by step.
    pub(super) checkpoints: Vec<Vec<Checkpoint>>,
    /// Drain after so many checkpoints of an attempt.
    pub(super) drain_after: Option<usize>,
    /// No lease is given.
    pub(super) no_lease: bool,
    /// The control plane is away and the new version ill from the beginning of a bake on.
    pub(super) ill_in_bake: bool,
    /// For how long another delegate may still put production back.
    pub(super) promised_ms: u64,
    /// The task was cancelled before it began.
    pub(super) cancelled: bool,
    pub(super) secrets: SecretsDirectory,
    /// What the delegate will touch.
    pub(super) policy: Policy,
    /// The delegate runs shell scripts.
    pub(super) shell_scripts: bool,
    pub(super) setup: LoadBalancerSetup,
    pub(super) swap: SwapTargetGroups,
    /// The switch is by DNS.
    pub(super) dns: bool,
    deployment: DeploymentId,
    attempts: u32,
}

/// How an attempt ended, with its console.
pub(super) struct Ended {
    pub(super) report: TaskReport,
    pub(super) lines: Vec<String>,
    pub(super) permits: usize,
}

impl Ended {
    pub(super) fn output(self) -> StepOutput {
        match self.report {
            TaskReport::Succeeded { output } => output,
            other => panic!("{other:?}\n{}", self.lines.join("\n")),
        }
    }

    pub(super) fn failure(self) -> Failure {
        match self.report {
            TaskReport::Failed { failure } => failure,
            other => panic!("{other:?}\n{}", self.lines.join("\n")),
        }
    }
}

impl Rig {
    pub(super) fn new(aws: FakeAws) -> Self {
        Self {
            aws: Arc::new(aws),
            earlier: Vec::new(),
            checkpoints: vec![Vec::new(); 4],
            drain_after: None,
            no_lease: false,
            ill_in_bake: false,
            promised_ms: 0,
            cancelled: false,
            secrets: SecretsDirectory::default(),
            policy: Policy::default(),
            shell_scripts: false,
            setup: LoadBalancerSetup {
                version: NewVersion {
                    family: FAMILY.into(),
                    image: "harness/todolist-sample:4".into(),
                    container_name: "harness_todolist-sample_4".into(),
                    task_definition: json!({
                        "networkMode": "awsvpc",
                        "containerDefinitions": [{"name": "harness_todolist-sample_4", "image": "harness/todolist-sample:4",
                            "portMappings": [{"containerPort": 80}]}],
                    }),
                    service_definition: json!({}),
                    desired: DesiredCount::SameAsRunning { max: 2 },
                    auto_scaling: None,
                    role: None,
                    steady_state_timeout_minutes: 10,
                },
                pairs: vec![pair("80", "8080")],
            },
            swap: SwapTargetGroups { downsize_old: true, delay_seconds: 0, drain_ms: None, probe_path: None, bake: None },
            dns: false,
            deployment: DeploymentId::new(Uuid::from_u128(0xd)),
            attempts: 0,
        }
    }

    pub(super) fn action(&self, step: usize) -> StepAction {
        match step {
            0 if self.dns => StepAction::BlueGreenRoute53Setup(Box::new(self.dns_setup())),
            2 if self.dns => StepAction::ChangeRoute53Weights(ChangeWeights {
                new_weight: 100,
                old_weight: 0,
                ttl_seconds: 0,
                downsize_old: true,
                identifier_prefix: "Harness".into(),
            }),
            0 => StepAction::BlueGreenLoadBalancerSetup(Box::new(self.setup.clone())),
            1 => StepAction::UpgradeContainers(UpgradeContainers { desired: "100%".into() }),
            _ => StepAction::SwapTargetGroups(self.swap.clone()),
        }
    }

    fn dns_setup(&self) -> DnsSetup {
        let registry = |arn: &str| ServiceRegistry {
            registry_arn: arn.into(),
            container_name: Some("harness_todolist-sample_4".into()),
            container_port: Some(80),
            port: None,
        };
        DnsSetup {
            version: self.setup.version.clone(),
            specification1: registry(FIRST),
            specification2: registry(SECOND),
            alias: ALIAS.into(),
            hosted_zone: "bg-namespace_upper".into(),
        }
    }

    /// A share of the traffic, forward or back: its checkpoints stand beside the three steps'.
    pub(super) async fn shift(&mut self, weight: u8, direction: Direction) -> Ended {
        let action = StepAction::ShiftTraffic(ShiftTraffic { weight, ttl_seconds: 0, identifier_prefix: "Harness".into() });
        self.attempt_of(action, 3, direction).await
    }

    /// One attempt of one step, forward or back. Its checkpoints and output are kept for what follows.
    pub(super) async fn attempt(&mut self, step: usize, direction: Direction) -> Ended {
        self.attempt_of(self.action(step), step, direction).await
    }

    /// The same with an action of its own.
    pub(super) async fn attempt_of(&mut self, action: StepAction, step: usize, direction: Direction) -> Ended {
        self.attempts += 1;
        let resumed = direction == Direction::Undo || !self.checkpoints[step].is_empty() || self.attempts > step as u32 + 1;
        let record = Arc::new(Record {
            drain_after: self.drain_after,
            no_lease: AtomicBool::new(self.no_lease),
            ill_in_bake: self.ill_in_bake.then(|| self.aws.clone()),
            ..Record::default()
        });
        let assignment = Assignment {
            task: TaskKey { deployment: self.deployment, step: step as u32, direction, attempt: self.attempts },
            step_name: "step".into(),
            action,
            infrastructure: infrastructure(),
            earlier: self.earlier.clone(),
            checkpoints: self.checkpoints[step].clone(),
            timeout_seconds: 3_600,
            promised_ms: self.promised_ms,
            resumed,
        };
        let services = Services {
            aws: Arc::new(PolicyAccess::new(Arc::new(Access(self.aws.clone())), Arc::new(self.policy.clone()))),
            secrets: self.secrets.clone(),
            // AWS's clock runs a thousand times faster here.
            polling: Polling { min: Duration::from_millis(1), max: Duration::from_millis(2) },
            memory: Arc::new(WaitMemory::default()),
            write_budget: Duration::from_secs(4),
            shell_scripts: self.shell_scripts,
            clock: Arc::new(SystemClock::new()),
            chance: Chance::from_machine(),
        };
        let cancel = CancellationToken::new();
        if self.cancelled {
            cancel.cancel();
        }
        let hooks = Hooks {
            log: record.clone(),
            checkpoints: record.clone(),
            permit: record.clone(),
            cancel,
            drain: record.drain.clone(),
        };
        let report = run(assignment, &services, hooks).await;
        self.checkpoints[step].extend(record.checkpoints.lock().expect("no panic").drain(..));
        if let TaskReport::Succeeded { output } = &report
            && direction == Direction::Perform
        {
            self.earlier.push(EarlierStep { name: format!("step{step}"), output: output.clone() });
        }
        let lines = record.lines.lock().expect("no panic").clone();
        let permits = *record.permits.lock().expect("no panic");
        Ended { report, lines, permits }
    }

    pub(super) async fn perform(&mut self, step: usize) -> Ended {
        self.attempt(step, Direction::Perform).await
    }

    /// The next deployment of the line, to the same AWS.
    pub(super) fn next_deployment(self) -> Self {
        let aws = Arc::into_inner(self.aws).expect("nobody else holds it");
        let deployment = DeploymentId::new(Uuid::from_u128(self.deployment.uuid().as_u128() + 1));
        Self { deployment, setup: self.setup, swap: self.swap, dns: self.dns, ..Self::new(aws) }
    }

    /// All three steps, which have to succeed.
    pub(super) async fn deploy(&mut self) {
        for step in 0..3 {
            self.perform(step).await.output();
        }
    }
}

/// A pair of the load balancer's listeners.
pub(super) fn pair(prod: &str, stage: &str) -> WantedPair {
    WantedPair {
        load_balancer: "docs-example".into(),
        prod_listener: prod.into(),
        stage_listener: stage.into(),
        prod_rule: None,
        stage_rule: None,
        target_container: None,
        target_port: None,
    }
}

fn infrastructure() -> InfrastructureSpec {
    InfrastructureSpec {
        name: "prod".into(),
        region: "us-west-1".into(),
        cluster: CLUSTER.into(),
        launch_type: Some(LaunchType::Fargate),
        vpc: Some("vpc-1".into()),
        subnets: vec!["subnet-1".into()],
        security_groups: vec!["sg-1".into()],
        assign_public_ip: false,
        execution_role: None,
        assume_role: None,
        delegate_selectors: Vec::new(),
    }
}
