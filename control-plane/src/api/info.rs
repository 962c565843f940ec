//! What the server says of itself.

use std::sync::Arc;

use domain::error::{Error, ErrorCode};
use proto::api::{
    AuthoritiesRequest, AuthoritiesResponse, InfoRequest, InfoResponse, RotateAuthorityRequest, TrustedAuthority,
    server_server::Server,
};
use runtime::tls::{serial, validity_ends_ms};
use tonic::{Request, Response, Status};

use super::{bearer::caller, context::ApiContext, status};
use crate::{access::Trust, store::StoreHealth};

/// The service.
pub struct ServerService {
    context: Arc<ApiContext>,
}

impl ServerService {
    /// The service over what the API works with.
    pub fn new(context: Arc<ApiContext>) -> Self {
        Self { context }
    }

    fn authorities(&self, trust: &Trust) -> AuthoritiesResponse {
        let signing = Some(trust.signing.certificate_pem());
        let known = [signing, trust.other.as_deref()].into_iter().flatten().enumerate();
        AuthoritiesResponse {
            phase: trust.phase.as_str().to_owned(),
            bundle: trust.bundle.clone(),
            authorities: known
                .map(|(number, pem)| TrustedAuthority {
                    // Both were read when they were loaded.
                    serial: serial(pem).unwrap_or_default(),
                    expires_at_ms: validity_ends_ms(pem).unwrap_or_default(),
                    signs: number == 0,
                })
                .collect(),
            waiting: self.context.rotation.waiting(),
        }
    }
}

#[tonic::async_trait]
impl Server for ServerService {
    async fn info(&self, _: Request<InfoRequest>) -> Result<Response<InfoResponse>, Status> {
        let (writable, reason) = match self.context.store.health() {
            StoreHealth::Writable => (true, String::new()),
            StoreHealth::ReadOnly { reason } => (false, reason),
        };
        let connected = self.context.dispatch.sessions.count();
        Ok(Response::new(InfoResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            writable,
            reason,
            delegates_connected: u32::try_from(connected).unwrap_or(u32::MAX),
        }))
    }

    async fn authorities(&self, _: Request<AuthoritiesRequest>) -> Result<Response<AuthoritiesResponse>, Status> {
        Ok(Response::new(self.authorities(&self.context.rotation.trust())))
    }

    async fn rotate_authority(&self, request: Request<RotateAuthorityRequest>) -> Result<Response<AuthoritiesResponse>, Status> {
        let caller = caller(&request)?;
        let RotateAuthorityRequest { phase, force } = request.into_inner();
        let rotation = self.context.rotation.clone();
        let seen = rotation.trust().phase;
        if seen.as_str() != phase {
            let message = format!("the exchange is in the phase {:?} by now, not {phase:?}", seen.as_str());
            return Err(status::status(&Error::new(ErrorCode::Refused, message).hint("Look again: segue authority show")));
        }
        let advanced = tokio::task::spawn_blocking(move || rotation.advance(force)).await;
        let advanced = advanced.map_err(|_| Status::internal("the exchange broke off: see the log"))?;
        let trust = advanced.map_err(|error| status::rotation(&error))?;
        tracing::warn!(target: "audit", caller = caller.name, phase = trust.phase.as_str(), force, "the authority's exchange went on");
        Ok(Response::new(self.authorities(&trust)))
    }
}
