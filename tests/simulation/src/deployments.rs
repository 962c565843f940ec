//! The deployments of a run: what people ask for.

use domain::{
    ids::DeploymentId,
    infrastructure::{InfrastructureSpec, LaunchType},
    retry::RetryPolicy,
    step::{
        Bake, DesiredCount, LoadBalancerSetup, NewVersion, Note, ShiftTraffic, StepAction, SwapTargetGroups, UpgradeContainers,
        Wait, WantedPair,
    },
};
use engine::{DEFAULT_HAND_OVERS, Plan, PlannedStep};
use serde_json::json;
use uuid::Uuid;

use crate::aws::{Quality, line_name};

/// One deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its place among those of the run.
    pub number: usize,
    /// The line that it deploys.
    pub line: usize,
    /// The image's tag; one that begins with `crash` or `ill` is a bad version.
    pub tag: String,
    /// First half of the tasks, then all.
    pub in_two: bool,
    /// Production is watched after the swap for so long.
    pub bake_ms: Option<u64>,
    /// Shares of the traffic that the new version gets before all of it, in percent.
    pub shares: Vec<u8>,
    /// A pause between upgrade and swap.
    pub wait_seconds: u64,
}

impl Wanted {
    /// Its id.
    pub fn id(&self) -> DeploymentId {
        DeploymentId::new(Uuid::from_u128(0xd000 + self.number as u128))
    }

    /// Whether its version runs and answers.
    pub fn is_good(&self) -> bool {
        Quality::of(&self.image()) == Quality::Good
    }

    /// The line's name.
    pub fn line_name(&self) -> String {
        line_name(self.line)
    }

    /// The image.
    pub fn image(&self) -> String {
        format!("{}:{}", self.line_name(), self.tag)
    }

    /// The plan, as the control plane would compile it.
    pub fn plan(&self) -> Plan {
        let line = self.line_name();
        let mut steps = vec![step("Setup", 900, StepAction::BlueGreenLoadBalancerSetup(Box::new(self.setup())))];
        let upgrade = |desired: &str| StepAction::UpgradeContainers(UpgradeContainers { desired: desired.into() });
        if self.in_two {
            steps.push(step("Half", 900, upgrade("50%")));
            steps.push(step("Look", 60, StepAction::Note(Note { message: "half of it is there".into() })));
        }
        steps.push(step("Upgrade", 900, upgrade("100%")));
        for weight in &self.shares {
            let shift = ShiftTraffic { weight: *weight, ttl_seconds: 60, identifier_prefix: "segue".into() };
            steps.push(step(&format!("Shift {weight}"), 900, StepAction::ShiftTraffic(shift)));
        }
        if self.wait_seconds > 0 {
            steps.push(step("Wait", 60, StepAction::Wait(Wait { seconds: self.wait_seconds })));
        }
        let bake = self.bake_ms.map(|window_ms| Bake {
            window_ms,
            interval_ms: 1_000,
            failures: 1,
            probe_path: None,
            alarms: Vec::new(),
        });
        let swap = SwapTargetGroups { downsize_old: true, delay_seconds: 3, drain_ms: None, probe_path: None, bake };
        steps.push(step("Swap", 900, StepAction::SwapTargetGroups(swap)));
        Plan {
            deployment: self.id(),
            application: "shop".into(),
            workflow: "blue-green".into(),
            service: line.clone(),
            environment: "production".into(),
            infrastructure_name: "main".into(),
            infrastructure: infrastructure(),
            line,
            image: self.image(),
            tag: self.tag.clone(),
            triggered_by: "alice".into(),
            rolls_back: None,
            steps,
        }
    }

    fn setup(&self) -> LoadBalancerSetup {
        LoadBalancerSetup {
            version: NewVersion {
                family: self.line_name(),
                image: self.image(),
                container_name: "app".into(),
                task_definition: json!({
                    "networkMode": "awsvpc",
                    "containerDefinitions": [{"name": "app", "image": self.image(), "portMappings": [{"containerPort": 80}]}],
                }),
                service_definition: json!({}),
                desired: DesiredCount::SameAsRunning { max: 2 },
                auto_scaling: None,
                role: None,
                steady_state_timeout_minutes: 5,
            },
            pairs: vec![WantedPair {
                load_balancer: self.line_name(),
                prod_listener: "80".into(),
                stage_listener: "8080".into(),
                prod_rule: None,
                stage_rule: None,
                target_container: None,
                target_port: None,
            }],
        }
    }
}

fn step(name: &str, timeout_seconds: u64, action: StepAction) -> PlannedStep {
    PlannedStep {
        name: name.into(),
        phase: "only".into(),
        action,
        timeout_seconds,
        retry: RetryPolicy::transient(),
        strategies: Vec::new(),
        hand_overs: DEFAULT_HAND_OVERS,
    }
}

fn infrastructure() -> InfrastructureSpec {
    InfrastructureSpec {
        name: "main".into(),
        region: "eu-west-1".into(),
        cluster: "main".into(),
        launch_type: Some(LaunchType::Fargate),
        vpc: Some("vpc-1".into()),
        subnets: vec!["subnet-1".into()],
        security_groups: Vec::new(),
        assign_public_ip: false,
        execution_role: None,
        assume_role: None,
        delegate_selectors: Vec::new(),
    }
}
