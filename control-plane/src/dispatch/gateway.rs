//! The delegates' port: joining with a token, everything else with a certificate. Who calls is read from the certificate that TLS
//! verified, and from nothing in the message.

use std::sync::Arc;

use domain::ids::DelegateId;
use proto::delegate::{
    EnrollRequest, EnrollResponse, FromDelegate, LogAck, LogChunk, RenewRequest, RenewResponse, ToDelegate,
    delegate_gateway_server::DelegateGateway,
};
use rand::{SeedableRng, rngs::StdRng};
use runtime::tls::Peer;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::{conversation::Conversation, dispatcher::Dispatch, sessions::DOWN_QUEUE, shipping::Shipping};
use crate::{
    access::{Claim, Enrolment},
    api::status,
    logs::LogHub,
};

/// Acknowledgements that may wait for a delegate to read them.
const ACKS: usize = 64;

/// The service on the delegates' port.
pub struct Gateway {
    dispatch: Arc<Dispatch>,
    enrolment: Arc<Enrolment>,
    logs: Arc<LogHub>,
}

impl Gateway {
    /// The service over what it works with.
    pub fn new(dispatch: Arc<Dispatch>, enrolment: Arc<Enrolment>, logs: Arc<LogHub>) -> Self {
        Self { dispatch, enrolment, logs }
    }
}

#[tonic::async_trait]
impl DelegateGateway for Gateway {
    async fn enroll(&self, request: Request<EnrollRequest>) -> Result<Response<EnrollResponse>, Status> {
        let peer = peer(&request);
        let EnrollRequest { join_token, certificate_request, name, aws_identity } = request.into_inner();
        let (id, now_ms, mut rng) = (Uuid::now_v7(), self.dispatch.clock.now_ms(), StdRng::from_os_rng());
        let enrolled = match aws_identity {
            Some(identity) => {
                let headers = identity.headers.into_iter().map(|header| (header.name.to_ascii_lowercase(), header.value));
                let claim = Claim { region: identity.region, headers: headers.collect() };
                self.enrolment.enrol_by_aws(&claim, &certificate_request, &name, now_ms, &mut rng).await
            }
            None => self.enrolment.enrol(&join_token, &certificate_request, &name, id, now_ms, &mut rng).await,
        };
        let enrolled = enrolled.map_err(|error| {
            tracing::warn!(target: "audit", peer, %error, "a delegate was not let in");
            status::enrol(&error)
        })?;
        tracing::info!(target: "audit", peer, delegate = %enrolled.delegate.id, name, "a delegate joined");
        let delegate_id = enrolled.delegate.id.to_string();
        self.dispatch.roster.enter(enrolled.delegate);
        let (certificate, authorities) = (enrolled.certificate_pem, enrolled.authorities);
        Ok(Response::new(EnrollResponse { delegate_id, certificate, authorities }))
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<RenewResponse>, Status> {
        let (delegate, _) = self.trusted(&request)?;
        let (now_ms, mut rng) = (self.dispatch.clock.now_ms(), StdRng::from_os_rng());
        let renewed = self.enrolment.renew(delegate, &request.into_inner().certificate_request, now_ms, &mut rng).await;
        let renewed = renewed.map_err(|error| status::enrol(&error))?;
        tracing::info!(target: "audit", %delegate, "a delegate's certificate was renewed");
        self.dispatch.roster.enter(renewed.delegate);
        Ok(Response::new(RenewResponse { certificate: renewed.certificate_pem, authorities: renewed.authorities }))
    }

    type SessionStream = ReceiverStream<Result<ToDelegate, Status>>;

    async fn session(&self, request: Request<Streaming<FromDelegate>>) -> Result<Response<Self::SessionStream>, Status> {
        let (delegate, trusted) = self.trusted(&request)?;
        let (down, messages_down) = mpsc::channel(DOWN_QUEUE);
        let conversation = Conversation {
            dispatch: self.dispatch.clone(),
            enrolment: self.enrolment.clone(),
            certificate: serial(&request),
            delegate,
            messages: request.into_inner(),
            down,
            trusted,
            stop: self.dispatch.tasks.token().clone(),
        };
        // Ends with its stream, or when the tasks' token is cancelled.
        self.dispatch.tasks.spawn("delegate session", conversation.run());
        Ok(Response::new(ReceiverStream::new(messages_down)))
    }

    type ShipLogsStream = ReceiverStream<Result<LogAck, Status>>;

    async fn ship_logs(&self, request: Request<Streaming<LogChunk>>) -> Result<Response<Self::ShipLogsStream>, Status> {
        let (delegate, trusted) = self.trusted(&request)?;
        let (acks, acks_down) = mpsc::channel(ACKS);
        let shipping = Shipping::new(self.dispatch.clone(), self.logs.clone(), delegate, acks);
        let chunks = request.into_inner();
        self.dispatch.tasks.spawn_until_cancelled("delegate logs", async move {
            // What a revoked delegate still had to say is left out.
            trusted.run_until_cancelled(shipping.run(chunks)).await;
        });
        Ok(Response::new(ReceiverStream::new(acks_down)))
    }
}

impl Gateway {
    /// The delegate that calls, if it is still trusted, and the token that is cancelled when it no longer is.
    fn trusted<T>(&self, request: &Request<T>) -> Result<(DelegateId, CancellationToken), Status> {
        let delegate = delegate(request)?;
        // TLS looks at a connection's certificate once; the connection may outlast it, if the delegate has renewed it meanwhile.
        let ends_ms = self.dispatch.roster.get(delegate).map_or(i64::MAX, |known| known.certificate_ends_ms);
        if ends_ms <= self.dispatch.clock.now_ms() {
            return Err(Status::unauthenticated("this delegate's certificate has ended: it has to join again"));
        }
        let trusted = self.dispatch.roster.trusted(delegate).ok_or_else(|| {
            tracing::warn!(target: "audit", peer = peer(request), %delegate, "a call of a delegate that is unknown or revoked was refused");
            Status::permission_denied("this delegate is not known to the control plane, or was revoked")
        })?;
        Ok((delegate, trusted))
    }
}

/// The delegate that calls, by its certificate.
fn delegate<T>(request: &Request<T>) -> Result<DelegateId, Status> {
    let certificate = request.extensions().get::<Peer>().and_then(|peer| peer.certificate.as_ref());
    match certificate {
        Some(certificate) => Ok(certificate.delegate),
        None => {
            tracing::warn!(target: "audit", peer = peer(request), "a call without a delegate's certificate was refused");
            Err(Status::unauthenticated("this call needs the certificate of a delegate that has joined"))
        }
    }
}

/// Serial number of the certificate that the connection was opened with.
fn serial<T>(request: &Request<T>) -> String {
    let certificate = request.extensions().get::<Peer>().and_then(|peer| peer.certificate.as_ref());
    certificate.map(|certificate| certificate.serial.clone()).unwrap_or_default()
}

fn peer<T>(request: &Request<T>) -> String {
    request.extensions().get::<Peer>().map_or_else(|| "unknown".to_owned(), |peer| peer.address.to_string())
}
