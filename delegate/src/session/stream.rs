//! One session, from hello to its end: reads what the control plane says, in order, and hands it to the agent.

use std::{sync::Arc, time::Duration};

use proto::{
    convert::Malformed,
    delegate::{ToDelegate, delegate_gateway_client::DelegateGatewayClient},
};
use tokio::{sync::oneshot, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Status, transport::Channel};

use super::{
    SessionParts, Uplink,
    heartbeat::{Beats, Pulse},
    message::Said,
};
use crate::{agent::Event, lease::Reading};

/// How long the control plane may take to accept the stream, and then to say welcome.
const OPENING: Duration = Duration::from_secs(10);
/// How long it may take to end the stream after a goodbye.
const PARTING: Duration = Duration::from_secs(2);

/// How a session ended.
#[derive(Debug)]
pub enum End {
    /// The delegate said goodbye, or has nothing to say any more.
    Parted,
    /// The stream ended without the delegate's will. On the wire a clean end and a crash look the same: both mean lost.
    Lost(String),
    /// The agent is gone: the process ends.
    Alone,
}

/// What can happen to a session.
enum Happening {
    /// A message, or the end of the stream.
    Said(Result<Option<ToDelegate>, Status>),
    /// The connection takes nothing more, or nobody answers.
    Broken,
    /// The goodbye is said.
    Closing,
    /// The control plane had time enough to say welcome, or after a goodbye to end the stream.
    TimeUp,
}

/// A session while it lasts.
pub struct Session<'a> {
    parts: &'a SessionParts,
    channel: Channel,
    beats: Arc<Beats>,
    broken: CancellationToken,
    uplink: Option<Uplink>,
    /// Ends the heartbeats when the session is dropped.
    pulse: Option<tokio_util::sync::DropGuard>,
    lease_length: Duration,
    welcome: bool,
}

impl<'a> Session<'a> {
    /// A session on this connection, not begun yet.
    pub fn new(parts: &'a SessionParts, channel: Channel) -> Self {
        let beats = Arc::new(Beats::begin(Reading::of(parts.clock.as_ref())));
        Self {
            parts,
            channel,
            beats,
            broken: CancellationToken::new(),
            uplink: None,
            pulse: None,
            lease_length: Duration::ZERO,
            welcome: false,
        }
    }

    /// Whether the control plane has said welcome.
    pub fn welcome(&self) -> bool {
        self.welcome
    }

    /// Runs the session to its end.
    pub async fn run(&mut self) -> End {
        let (uplink, outbound) = Uplink::new(self.broken.clone());
        // The agent says hello: what it names is exactly what it holds, with everything that was said before taken in.
        if self.parts.events.send(Event::Opened(uplink.clone())).await.is_err() {
            return End::Alone;
        }
        self.uplink = Some(uplink);
        let mut client = DelegateGatewayClient::new(self.channel.clone());
        let opening = client.session(ReceiverStream::new(outbound));
        let opening = self.parts.closing.run_until_cancelled(tokio::time::timeout(OPENING, opening));
        let mut said = match opening.await {
            Some(Ok(Ok(response))) => response.into_inner(),
            Some(Ok(Err(status))) => return End::Lost(format!("refused: {}", status.message())),
            Some(Err(_)) => return End::Lost("no answer when the stream was opened".into()),
            None => return End::Parted,
        };
        let patience = tokio::time::sleep(OPENING);
        tokio::pin!(patience);
        let mut closing = false;
        loop {
            let happening = tokio::select! {
                biased;
                () = self.broken.cancelled() => Happening::Broken,
                () = self.parts.closing.cancelled(), if !closing => Happening::Closing,
                message = said.message() => Happening::Said(message),
                () = &mut patience, if closing || !self.welcome => Happening::TimeUp,
            };
            let end = match happening {
                // Nobody is there any more to do anything about it.
                Happening::Said(Ok(Some(_))) if closing => None,
                Happening::Said(Ok(Some(message))) => self.take(Said::read(message)).await.err(),
                Happening::Said(Ok(None)) if closing => Some(End::Parted),
                Happening::Said(Ok(None)) => Some(End::Lost("the control plane ended the stream".into())),
                Happening::Said(Err(_)) if closing => Some(End::Parted),
                Happening::Said(Err(status)) => Some(End::Lost(status.message().to_owned())),
                Happening::Broken => Some(End::Lost("the control plane does not answer or does not read".into())),
                // Without a welcome there was no goodbye either.
                Happening::Closing if !self.welcome => Some(End::Parted),
                Happening::Closing => {
                    // With the agent's and the heartbeats' ends, ours is the last: the control plane sees the stream end.
                    closing = true;
                    patience.as_mut().reset(Instant::now() + PARTING);
                    self.pulse = None;
                    self.uplink = None;
                    None
                }
                Happening::TimeUp if closing => Some(End::Parted),
                Happening::TimeUp => Some(End::Lost("no welcome in time".into())),
            };
            match end {
                // The agent said goodbye while we had a message for it.
                Some(End::Alone) if self.parts.closing.is_cancelled() => {}
                Some(end) => return end,
                None => {}
            }
        }
    }

    async fn take(&mut self, said: Result<Said, Malformed>) -> Result<(), End> {
        let said = match said {
            Ok(said) => said,
            Err(malformed) if !self.welcome => return Err(End::Lost(format!("the welcome can't be understood: {malformed}"))),
            Err(malformed) => {
                tracing::warn!(%malformed, "a message of the control plane can't be understood and is left out");
                return Ok(());
            }
        };
        match said {
            // Renewed here and at once, not behind whatever the agent has to do.
            Said::HeartbeatAcknowledged(number) => {
                if let Some(sent) = self.beats.answered(number) {
                    self.parts.lease.renew(sent, self.lease_length);
                }
                Ok(())
            }
            Said::Welcome(terms) => {
                if self.welcome {
                    return Err(End::Lost("the control plane said welcome twice".into()));
                }
                self.welcome = true;
                tracing::info!(lease = ?terms.lease, heartbeat = ?terms.heartbeat, "connected to the control plane");
                let (lease, heartbeat, revoked) = (terms.lease, terms.heartbeat, terms.revoked);
                // No lease before the agent has stopped what is no longer ours: neither by the hello nor by a heartbeat.
                let (taken_in, known) = oneshot::channel();
                self.hand_on(Event::Welcomed { revoked, taken_in }).await?;
                known.await.map_err(|_| End::Alone)?;
                if let Some(sent) = self.beats.answered(0) {
                    self.parts.lease.renew(sent, lease);
                }
                self.begin(lease, heartbeat);
                Ok(())
            }
            Said::RenewalAsked => {
                self.parts.connector.renew();
                Ok(())
            }
            Said::Told(told) => self.hand_on(Event::Told(told)).await,
        }
    }

    async fn hand_on(&self, event: Event) -> Result<(), End> {
        self.parts.events.send(event).await.map_err(|_| End::Alone)
    }

    fn begin(&mut self, lease: Duration, heartbeat: Duration) {
        self.lease_length = lease;
        self.parts.connection.send_replace(Some(self.channel.clone()));
        let Some(uplink) = self.uplink.clone() else { return };
        let pulse = Pulse {
            uplink,
            beats: self.beats.clone(),
            holding: self.parts.holding.clone(),
            lease: self.parts.lease.clone(),
            connector: self.parts.connector.clone(),
            clock: self.parts.clock.clone(),
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        self.parts.tasks.spawn("heartbeats", async move {
            stopped.run_until_cancelled(pulse.beat(heartbeat, lease)).await;
        });
        self.pulse = Some(stop.drop_guard());
    }
}
