//! A container as a server: it answers with who it is, and as badly as its version is to behave.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::sim::ecs::{Conduct, Health, Task, version};

/// What a container answers.
#[derive(Debug, Clone)]
pub struct Identity {
    version: HeaderValue,
    task: HeaderValue,
    body: Bytes,
    temper: Arc<Temper>,
}

/// How well it answers.
#[derive(Debug)]
struct Temper {
    /// The status of its health checks from the moment on that they fail.
    sick: Option<(StatusCode, Option<Instant>)>,
    /// The share of other requests that fail.
    failing: f64,
    /// How many of them came.
    asked: AtomicU32,
}

impl Identity {
    /// A container of a task, of a family's revision. `after` tells when so many of AWS's seconds from now are over.
    pub fn new(task: &Task, revision: (&str, &str), container: &Value, after: impl Fn(f64) -> Instant) -> Self {
        let version = version(container);
        let body = json!({
            "service": task.service, "version": version, "task": task.id, "container": container["name"],
            "family": revision.0, "revision": revision.1,
        });
        let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown"));
        let conduct = Conduct::of(container).unwrap_or_default();
        let sick = match conduct.health {
            Health::Good => None,
            Health::Bad => Some((StatusCode::SERVICE_UNAVAILABLE, None)),
            Health::SickAfter(seconds) => Some((StatusCode::INTERNAL_SERVER_ERROR, Some(after(seconds)))),
        };
        let temper = Temper { sick, failing: conduct.failing_share, asked: AtomicU32::new(0) };
        Self { version: text(version), task: text(&task.id), body: body.to_string().into(), temper: Arc::new(temper) }
    }
}

impl Temper {
    /// The status of the next answer.
    fn status(&self, is_check: bool, now: Instant) -> StatusCode {
        if is_check {
            let sick = self.sick.filter(|(_, since)| since.is_none_or(|since| now >= since));
            return sick.map_or(StatusCode::OK, |(status, _)| status);
        }
        let fails = falls_in(self.failing, self.asked.fetch_add(1, Ordering::Relaxed));
        if fails { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
    }
}

/// Whether the request with this number, from 0, falls in a share: spread evenly, so that a share holds over any few requests.
fn falls_in(share: f64, number: u32) -> bool {
    let number = f64::from(number);
    ((number + 1.0) * share).floor() > (number * share).floor()
}

/// Serves until `stop`, and then finishes what it is answering.
pub async fn serve(listener: TcpListener, identity: Identity, stop: CancellationToken) {
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
    *response.status_mut() = identity.temper.status(is_check(request), Instant::now());
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-version", identity.version.clone());
    headers.insert("x-task", identity.task.clone());
    response
}

/// A load balancer's health check, or a person's who wants to see what it sees.
fn is_check<B>(request: &Request<B>) -> bool {
    let agent = request.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
    request.uri().path() == "/healthz" || agent.is_some_and(|agent| agent.starts_with("ELB-HealthChecker/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(share: f64) -> Temper {
        Temper { sick: None, failing: share, asked: AtomicU32::new(0) }
    }

    #[test]
    fn a_share_of_requests_fails_and_no_health_check() {
        for (share, expected) in [(0.0, 0), (0.25, 25), (0.5, 50), (1.0, 100)] {
            let temper = failing(share);
            let failed = (0..100).filter(|_| temper.status(false, Instant::now()) == StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(failed.count(), expected, "{share}");
            assert_eq!(temper.status(true, Instant::now()), StatusCode::OK);
        }
    }

    #[test]
    fn health_goes_at_its_time() {
        let now = Instant::now();
        let later = now + Duration::from_secs(5);
        let temper = Temper { sick: Some((StatusCode::INTERNAL_SERVER_ERROR, Some(later))), ..failing(0.0) };
        assert_eq!(temper.status(true, now), StatusCode::OK);
        assert_eq!(temper.status(true, later), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(temper.status(false, later), StatusCode::OK);
    }

    #[test]
    fn a_health_check_is_known_by_its_sender_or_its_path() {
        let check =
            |path: &str, agent: &str| is_check(&Request::get(path).header("user-agent", agent).body(()).expect("a request"));
        assert!(check("/", "ELB-HealthChecker/2.0") && check("/healthz", "curl/8"));
        assert!(!check("/", "curl/8"));
    }
}
