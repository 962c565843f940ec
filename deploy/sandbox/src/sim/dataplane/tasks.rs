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
    ecs::{Ecs, Phase, Task, version},
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
    let Some(revision) = revision(task) else { return Vec::new() };
    let mut containers = Vec::new();
    for container in documents(ecs, revision) {
        let identity = Identity::new(task, revision, container, |seconds| Instant::now() + world.clock.real(seconds));
        containers.extend(ports(container).map(|port| (port, identity.clone())));
    }
    containers
}

/// A task definition's family and revision.
fn revision(task: &Task) -> Option<(&str, &str)> {
    task.task_definition.rsplit('/').next()?.rsplit_once(':')
}

/// Its containers.
fn documents<'a>(ecs: &'a Ecs, (family, revision): (&str, &str)) -> impl Iterator<Item = &'a Value> {
    let index = revision.parse::<usize>().ok().and_then(|revision| revision.checked_sub(1));
    let definition = index.and_then(|index| ecs.families.get(family)?.get(index));
    let listed = definition.and_then(|definition| definition.document.get("containerDefinitions")).and_then(Value::as_array);
    listed.into_iter().flatten()
}

/// A container's ports.
fn ports(container: &Value) -> impl Iterator<Item = u16> {
    let mappings = container["portMappings"].as_array().into_iter().flatten();
    mappings.filter_map(|mapping| mapping["containerPort"].as_u64().and_then(|port| u16::try_from(port).ok()))
}

/// The version of the container that listens at a socket, if a task's does.
pub fn version_at(world: &World, socket: SocketAddr) -> Option<String> {
    let state = world.state();
    let tasks = state.regions.values().flat_map(|(ecs, _)| ecs.tasks.values().map(move |task| (ecs, task)));
    let (ecs, task) =
        tasks.filter(|(_, task)| socket.ip() == task.address).max_by(|(_, a), (_, b)| a.created_at.total_cmp(&b.created_at))?;
    let container = documents(ecs, revision(task)?).find(|container| ports(container).any(|port| port == socket.port()))?;
    Some(version(container).to_owned())
}

/// Where a task's container listens; used by health checks and proxies alike.
pub fn socket(address: Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddr::from((address, port))
}
