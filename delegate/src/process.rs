//! A delegate's parts put together: the agent, its session, the shipping of its log lines. What they work with (the connection,
//! the hands, the clock, the tasks) comes in, so that the simulation runs the very same delegate as the program.

use std::sync::Arc;

use domain::ids::InstanceId;
use runtime::{chance::Chance, clock::Clock, tasks::Tasks};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    agent::{Driver, DriverParts, Event, Holding, Work},
    lease::SharedLease,
    logs::{Logs, shipper},
    session::{self, Connect, SessionParts},
};

/// Events that wait for the agent, which never lets them wait long.
const EVENTS: usize = 1024;

/// What a delegate is made of.
pub struct Process {
    /// This process.
    pub instance: InstanceId,
    /// What it calls itself.
    pub selectors: Vec<String>,
    /// Performs steps.
    pub work: Arc<dyn Work>,
    /// The way to the control plane.
    pub connector: Arc<dyn Connect>,
    /// The clock that leases go by.
    pub clock: Arc<dyn Clock>,
    /// Where waits get their jitter from.
    pub chance: Chance,
    /// Bytes of log lines that may wait to be acknowledged.
    pub log_memory: usize,
    /// Owns everything that runs.
    pub tasks: Tasks,
}

/// A delegate that runs.
pub struct Running {
    agent: JoinHandle<()>,
    sessions: JoinHandle<()>,
}

impl Process {
    /// Starts it. It leaves in order when `stop` is cancelled, or when the control plane asks it to.
    pub fn start(self, stop: CancellationToken) -> Running {
        let Self { instance, selectors, work, connector, clock, chance, log_memory, tasks } = self;
        let logs = Arc::new(Logs::new(log_memory, clock.clone()));
        let lease = Arc::new(SharedLease::new(clock.clone()));
        let (events, for_agent) = mpsc::channel(EVENTS);
        let (holding, held) = watch::channel(Holding::default());
        let (connection, connected) = watch::channel(None);
        let closing = CancellationToken::new();
        let driver = Driver::new(DriverParts {
            instance,
            selectors,
            work,
            logs: logs.clone(),
            lease: lease.clone(),
            tasks: tasks.clone(),
            events: events.clone(),
            holding,
            closing: closing.clone(),
        });
        let agent = tasks.spawn("agent", driver.run(for_agent));
        tasks.spawn_until_cancelled("log shipping", shipper::ship(logs, connected, chance.clone()));
        let leave = events.clone();
        tasks.spawn_until_cancelled("leave", async move {
            stop.cancelled().await;
            // An agent that is gone has left already.
            let _ = leave.send(Event::Leave).await;
        });
        let parts =
            SessionParts { connector, events, holding: held, lease, connection, clock, chance, tasks: tasks.clone(), closing };
        let sessions = tasks.spawn("sessions", session::keep(parts));
        Running { agent, sessions }
    }
}

impl Running {
    /// Resolves when the delegate has left, or its agent and session broke.
    pub async fn left(self) {
        drop((self.agent.await, self.sessions.await));
    }
}
