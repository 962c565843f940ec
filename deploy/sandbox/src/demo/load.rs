//! The load generator: requests through the production listener at a fixed rate, whatever the answers do (an open loop, so that a
//! slow answer never hides the requests that should have followed it).

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::resolving::Resolving;
use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connect, HttpConnector},
    },
    rt::TokioExecutor,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::Serialize;
use tokio::{sync::oneshot, task::JoinSet};

/// How long a request may take before it counts as failed.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);
/// More requests than this are never in flight: past it the world is broken, not busy.
const IN_FLIGHT: usize = 2_000;

/// What came of the requests.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Traffic {
    /// Requests sent.
    pub requests: u64,
    /// Requests without a 2xx answer in time.
    pub failed: u64,
    /// Good answers by the version that gave them.
    pub by_version: BTreeMap<String, u64>,
    /// Why requests failed, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, u64>,
    /// Latencies of good answers in microseconds, kept for percentiles.
    #[serde(skip)]
    latencies: Vec<u32>,
}

impl Traffic {
    fn count(&mut self, answer: Result<(String, Duration), String>) {
        self.requests += 1;
        match answer {
            Ok((version, latency)) => {
                *self.by_version.entry(version).or_default() += 1;
                self.latencies.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
            }
            Err(reason) => {
                self.failed += 1;
                *self.failures.entry(reason).or_default() += 1;
            }
        }
    }

    /// Latency at a quantile between 0 and 1, if there was an answer.
    pub fn latency(&self, quantile: f64) -> Option<Duration> {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index")]
        let index = (quantile * sorted.len().saturating_sub(1) as f64) as usize;
        sorted.get(index).map(|us| Duration::from_micros(u64::from(*us)))
    }
}

/// A running load. Dropping it stops it.
#[derive(Debug)]
pub struct Load {
    stop: oneshot::Sender<()>,
    runner: JoinSet<Traffic>,
}

impl Load {
    /// Starts `rate` requests a second to `url`, from the moment it first answers well: before the first version is there, nobody
    /// is promised an answer.
    pub fn start(url: String, rate: u32) -> Self {
        let (stop, stopped) = oneshot::channel();
        let mut runner = JoinSet::new();
        runner.spawn(run(url, rate.max(1), prompt(HttpConnector::new()), 256, stopped));
        Self { stop, runner }
    }

    /// The same with the host's name asked of this name server, by a resolver that keeps an answer as long as its TTL says and no
    /// longer. No connection outlives its request: clients that are led by DNS find a new version when they connect.
    pub fn start_by_dns(url: String, rate: u32, name_server: SocketAddr) -> Self {
        let (stop, stopped) = oneshot::channel();
        let mut runner = JoinSet::new();
        let connector = prompt(HttpConnector::new_with_resolver(Resolving::through(name_server)));
        runner.spawn(run(url, rate.max(1), connector, 0, stopped));
        Self { stop, runner }
    }

    /// The same over TLS, trusting only this authority (PEM).
    ///
    /// # Errors
    /// When that is no certificate.
    pub fn start_by_tls(url: String, rate: u32, authority: &[u8]) -> anyhow::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority).context("the authority's certificate")?)?;
        let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let mut connector = prompt(HttpConnector::new());
        connector.enforce_http(false);
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().wrap_connector(connector);
        let mut runner = JoinSet::new();
        runner.spawn(run(url, rate.max(1), connector, 256, stopped));
        Ok(Self { stop, runner })
    }

    /// Stops sending, waits for the answers that are still due, and tells what came of it all.
    pub async fn stop(mut self) -> Traffic {
        // The runner may have ended; then its result waits all the same.
        let _ = self.stop.send(());
        self.runner.join_next().await.and_then(Result::ok).unwrap_or_default()
    }
}

/// Small requests don't wait for each other's acknowledgements.
fn prompt<R>(mut connector: HttpConnector<R>) -> HttpConnector<R> {
    connector.set_nodelay(true);
    connector
}

type HttpClient<C> = Client<C, Empty<Bytes>>;

async fn run<C>(url: String, rate: u32, connector: C, idle: usize, mut stopped: oneshot::Receiver<()>) -> Traffic
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client: HttpClient<C> = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(idle).build(connector);
    let Ok(uri) = url.parse::<http::Uri>() else { return Traffic::default() };

    while ask(&client, &uri).await.is_err() {
        tokio::select! {
            _ = &mut stopped => return Traffic::default(),
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
    }

    let mut traffic = Traffic::default();
    let mut answers = JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            _ = ticks.tick(), if answers.len() < IN_FLIGHT => {
                let (client, uri) = (client.clone(), uri.clone());
                answers.spawn(async move { ask(&client, &uri).await });
            }
            Some(answer) = answers.join_next() => traffic.count(answer.unwrap_or_else(|error| Err(error.to_string()))),
        }
    }
    while let Some(answer) = answers.join_next().await {
        traffic.count(answer.unwrap_or_else(|error| Err(error.to_string())));
    }
    traffic
}

async fn ask<C>(client: &HttpClient<C>, uri: &http::Uri) -> Result<(String, Duration), String>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let begun = Instant::now();
    let exchange = async {
        let response = client.get(uri.clone()).await.map_err(|error| reason(&error))?;
        let status = response.status();
        let version = response.headers().get("x-version").and_then(|v| v.to_str().ok()).unwrap_or("unknown").to_owned();
        response.into_body().collect().await.map_err(|_| "the answer broke off".to_owned())?;
        if status.is_success() { Ok((version, begun.elapsed())) } else { Err(format!("status {}", status.as_u16())) }
    };
    tokio::time::timeout(REQUEST_LIMIT, exchange).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

fn reason(error: &hyper_util::client::legacy::Error) -> String {
    if error.is_connect() { "cannot connect".to_owned() } else { "the connection broke".to_owned() }
}
