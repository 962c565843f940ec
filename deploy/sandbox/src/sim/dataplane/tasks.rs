//! Tasks as real servers: one listening socket for each mapped container port, on the task's own loopback address.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};

use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::container::{Identity, serve};
use crate::sim::{
    ecs::{Ecs, Phase, Task},
    simulator::World,
};

/// A task's servers.
struct Running {
    stop: CancellationToken,
    servers: JoinSet<()>,
}

/// All tasks' servers.
#[derive(Default)]
pub struct TaskServers {
    running: BTreeMap<String, Running>,
    stopping: JoinSet<()>,
}

/// What a task's server needs to know.
struct Wanted {
    id: String,
    address: Ipv4Addr,
    containers: Vec<(u16, Identity)>,
}

impl TaskServers {
    /// Starts servers of tasks that begin to run, stops those of tasks that were told to stop.
    pub async fn follow(&mut self, world: &World) {
        let (wanted, alive) = look(world, &self.running);
        for task in wanted {
            let stop = CancellationToken::new();
            let mut servers = JoinSet::new();
            for (port, identity) in task.containers {
                match TcpListener::bind((task.address, port)).await {
                    Ok(listener) => drop(servers.spawn(serve(listener, identity, stop.clone()))),
                    Err(error) => tracing::error!(address = %task.address, port, %error, "a task's socket can't be opened"),
                }
            }
            self.running.insert(task.id, Running { stop, servers });
        }
        let gone: Vec<String> = self.running.keys().filter(|id| !alive.contains(id)).cloned().collect();
        for id in gone {
            if let Some(mut running) = self.running.remove(&id) {
                running.stop.cancel();
                // A server finishes what it is answering, like a container that was sent SIGTERM.
                self.stopping.spawn(async move { while running.servers.join_next().await.is_some() {} });
            }
        }
        while self.stopping.try_join_next().is_some() {}
    }

    /// Stops all at once.
    pub async fn close(&mut self) {
        self.running.clear();
        self.stopping.shutdown().await;
    }
}

/// Tasks whose servers are to be started, and the ids of all that should be running.
fn look(world: &World, running: &BTreeMap<String, Running>) -> (Vec<Wanted>, Vec<String>) {
    let state = world.state();
    let mut wanted = Vec::new();
    let mut alive = Vec::new();
    for (ecs, _) in state.regions.values() {
        for task in ecs.tasks.values() {
            let serves = matches!(task.phase, Phase::Activating(_) | Phase::Running | Phase::Draining);
            if !serves {
                continue;
            }
            alive.push(task.id.clone());
            if !running.contains_key(&task.id) {
                wanted.push(Wanted { id: task.id.clone(), address: task.address, containers: containers(world, ecs, task) });
            }
        }
    }
    (wanted, alive)
}

fn containers(world: &World, ecs: &Ecs, task: &Task) -> Vec<(u16, Identity)> {
    let named = task.task_definition.rsplit('/').next().unwrap_or_default();
    let Some((family, revision)) = named.rsplit_once(':') else { return Vec::new() };
    let index = revision.parse::<usize>().ok().and_then(|revision| revision.checked_sub(1));
    let definition = index.and_then(|index| ecs.families.get(family)?.get(index));
    let listed = definition.and_then(|definition| definition.document.get("containerDefinitions")).and_then(Value::as_array);
    let mut containers = Vec::new();
    for container in listed.into_iter().flatten() {
        let identity = Identity::new(task, (family, revision), container, |seconds| Instant::now() + world.clock.real(seconds));
        for mapping in container["portMappings"].as_array().into_iter().flatten() {
            if let Some(port) = mapping["containerPort"].as_u64().and_then(|port| u16::try_from(port).ok()) {
                containers.push((port, identity.clone()));
            }
        }
    }
    containers
}

/// Where a task's container listens; used by health checks and proxies alike.
pub fn socket(address: Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddr::from((address, port))
}
