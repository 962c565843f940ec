//! Discovery: a person's question, put to an eligible delegate, and its answer.

use std::{sync::Arc, time::Duration};

use domain::{
    discovery::{Query, Subject},
    error::{Error, ErrorCode},
    ids::QueryId,
};
use proto::{
    api::{DiscoveryRequest, DiscoveryResponse, discovery_server::Discovery},
    convert::document::to_json,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{context::ApiContext, status};
use crate::{dispatch::Need, workflow::Placed};

/// How long a delegate may look: many pages of AWS's answers, read at AWS's pace.
const LIMIT: Duration = Duration::from_secs(60);

/// The service.
pub struct DiscoveryService {
    context: Arc<ApiContext>,
}

impl DiscoveryService {
    /// The service over what the API works with.
    pub fn new(context: Arc<ApiContext>) -> Self {
        Self { context }
    }
}

#[tonic::async_trait]
impl Discovery for DiscoveryService {
    async fn query(&self, request: Request<DiscoveryRequest>) -> Result<Response<DiscoveryResponse>, Status> {
        let request = request.into_inner();
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let subject = match request.subject.as_str() {
            "loadBalancers" => Subject::LoadBalancers { name_contains: some(request.name_contains) },
            other => {
                let error = Error::new(ErrorCode::Invalid, format!("subject: {other:?} can't be discovered"));
                return Err(status::status(&error.hint("Known: loadBalancers")));
            }
        };
        let found = self.context.catalogue.infrastructure(&request.application, &request.infrastructure).await;
        let Placed { application, environment, mut infrastructure } = found.map_err(|error| status::catalogue(&error))?;
        infrastructure.vpc = some(request.vpc).or(infrastructure.vpc);
        let dispatch = &self.context.dispatch;
        let selectors = &infrastructure.delegate_selectors;
        let need = Need { kind: None, selectors, application: &application, environment: &environment, reach: None };
        let session = dispatch.eligible(need).map_err(|reasons| {
            status::status(&Error::new(ErrorCode::Unavailable, format!("No delegate is eligible:\n{}", reasons.join("\n"))))
        })?;
        let query = Query { infrastructure, subject };
        let answer = dispatch.queries.ask(&session, QueryId::new(Uuid::now_v7()), &query, LIMIT).await;
        let answer = answer.map_err(|error| status::query(&error))?;
        Ok(Response::new(DiscoveryResponse {
            delegate_id: session.delegate.to_string(),
            delegate_name: session.name.clone(),
            answer_json: to_json(&answer),
        }))
    }
}
