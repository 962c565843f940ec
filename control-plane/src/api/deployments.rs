//! Deployments: plan and start, look, watch, read the log, speak a word.

use std::{collections::BTreeMap, sync::Arc};

use domain::signal::Signal;
use domain::{
    error::{Error, ErrorCode},
    ids::DeploymentId,
};
use proto::{
    api::{
        Deployment, GetDeploymentRequest, ListDeploymentsRequest, ListDeploymentsResponse, LogEntry, LogsRequest,
        RollbackRequest, RollbackResponse, SignalRequest, StartRequest, StartResponse, deployments_server::Deployments,
    },
    convert::{deployment::to_wire, document::parse},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{bearer::caller, context::ApiContext, resources, rollback, status, streams};
use crate::dispatch::AcceptKey;

/// Deployments listed when the request does not say how many.
const LISTED: u32 = 20;
/// And at most.
const MOST_LISTED: u32 = 200;
/// Characters of an idempotency key.
const KEY: usize = 64;
/// Characters of a comment, at most.
const COMMENT: usize = 1_000;

/// The service.
pub struct DeploymentsService {
    context: Arc<ApiContext>,
}

impl DeploymentsService {
    /// The service over what the API works with.
    pub fn new(context: Arc<ApiContext>) -> Self {
        Self { context }
    }
}

impl DeploymentsService {
    /// The deployment that the same request was accepted as before.
    async fn accepted_before(&self, key: Option<&AcceptKey>) -> Result<Option<DeploymentId>, Status> {
        let Some(key) = key else { return Ok(None) };
        self.context.dispatch.accepted_as(key).await.map_err(|error| status::dispatch(&error))
    }

    async fn step_named(&self, id: DeploymentId, name: &str) -> Result<u32, Status> {
        let view = self.context.dispatch.view(id).await.map_err(|error| status::dispatch(&error))?;
        let named = view.steps.iter().find(|step| step.name == name).map(|step| step.index);
        named.ok_or_else(|| {
            let names: Vec<&str> = view.steps.iter().map(|step| step.name.as_str()).collect();
            invalid(format!("step: the deployment has no step {name:?}; its steps: {}", names.join(", ")))
        })
    }
}

#[tonic::async_trait]
impl Deployments for DeploymentsService {
    async fn start(&self, request: Request<StartRequest>) -> Result<Response<StartResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let dispatch = &self.context.dispatch;
        let key = accept_key(&caller.name, &request.idempotency_key)?;
        if let Some(before) = self.accepted_before(key.as_ref()).await? {
            return Ok(Response::new(started(before)));
        }
        let request = crate::workflow::StartRequest {
            application: request.application,
            workflow: request.workflow,
            tag: request.artifact_tag,
            variables: request.variables.into_iter().collect::<BTreeMap<_, _>>(),
            triggered_by: caller.name,
        };
        match self
            .context
            .catalogue
            .compile(&request, DeploymentId::new(Uuid::now_v7()))
            .await
            .map_err(|e| status::catalogue(&e))?
        {
            Ok(plan) => {
                let id = dispatch.accept(plan, key).await.map_err(|error| status::dispatch(&error))?;
                Ok(Response::new(started(id)))
            }
            Err(diagnostics) => {
                let diagnostics = diagnostics.into_iter().map(resources::diagnostic).collect();
                Ok(Response::new(StartResponse { deployment_id: String::new(), diagnostics }))
            }
        }
    }

    async fn get(&self, request: Request<GetDeploymentRequest>) -> Result<Response<Deployment>, Status> {
        let id = id(&request.into_inner().deployment_id)?;
        let view = self.context.dispatch.view(id).await.map_err(|error| status::dispatch(&error))?;
        Ok(Response::new(to_wire(&view)))
    }

    async fn list(&self, request: Request<ListDeploymentsRequest>) -> Result<Response<ListDeploymentsResponse>, Status> {
        let ListDeploymentsRequest { application, limit } = request.into_inner();
        let application = Some(application.as_str()).filter(|application| !application.is_empty());
        let limit = if limit == 0 { LISTED } else { limit.min(MOST_LISTED) };
        let newest = self.context.dispatch.newest(application, usize::try_from(limit).unwrap_or(usize::MAX)).await;
        let newest = newest.map_err(|error| status::dispatch(&error))?;
        Ok(Response::new(ListDeploymentsResponse { deployments: newest.iter().map(to_wire).collect() }))
    }

    type WatchStream = ReceiverStream<Result<Deployment, Status>>;

    async fn watch(&self, request: Request<GetDeploymentRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let id = id(&request.into_inner().deployment_id)?;
        let first = self.context.dispatch.view(id).await.map_err(|error| status::dispatch(&error))?;
        Ok(Response::new(streams::watch(&self.context, id, first)))
    }

    type LogsStream = ReceiverStream<Result<LogEntry, Status>>;

    async fn logs(&self, request: Request<LogsRequest>) -> Result<Response<Self::LogsStream>, Status> {
        let LogsRequest { deployment_id, after, follow } = request.into_inner();
        let id = id(&deployment_id)?;
        // Whether there is such a deployment at all.
        self.context.dispatch.view(id).await.map_err(|error| status::dispatch(&error))?;
        Ok(Response::new(streams::logs(&self.context, id, after, follow)))
    }

    async fn signal(&self, request: Request<SignalRequest>) -> Result<Response<Deployment>, Status> {
        let who = caller(&request)?.name;
        let SignalRequest { deployment_id, signal, step, comment } = request.into_inner();
        let id = id(&deployment_id)?;
        let said = Signal::parse(&signal).ok_or_else(|| {
            let known = Signal::ALL.map(Signal::as_str).join(", ");
            invalid(format!("signal: {signal:?} is none of {known}"))
        })?;
        if comment.chars().count() > COMMENT {
            return Err(invalid(format!("comment: at most {COMMENT} characters")));
        }
        let comment = Some(comment).filter(|comment| !comment.is_empty());
        let about = match step.as_str() {
            "" => None,
            name => Some(self.step_named(id, name).await?),
        };
        tracing::info!(target: "audit", caller = who, deployment = %id, signal, "a deployment was signalled");
        let view = self.context.dispatch.signal(id, who, said, about, comment).await;
        let view = view.map_err(|error| status::dispatch(&error))?;
        Ok(Response::new(to_wire(&view)))
    }

    async fn rollback(&self, request: Request<RollbackRequest>) -> Result<Response<RollbackResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let key = accept_key(&caller.name, &request.idempotency_key)?;
        if let Some(before) = self.accepted_before(key.as_ref()).await? {
            return Ok(Response::new(RollbackResponse { deployment_id: before.to_string(), preview: None }));
        }
        Ok(Response::new(rollback::rollback(&self.context, &caller.name, key, request).await?))
    }
}

fn accept_key(caller: &str, key: &str) -> Result<Option<AcceptKey>, Status> {
    if key.len() > KEY {
        return Err(invalid(format!("idempotency_key: at most {KEY} characters")));
    }
    Ok(Some(key).filter(|key| !key.is_empty()).map(|key| AcceptKey::new(caller, key)))
}

fn id(text: &str) -> Result<DeploymentId, Status> {
    parse("deployment_id", text).map_err(|error| status::malformed(&error))
}

fn started(id: DeploymentId) -> StartResponse {
    StartResponse { deployment_id: id.to_string(), diagnostics: Vec::new() }
}

fn invalid(message: String) -> Status {
    status::status(&Error::new(ErrorCode::Invalid, message))
}
