//! Keeps a session open: connects, and connects again, for ever, with waits that grow and differ between delegates.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use runtime::{backoff::Backoff, chance::Chance, clock::Clock, tasks::Tasks};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use super::{
    Connector, describe,
    stream::{End, Session},
};
use crate::{
    agent::{Event, Holding},
    lease::SharedLease,
};

/// How long a connection may take, TLS included.
const CONNECTING: Duration = Duration::from_secs(10);
/// A session that lasted so long was a good one: the next waits are short again.
const GOOD: Duration = Duration::from_secs(2);

/// How a connection to the control plane is made.
#[async_trait]
pub trait Connect: Send + Sync + 'static {
    /// A new connection.
    ///
    /// # Errors
    /// Why there is none, in a sentence.
    async fn connect(&self) -> Result<Channel, String>;
    /// Serial number (hexadecimal) of the certificate that is kept, for the next connection.
    fn certificate(&self) -> String;
    /// The certificate is to be renewed now.
    fn renew(&self);
}

#[async_trait]
impl Connect for Connector {
    async fn connect(&self) -> Result<Channel, String> {
        let endpoint = self.endpoint().map_err(|error| error.to_string())?;
        runtime::tls::connect(&endpoint).await.map_err(|error| describe(&error))
    }

    fn certificate(&self) -> String {
        self.serial()
    }

    fn renew(&self) {
        self.ask_for_renewal();
    }
}

/// What sessions are made of.
pub struct SessionParts {
    /// The way to the control plane.
    pub connector: Arc<dyn Connect>,
    /// The agent's ear.
    pub events: mpsc::Sender<Event>,
    /// What the agent holds.
    pub holding: watch::Receiver<Holding>,
    /// The lease that heartbeats renew.
    pub lease: Arc<SharedLease>,
    /// The connection of the present session, for other streams.
    pub connection: watch::Sender<Option<Channel>>,
    /// The clock that leases go by.
    pub clock: Arc<dyn Clock>,
    /// Where waits get their jitter from.
    pub chance: Chance,
    /// Owns what runs beside a session.
    pub tasks: Tasks,
    /// Cancelled after the goodbye.
    pub closing: CancellationToken,
}

/// Holds one session after the other until the delegate has said goodbye.
pub async fn keep(parts: SessionParts) {
    let mut backoff = Backoff::reconnect();
    while !parts.closing.is_cancelled() {
        let began = Instant::now();
        let (end, good) = match connect(&parts).await {
            Ok(channel) => {
                let mut session = Session::new(&parts, channel);
                let end = session.run().await;
                (end, session.welcome() && began.elapsed() >= GOOD)
            }
            Err(problem) => (End::Lost(problem), false),
        };
        parts.connection.send_replace(None);
        if parts.events.send(Event::Lost).await.is_err() {
            return;
        }
        if good {
            backoff.reset();
        }
        let problem = match end {
            End::Parted | End::Alone => return,
            End::Lost(problem) => problem,
        };
        let delay = backoff.next_delay(&mut parts.chance.draw());
        let failures = backoff.failures();
        // Once is worth a line, and then ever more rarely: a control plane may be away for a night.
        if failures.is_power_of_two() {
            tracing::warn!(problem, failures, "no session with the control plane; trying again");
        }
        tokio::select! {
            biased;
            () = parts.closing.cancelled() => {}
            () = tokio::time::sleep(delay) => {}
        }
    }
}

async fn connect(parts: &SessionParts) -> Result<Channel, String> {
    tokio::select! {
        biased;
        () = parts.closing.cancelled() => Err("the delegate is leaving".into()),
        connected = tokio::time::timeout(CONNECTING, parts.connector.connect()) => {
            connected.unwrap_or_else(|_| Err(format!("no connection within {CONNECTING:?}")))
        }
    }
}
