//! The delegates: who has joined and how they stand, and tokens to join with.

use std::{sync::Arc, time::Duration};

use proto::api::{
    CreateJoinTokenRequest, CreateJoinTokenResponse, Delegate, ListDelegatesRequest, ListDelegatesResponse,
    delegates_server::Delegates,
};
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{bearer::caller, context::ApiContext, status};
use crate::dispatch::EnrolledDelegate;

/// The service.
pub struct DelegatesService {
    context: Arc<ApiContext>,
}

impl DelegatesService {
    /// The service over what the API works with.
    pub fn new(context: Arc<ApiContext>) -> Self {
        Self { context }
    }

    fn delegate(&self, enrolled: &EnrolledDelegate) -> Delegate {
        let dispatch = &self.context.dispatch;
        let session = dispatch.sessions.of(enrolled.id);
        let lease = session.as_ref().map(|session| dispatch.leases.remaining(session.instance, self.context.clock.monotonic()));
        Delegate {
            id: enrolled.id.to_string(),
            name: enrolled.name.clone(),
            connected: session.is_some(),
            draining: session.as_ref().is_some_and(|session| session.draining()),
            version: session.as_ref().map(|session| session.version.clone()).unwrap_or_default(),
            instance_id: session.as_ref().map(|session| session.instance.to_string()).unwrap_or_default(),
            selectors: session.as_ref().map(|session| session.selectors.iter().cloned().collect()).unwrap_or_default(),
            tasks: dispatch.leases.held_by(enrolled.id).iter().map(ToString::to_string).collect(),
            enrolled_at_ms: enrolled.enrolled_at_ms,
            last_seen_ms: session.as_ref().map_or(0, |session| session.last_seen_ms()),
            lease_remaining_ms: lease.map_or(0, |lease| i64::try_from(lease.as_millis()).unwrap_or(i64::MAX)),
            certificate_expires_at_ms: enrolled.certificate_ends_ms,
        }
    }
}

#[tonic::async_trait]
impl Delegates for DelegatesService {
    async fn list(&self, _: Request<ListDelegatesRequest>) -> Result<Response<ListDelegatesResponse>, Status> {
        let enrolled = self.context.dispatch.roster.all();
        let delegates = enrolled.iter().map(|enrolled| self.delegate(enrolled)).collect();
        Ok(Response::new(ListDelegatesResponse { delegates }))
    }

    async fn create_join_token(
        &self,
        request: Request<CreateJoinTokenRequest>,
    ) -> Result<Response<CreateJoinTokenResponse>, Status> {
        let caller = caller(&request)?;
        let ttl = Duration::from_secs(request.into_inner().ttl_seconds);
        let (id, now_ms) = (Uuid::now_v7(), self.context.clock.now_ms());
        let made = self.context.enrolment.create_join_token(ttl, &caller.name, id, now_ms, &mut self.context.rng()).await;
        let made = made.map_err(|error| status::access(&error))?;
        tracing::info!(target: "audit", caller = caller.name, token = %made.id, "a join token was made");
        Ok(Response::new(CreateJoinTokenResponse {
            token: made.token.expose_secret().to_owned(),
            token_id: made.id.to_string(),
            expires_at_ms: made.expires_at_ms,
            gateway: self.context.gateway.clone(),
            authorities: self.context.enrolment.authorities().to_owned(),
        }))
    }
}
