//! The control plane's process: the real dispatch and gateway on a simulated disk, network and clock.

use std::{sync::Arc, time::Duration};

use control_plane::{
    access::{Authorities, AuthoritiesError, Enrolment},
    dispatch::{Dispatch, EnrolledDelegate, Gateway, LeaseTerms, RecordError, Records, Roster},
    logs::{LogHub, MemoryLogs},
    server::serve_delegates,
    store::{MemoryStore, Store},
};
use domain::{ids::DelegateId, scope::Scope};
use rand::{SeedableRng, rngs::StdRng};
use runtime::{chance::Chance, gate::Gate, tasks::Tasks};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::{clock::HostClock, disk::Disk, network::Net, planted::Planted};

/// Why it does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its records can't be read.
    #[error("the records: {0}")]
    Records(#[from] RecordError),
    /// No authority could be made.
    #[error("the authority: {0}")]
    Authority(#[from] AuthoritiesError),
}

/// What outlives its processes.
pub struct Machine {
    /// Its clock.
    pub clock: Arc<HostClock>,
    /// The logs, which are durable when they are acknowledged.
    pub logs: Arc<MemoryLogs>,
    /// Those who have joined.
    pub roster: Vec<DelegateId>,
    /// What is wrong with it.
    pub planted: Planted,
}

/// A process.
pub struct ControlPlane {
    /// What it does.
    pub dispatch: Arc<Dispatch>,
    /// Stops and kills it.
    pub gate: Gate,
    disk: Arc<Disk>,
}

impl ControlPlane {
    /// Starts on this disk.
    ///
    /// # Errors
    /// When what is on the disk can't be read.
    pub async fn start(
        machine: &Machine,
        stored: MemoryStore,
        net: &Net,
        chance: Chance,
        world: Tasks,
    ) -> Result<Self, StartError> {
        let gate = Gate::new(tracing::info_span!("control-plane"));
        let tasks = Tasks::gated(CancellationToken::new(), gate.clone());
        let disk = Arc::new(Disk::new(stored, chance, world, machine.planted));
        let store: Arc<dyn Store> = disk.clone();
        // Nobody joins and no certificate is looked at here: which authority there is makes no difference to a run.
        let authorities = Arc::new(Authorities::unkept(crate::clock::BEGINNING_MS, &mut StdRng::seed_from_u64(1))?);
        let enrolment = Enrolment::new(store.clone(), authorities.clone(), Duration::from_secs(86_400), None);
        let roster = Roster::new(machine.roster.iter().enumerate().map(|(number, id)| EnrolledDelegate {
            id: *id,
            name: format!("delegate-{number}"),
            enrolled_at_ms: 0,
            serial: "1".into(),
            certificate_ends_ms: i64::MAX,
            scope: Scope::default(),
            identity: None,
            trusts: authorities.trust().id.clone(),
            revoked: None,
        }));
        let margin = match machine.planted {
            Planted::LeaseWithoutMargin => Duration::ZERO,
            _ => LeaseTerms::default().margin,
        };
        let terms = LeaseTerms { margin, ..LeaseTerms::default() };
        let dispatch = Dispatch::new(machine.clock.clone(), tasks.clone(), Records::new(store), roster, terms);
        dispatch.recover().await?;
        tasks.spawn_until_cancelled("lease pulse", dispatch.clone().keep_pulse());
        let gateway = Gateway::new(dispatch.clone(), Arc::new(enrolment), Arc::new(LogHub::new(machine.logs.clone())));
        serve_delegates(&tasks, ReceiverStream::new(net.listen(gate.clone())), gateway);
        Ok(Self { dispatch, gate, disk })
    }

    /// Kills it. Gives what is found on its disk: what was not flushed is lost.
    pub fn kill(&self, net: &Net) -> MemoryStore {
        self.gate.kill();
        net.deaf();
        self.disk.cut_power()
    }
}
