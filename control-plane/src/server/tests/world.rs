//! A control plane for one test.

use std::{sync::Arc, time::Duration};

use domain::{
    deployment::{DeploymentStatus, DeploymentView},
    ids::DeploymentId,
    infrastructure::InfrastructureSpec,
    outcome::Outcome,
    retry::RetryPolicy,
    step::{Note, StepAction},
};
use engine::{Plan, PlannedStep};
use runtime::{
    clock::{Clock, SystemClock},
    tls::Authority,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, metadata::MetadataValue, transport::Channel};
use uuid::Uuid;

use crate::{
    dispatch::{Dispatch, LeaseTerms},
    logs::LogHub,
    server::{
        Running, Settings,
        start::{Memory, start_with},
    },
    store::MemoryStore,
};

/// Nothing in these tests takes this long.
pub const LIMIT: Duration = Duration::from_secs(20);

/// A control plane that runs, and what outlives it.
pub struct World {
    pub running: Running,
    pub store: Arc<MemoryStore>,
    pub logs: Arc<LogHub>,
    pub context: Context,
    folder: tempfile::TempDir,
    shutdown: CancellationToken,
    clock: Arc<dyn Clock>,
    terms: LeaseTerms,
}

/// The first administrator's context file, read.
#[derive(Clone)]
pub struct Context {
    pub server: String,
    pub token: String,
    pub authorities: String,
}

/// Leases that end within a test: 400 ms, with a margin of 100 ms.
pub fn short() -> LeaseTerms {
    LeaseTerms { lease: Duration::from_millis(400), heartbeat: Duration::from_millis(80), margin: Duration::from_millis(100) }
}

/// Leases that do not end within a test.
pub fn long() -> LeaseTerms {
    LeaseTerms { lease: Duration::from_secs(3600), heartbeat: Duration::from_secs(600), margin: Duration::from_secs(1) }
}

impl World {
    pub async fn start(terms: LeaseTerms) -> Self {
        Self::start_by(Arc::new(SystemClock::new()), terms).await
    }

    /// By a clock of the test's own.
    pub async fn start_by(clock: Arc<dyn Clock>, terms: LeaseTerms) -> Self {
        runtime::tls::install_provider();
        let folder = tempfile::tempdir().expect("a folder");
        let (store, logs) = (Arc::new(MemoryStore::new()), Arc::new(LogHub::default()));
        let (running, shutdown) = run(&folder, &store, &logs, &clock, terms).await;
        let text = std::fs::read_to_string(&running.context_file).expect("the context file");
        let (head, pem) = text.split_once("authorities: |\n").expect("authorities");
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).expect("a field").trim().to_owned();
        let authorities = pem.lines().map(|line| format!("{}\n", line.trim())).collect();
        let context = Context { server: field("server:"), token: field("token:"), authorities };
        Self { running, store, logs, context, folder, shutdown, clock, terms }
    }

    /// Stops the control plane and starts another one on what the first has left.
    pub async fn restart(self) -> Self {
        self.shutdown.cancel();
        self.running.stopped().await.expect("stops in time");
        let (running, shutdown) = run(&self.folder, &self.store, &self.logs, &self.clock, self.terms).await;
        assert!(!running.first_start);
        let server = running.api_url.clone();
        Self { running, shutdown, context: Context { server, ..self.context }, ..self }
    }

    pub fn dispatch(&self) -> &Arc<Dispatch> {
        self.running.dispatch()
    }

    /// The authority that signs, with its key.
    pub fn authority(&self) -> Authority {
        let text = std::fs::read_to_string(self.folder.path().join("pki/authorities.json")).expect("the authorities");
        let kept: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let pem = |what: &str| kept["signing"][what].as_str().expect("a PEM text");
        Authority::load(pem("certificate"), pem("key")).expect("an authority")
    }

    /// The API as the first administrator calls it.
    pub async fn api(&self) -> Channel {
        let endpoint = runtime::tls::endpoint(&self.context.server, &self.context.authorities, None).expect("an endpoint");
        endpoint.connect().await.expect("connects")
    }

    /// A request with the administrator's token.
    pub fn request<T>(&self, message: T) -> Request<T> {
        bearing(&self.context.token, message)
    }

    /// Accepts a deployment of these steps, which any delegate can take.
    pub async fn deploy(&self, steps: &[&str]) -> DeploymentId {
        let plan = plan(steps, &[]);
        self.dispatch().accept(plan, None).await.expect("is accepted")
    }

    /// Waits until the deployment looks so.
    pub async fn until(&self, id: DeploymentId, looks: impl Fn(&DeploymentView) -> bool) -> DeploymentView {
        let wait = async {
            loop {
                let mut changes = self.dispatch().changes(id);
                let view = self.dispatch().view(id).await.expect("a deployment");
                if looks(&view) {
                    return view;
                }
                // An error means that its driver has retired: look again.
                let _ = changes.changed().await;
            }
        };
        tokio::time::timeout(LIMIT, wait).await.expect("comes to look so in time")
    }

    pub async fn until_finished(&self, id: DeploymentId) -> Outcome {
        let view = self.until(id, |view| matches!(view.status, DeploymentStatus::Finished { .. })).await;
        match view.status {
            DeploymentStatus::Finished { outcome } => outcome,
            other => panic!("{other:?}"),
        }
    }
}

pub fn bearing<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = MetadataValue::try_from(format!("Bearer {token}")).expect("a header");
    request.metadata_mut().insert("authorization", value);
    request
}

/// Notes, each a step; infrastructure and line are the same for all.
pub fn plan(steps: &[&str], selectors: &[&str]) -> Plan {
    let planned = |name: &&str| PlannedStep {
        name: (*name).to_owned(),
        phase: "Phase 1".to_owned(),
        action: StepAction::Note(Note { message: format!("this is {name}") }),
        timeout_seconds: 600,
        retry: RetryPolicy::never(),
        strategies: Vec::new(),
        hand_overs: 20,
    };
    Plan {
        deployment: DeploymentId::new(Uuid::now_v7()),
        application: "shop".into(),
        workflow: "notes".into(),
        service: "todolist".into(),
        environment: "prod".into(),
        infrastructure_name: "eu".into(),
        infrastructure: InfrastructureSpec {
            name: "eu".into(),
            region: "eu-west-1".into(),
            cluster: "c".into(),
            launch_type: None,
            vpc: None,
            subnets: Vec::new(),
            security_groups: Vec::new(),
            assign_public_ip: false,
            execution_role: None,
            assume_role: None,
            delegate_selectors: selectors.iter().map(|selector| (*selector).to_owned()).collect(),
        },
        line: format!("line-{}", Uuid::now_v7().simple()),
        image: "shop/todolist:1".into(),
        tag: "1".into(),
        triggered_by: "a test".into(),
        rolls_back: None,
        steps: steps.iter().map(planned).collect(),
    }
}

async fn run(
    folder: &tempfile::TempDir,
    store: &Arc<MemoryStore>,
    logs: &Arc<LogHub>,
    clock: &Arc<dyn Clock>,
    terms: LeaseTerms,
) -> (Running, CancellationToken) {
    let mut settings = Settings::new(folder.path().to_owned());
    settings.api_listen = ([127, 0, 0, 1], 0).into();
    settings.delegate_listen = ([127, 0, 0, 1], 0).into();
    settings.terms = terms;
    let shutdown = settings.shutdown.clone();
    let memory = Memory { store: store.clone(), logs: logs.clone() };
    let running = start_with(settings, memory, clock.clone()).await.expect("starts");
    (running, shutdown)
}
