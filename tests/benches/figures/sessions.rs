//! P4 and P5: many delegates at one control plane, each a TLS connection of its own with heartbeats: what one costs, what dispatch is
//! like beside them, and how soon all serve again after the control plane was killed and started.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use cli::client::Client;
use domain::ids::InstanceId;
use futures::{StreamExt, TryStreamExt, stream};
use proto::{
    PROTOCOL,
    api::CreateJoinTokenRequest,
    delegate::{
        EnrollRequest, FromDelegate, Heartbeat, Hello, delegate_gateway_client::DelegateGatewayClient, from_delegate, to_delegate,
    },
};
use runtime::{
    backoff::Backoff,
    tls::{self, ClientIdentity},
};
use sandbox::world::World;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

use super::{
    dispatch,
    fake_aws::FakeAws,
    footprint::resident,
    table::{Row, quantile},
};

const SESSIONS: usize = 2_000;
/// How many join, or connect for the first time, at once.
const AT_ONCE: usize = 64;
/// Over how long the processor's time is measured.
const CALM: Duration = Duration::from_secs(10);
/// Ticks a second in `/proc`: what Linux tells to programs, whatever its own clock does (`USER_HZ`).
const TICKS: f64 = 100.0;
/// Within this all have to be there.
const LIMIT: Duration = Duration::from_secs(120);

struct Many {
    gateway: String,
    authorities: String,
    welcomed: AtomicUsize,
}

/// Measures it.
pub async fn measure(world: &mut World, client: &Client, aws: &FakeAws) -> anyhow::Result<Vec<Row>> {
    let many = Arc::new(Many {
        gateway: world.gateway_url(),
        authorities: std::fs::read_to_string(world.dir.join("authorities.pem"))?,
        welcomed: AtomicUsize::new(0),
    });
    let joining = (0..SESSIONS).map(|number| many.join(client, number));
    let identities: Vec<ClientIdentity> = stream::iter(joining).buffer_unordered(AT_ONCE).try_collect().await?;
    let before = resident(&world.server)?;

    let mut sessions = JoinSet::new();
    for identity in identities {
        sessions.spawn(many.clone().keep(identity));
    }
    many.all_welcomed().await?;
    // What connecting took is not what a session holds.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let each = (resident(&world.server)? - before) * 1e3 / as_float(SESSIONS);
    let (used, begun) = (processor(world)?, Instant::now());
    tokio::time::sleep(CALM).await;
    let share = (processor(world)? - used) / begun.elapsed().as_secs_f64() * 100.0;
    let beside = dispatch::latencies(client, aws, 100).await?;

    world.server.kill().await?;
    many.welcomed.store(0, Ordering::Relaxed);
    let begun = Instant::now();
    world.restart_server().await?;
    many.all_welcomed().await?;
    let storm = begun.elapsed().as_secs_f64();
    let after = dispatch::latencies(client, aws, 100).await?;
    sessions.shutdown().await;
    let called = |what: &str| format!("{SESSIONS} sessions: {what}");
    Ok(vec![
        Row::at_most("P4", called("memory of the control plane for each"), each, 64.0, "KB"),
        Row::at_most("P4", called("processor for heartbeats, of one core"), share, 5.0, "%"),
        Row::at_most("P4", called("dispatch latency beside them, p50"), quantile(&beside, 0.5), 5.0, "ms"),
        Row::at_most("P5", called("control plane killed and started, until all serve again"), storm, 10.0, "s"),
        Row::at_most("P5", called("dispatch latency after that, p50"), quantile(&after, 0.5), 5.0, "ms"),
    ])
}

impl Many {
    async fn join(&self, client: &Client, number: usize) -> anyhow::Result<ClientIdentity> {
        let asked = CreateJoinTokenRequest { applications: vec!["nobody-s".to_owned()], ..CreateJoinTokenRequest::default() };
        let token = client.call(client.delegates().create_join_token(asked)).await.map_err(|error| anyhow::anyhow!("{error}"))?;
        let key_pem = tls::new_key()?;
        let request = EnrollRequest {
            join_token: token.token,
            certificate_request: tls::request(&key_pem)?,
            name: format!("many-{number}"),
            aws_identity: None,
        };
        let channel = tls::endpoint(&self.gateway, &self.authorities, None)?.connect().await?;
        let joined = DelegateGatewayClient::new(channel).enroll(request).await?.into_inner();
        Ok(ClientIdentity { certificate_pem: joined.certificate, key_pem })
    }

    /// One session after the other, with a delegate's own waits between them.
    async fn keep(self: Arc<Self>, identity: ClientIdentity) {
        let mut backoff = Backoff::reconnect();
        let instance = InstanceId::new(Uuid::now_v7());
        loop {
            if matches!(self.session(&identity, instance).await, Ok(true)) {
                backoff.reset();
            }
            let delay = backoff.next_delay(&mut rand::rng());
            tokio::time::sleep(delay).await;
        }
    }

    /// One session to its end; gives whether it was welcomed.
    async fn session(&self, identity: &ClientIdentity, instance: InstanceId) -> anyhow::Result<bool> {
        let channel = tls::endpoint(&self.gateway, &self.authorities, Some(identity))?.connect().await?;
        let (up, messages) = mpsc::channel(4);
        let hello = Hello { instance_id: instance.to_string(), version: "0".into(), protocol: PROTOCOL, ..Hello::default() };
        up.send(FromDelegate { message: Some(from_delegate::Message::Hello(hello)) }).await?;
        let mut down = DelegateGatewayClient::new(channel).session(ReceiverStream::new(messages)).await?.into_inner();
        let first = down.message().await?.and_then(|message| message.message);
        let Some(to_delegate::Message::Welcome(welcome)) = first else { return Ok(false) };
        self.welcomed.fetch_add(1, Ordering::Relaxed);
        let mut ticks = tokio::time::interval(Duration::from_millis(welcome.heartbeat_ms));
        for number in 1.. {
            tokio::select! {
                _ = ticks.tick() => {}
                said = down.message() => if matches!(said, Ok(Some(_))) { continue } else { break },
            }
            let beat = Heartbeat { number, ..Heartbeat::default() };
            if up.send(FromDelegate { message: Some(from_delegate::Message::Heartbeat(beat)) }).await.is_err() {
                break;
            }
        }
        Ok(true)
    }

    async fn all_welcomed(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while self.welcomed.load(Ordering::Relaxed) < SESSIONS {
            let there = self.welcomed.load(Ordering::Relaxed);
            anyhow::ensure!(begun.elapsed() < LIMIT, "{there} of {SESSIONS} sessions after {LIMIT:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

/// Seconds of a processor that the control plane has used.
fn processor(world: &World) -> anyhow::Result<f64> {
    let pid = world.server.pid().context("the control plane runs")?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Behind the name, which may hold anything: state is the first field, utime and stime the 12th and 13th.
    let fields: Vec<&str> = stat.rsplit(") ").next().context("fields")?.split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|ticks| ticks.parse::<f64>().ok()).context("ticks");
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn as_float(count: usize) -> f64 {
    count as f64
}
