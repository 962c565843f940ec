//! Tasks as real servers: one listening socket for each mapped container port, on the task's own loopback address. They answer with
//! who they are.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

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

/// What a container answers.
#[derive(Debug, Clone)]
struct Identity {
    version: HeaderValue,
    task: HeaderValue,
    body: Bytes,
    healthy: bool,
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
                wanted.push(Wanted { id: task.id.clone(), address: task.address, containers: containers(ecs, task) });
            }
        }
    }
    (wanted, alive)
}

fn containers(ecs: &Ecs, task: &Task) -> Vec<(u16, Identity)> {
    let named = task.task_definition.rsplit('/').next().unwrap_or_default();
    let Some((family, revision)) = named.rsplit_once(':') else { return Vec::new() };
    let index = revision.parse::<usize>().ok().and_then(|revision| revision.checked_sub(1));
    let definition = index.and_then(|index| ecs.families.get(family)?.get(index));
    let listed = definition.and_then(|definition| definition.document.get("containerDefinitions")).and_then(Value::as_array);
    let mut containers = Vec::new();
    for container in listed.into_iter().flatten() {
        let image = container["image"].as_str().unwrap_or_default();
        let version = image.rsplit('/').next().unwrap_or(image).rsplit_once(':').map_or("latest", |(_, tag)| tag);
        let variable = |name: &str| {
            let variables = container["environment"].as_array().into_iter().flatten();
            variables.filter(|variable| variable["name"] == name).find_map(|variable| variable["value"].as_str())
        };
        let body = json!({
            "service": task.service, "version": version, "task": task.id, "container": container["name"],
            "family": family, "revision": revision,
        });
        let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown"));
        let identity = Identity {
            version: text(version),
            task: text(&task.id),
            body: body.to_string().into(),
            healthy: variable("SANDBOX_HEALTH") != Some("fail"),
        };
        for mapping in container["portMappings"].as_array().into_iter().flatten() {
            if let Some(port) = mapping["containerPort"].as_u64().and_then(|port| u16::try_from(port).ok()) {
                containers.push((port, identity.clone()));
            }
        }
    }
    containers
}

async fn serve(listener: TcpListener, identity: Identity, stop: CancellationToken) {
    let identity = Arc::new(identity);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                connections.spawn(connection(stream, Arc::clone(&identity), stop.clone()));
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: tokio::net::TcpStream, identity: Arc<Identity>, stop: CancellationToken) {
    let service = service_fn(move |request| {
        let identity = Arc::clone(&identity);
        async move { Ok::<_, Infallible>(answer(&identity, &request).await) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    // The peer may have gone meanwhile.
    let _ = connection.await;
}

async fn answer(identity: &Identity, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let query = request.uri().query().unwrap_or_default();
    let delay = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "delay_ms").and_then(|(_, ms)| ms.parse().ok());
    if let Some(delay) = delay {
        tokio::time::sleep(Duration::from_millis(std::cmp::min(delay, 60_000))).await;
    }
    let mut response = Response::new(Full::new(identity.body.clone()));
    if request.uri().path() == "/healthz" && !identity.healthy {
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
    }
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-version", identity.version.clone());
    headers.insert("x-task", identity.task.clone());
    response
}

/// Where a task's container listens; used by health checks and proxies alike.
pub fn socket(address: Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddr::from((address, port))
}
