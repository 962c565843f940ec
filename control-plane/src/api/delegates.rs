//! The delegates: who has joined and how they stand, and tokens to join with.

use std::{sync::Arc, time::Duration};

use domain::{
    error::{Error, ErrorCode},
    manifest::check_name,
    scope::Scope,
};
use proto::{
    api::{
        CreateJoinTokenRequest, CreateJoinTokenResponse, Delegate, DelegateVerdict, DrainDelegateRequest, ListDelegatesRequest,
        ListDelegatesResponse, RevokeDelegateRequest, WhyRequest, WhyResponse, delegates_server::Delegates,
    },
    convert::document::parse,
    delegate::{Drain, to_delegate},
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

    /// The delegate that a person calls so.
    fn called(&self, name: &str) -> Result<Arc<EnrolledDelegate>, Status> {
        self.context.dispatch.roster.called(name).map_err(|error| status::not_one(&error))
    }

    fn delegate(&self, enrolled: &EnrolledDelegate) -> Delegate {
        let dispatch = &self.context.dispatch;
        let session = dispatch.sessions.of(enrolled.id);
        let lease = session.as_ref().map(|session| dispatch.leases.remaining(session.instance, self.context.clock.monotonic()));
        let copied = dispatch.copies.of(enrolled.id);
        let kinds = session.as_ref().map(|session| session.kinds.iter().map(|kind| kind.as_str().to_owned()).collect());
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
            applications: enrolled.scope.applications.iter().cloned().collect(),
            environments: enrolled.scope.environments.iter().cloned().collect(),
            revoked_at_ms: enrolled.revoked.as_ref().map_or(0, |revoked| revoked.at_ms),
            revoked_by: enrolled.revoked.as_ref().map(|revoked| revoked.by.clone()).unwrap_or_default(),
            identity: enrolled.identity.clone().unwrap_or_default(),
            step_kinds: kinds.unwrap_or_default(),
            copied_at_ms: copied.map_or(0, |copied| copied.at_ms),
            copied_instance_ids: copied
                .map(|copied| [copied.instance, copied.other].map(|instance| instance.to_string()).to_vec())
                .unwrap_or_default(),
        }
    }
}

/// The scope of a join token.
fn scope(applications: Vec<String>, environments: Vec<String>) -> Result<Scope, Status> {
    for name in applications.iter().chain(&environments) {
        check_name(name).map_err(|wrong| status::status(&Error::new(ErrorCode::Invalid, format!("scope: {}", wrong.message))))?;
    }
    Ok(Scope { applications: applications.into_iter().collect(), environments: environments.into_iter().collect() })
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
        let request = request.into_inner();
        let ttl = Duration::from_secs(request.ttl_seconds);
        let scope = scope(request.applications, request.environments)?;
        let (id, now_ms) = (Uuid::now_v7(), self.context.clock.now_ms());
        let made = self.context.enrolment.create_join_token(ttl, scope, &caller.name, id, now_ms, &mut self.context.rng()).await;
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

    async fn drain(&self, request: Request<DrainDelegateRequest>) -> Result<Response<Delegate>, Status> {
        let caller = caller(&request)?;
        let delegate = self.called(&request.into_inner().delegate)?;
        let Some(session) = self.context.dispatch.sessions.of(delegate.id) else {
            let message = format!("{} ({}) is not connected: there is nothing to drain", delegate.name, delegate.id);
            return Err(status::status(&Error::new(ErrorCode::Refused, message)));
        };
        session.send(to_delegate::Message::Drain(Drain { reason: format!("{} asked for it", caller.name) }));
        tracing::info!(target: "audit", caller = caller.name, delegate = %delegate.id, "a delegate was asked to leave");
        Ok(Response::new(self.delegate(&delegate)))
    }

    async fn revoke(&self, request: Request<RevokeDelegateRequest>) -> Result<Response<Delegate>, Status> {
        let caller = caller(&request)?;
        let delegate = self.called(&request.into_inner().delegate)?;
        let revoked = self.context.enrolment.revoke(delegate.id, &caller.name, self.context.clock.now_ms()).await;
        let revoked = revoked.map_err(|error| status::enrol(&error))?;
        tracing::warn!(target: "audit", caller = caller.name, delegate = %delegate.id, "a delegate was revoked");
        let told = self.delegate(&revoked);
        self.context.dispatch.roster.enter(revoked);
        Ok(Response::new(told))
    }

    async fn why(&self, request: Request<WhyRequest>) -> Result<Response<WhyResponse>, Status> {
        let id = parse("deployment_id", &request.into_inner().deployment_id).map_err(|error| status::malformed(&error))?;
        let explained = self.context.dispatch.explain(id).await.map_err(|error| status::dispatch(&error))?;
        let delegates = explained.verdicts.into_iter().map(|verdict| DelegateVerdict {
            id: verdict.delegate.id.to_string(),
            name: verdict.delegate.name.clone(),
            holds: verdict.holds,
            objection: verdict.objection.unwrap_or_default(),
            tasks: u32::try_from(verdict.load).unwrap_or(u32::MAX),
        });
        Ok(Response::new(WhyResponse { step: explained.step.unwrap_or_default(), delegates: delegates.collect() }))
    }
}
