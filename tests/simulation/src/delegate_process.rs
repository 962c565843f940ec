//! A delegate's process: the real agent, session, lease, shipper and steps, on a simulated network, clock and AWS.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use delegate::{
    agent::Work,
    executor::{CheckpointLog, Hooks, Polling, SecretsDirectory, Services, StepLog, WaitMemory, WritePermit},
    process::{Process, Running},
    session::{Connect, describe},
};
use domain::{
    discovery::{Answer, Query},
    failure::Failure,
    ids::{DelegateId, InstanceId},
    log::LogLevel,
    step::{Checkpoint, StepKind},
    task::{Assignment, TaskKey, TaskReport},
};
use hyper_util::rt::TokioIo;
use runtime::{chance::Chance, gate::Gate, tasks::Tasks};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint, Uri};
use uuid::Uuid;

use crate::{
    aws::{Cloud, DelegatesAws, TASK},
    clock::HostClock,
    network::{Net, Path},
    planted::Planted,
    said::Said,
};

/// What outlives its processes.
pub struct Machine {
    /// Its name.
    pub name: Arc<str>,
    /// Who it is by its certificate.
    pub delegate: DelegateId,
    /// Its clock.
    pub clock: Arc<HostClock>,
    /// Its way to the control plane.
    pub path: Arc<Path>,
    /// What is wrong with it.
    pub planted: Planted,
}

/// A process.
pub struct DelegateProcess {
    /// Stops and kills it.
    pub gate: Gate,
    /// Asks it to leave in order.
    pub stop: CancellationToken,
    /// Which process of the machine it is.
    pub instance: InstanceId,
    /// Resolves when it has left.
    left: Option<Running>,
}

impl DelegateProcess {
    /// Starts process number `number` of the world.
    pub fn start(machine: &Machine, number: u128, net: &Arc<Net>, cloud: &Arc<Cloud>, said: &Arc<Said>, chance: Chance) -> Self {
        let gate = Gate::new(tracing::info_span!("delegate", name = %machine.name));
        let instance = InstanceId::new(Uuid::from_u128(0x1000 + number));
        let aws = DelegatesAws::new(cloud.clone(), instance, machine.name.clone(), gate.clone(), machine.planted, chance.clone());
        // A write that its lease does not outlast is the mistake.
        let write_budget = match machine.planted {
            Planted::LeaseWithoutMargin => Duration::ZERO,
            _ => crate::aws::WRITE,
        };
        let services = Services {
            aws: Arc::new(aws),
            secrets: SecretsDirectory::default(),
            polling: Polling::default(),
            memory: Arc::new(WaitMemory::default()),
            write_budget,
            shell_scripts: false,
            clock: machine.clock.clone(),
            chance: chance.clone(),
        };
        let work = Watched { services, instance, said: said.clone(), planted: machine.planted };
        let dial = Dial { net: net.clone(), path: machine.path.clone(), gate: gate.clone() };
        let stop = CancellationToken::new();
        let process = Process {
            instance,
            selectors: vec![machine.name.to_string()],
            work: Arc::new(work),
            connector: Arc::new(dial),
            clock: machine.clock.clone(),
            chance,
            log_memory: 1 << 20,
            tasks: Tasks::gated(CancellationToken::new(), gate.clone()),
        };
        let left = Some(process.start(stop.clone()));
        Self { gate, stop, instance, left }
    }

    /// Asks it to leave in order. What is given resolves when it has; none: it was asked before.
    pub fn drain(&mut self, planted: Planted) -> Option<Running> {
        if planted == Planted::DrainForgotten {
            self.gate.kill();
        }
        self.stop.cancel();
        self.left.take()
    }
}

/// Connections with the settings of the real ones, over the simulated network.
struct Dial {
    net: Arc<Net>,
    path: Arc<Path>,
    gate: Gate,
}

#[async_trait]
impl Connect for Dial {
    async fn connect(&self) -> Result<Channel, String> {
        let (net, path, gate) = (self.net.clone(), self.path.clone(), self.gate.clone());
        let connector = tower::service_fn(move |_: Uri| {
            let (net, path, gate) = (net.clone(), path.clone(), gate.clone());
            async move { net.connect(&path, gate).await.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("http://control-plane")
            .connect_timeout(Duration::from_secs(5))
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10))
            .keep_alive_while_idle(true);
        endpoint.connect_with_connector(connector).await.map_err(|error| describe(&error))
    }

    /// Nobody looks at certificates here.
    fn certificate(&self) -> String {
        String::new()
    }

    fn renew(&self) {}
}

/// The real steps, with a note of who works and of what is said.
struct Watched {
    services: Services,
    instance: InstanceId,
    said: Arc<Said>,
    planted: Planted,
}

#[async_trait]
impl Work for Watched {
    fn kinds(&self) -> Vec<StepKind> {
        self.services.kinds()
    }

    async fn perform(&self, assignment: Assignment, hooks: Hooks) -> TaskReport {
        let task = assignment.task;
        let log = Arc::new(Noted { inner: hooks.log.clone(), said: self.said.clone(), task, instance: self.instance });
        let mut hooks = Hooks { log, ..hooks };
        if self.planted == Planted::CheckpointLost {
            hooks.checkpoints = Arc::new(Forgetful);
        }
        if self.planted == Planted::FenceSkipped {
            hooks.permit = Arc::new(Careless);
        }
        self.said.performs(self.instance, task, true);
        let report = TASK.scope(task, self.services.perform(assignment, hooks)).await;
        self.said.performs(self.instance, task, false);
        report
    }

    async fn answer(&self, query: &Query) -> Result<Answer, Failure> {
        self.services.answer(query).await
    }
}

struct Noted {
    inner: Arc<dyn StepLog>,
    said: Arc<Said>,
    task: TaskKey,
    instance: InstanceId,
}

impl StepLog for Noted {
    fn line(&self, level: LogLevel, text: &str) {
        self.said.line(self.task, self.instance, text);
        self.inner.line(level, text);
    }
}

struct Forgetful;

#[async_trait]
impl CheckpointLog for Forgetful {
    async fn record(&self, _checkpoint: Checkpoint) -> Result<(), Failure> {
        Ok(())
    }
}

struct Careless;

#[async_trait]
impl WritePermit for Careless {
    async fn acquire(&self, _budget: Duration) -> Result<(), Failure> {
        Ok(())
    }
}
