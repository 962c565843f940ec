//! Documents: applied all or none, read, listed.

use std::sync::Arc;

use domain::{
    error::{Error, ErrorCode},
    manifest::{Diagnostic, Kind, ResourceKey},
};
use proto::api::{
    Applied, ApplyRequest, ApplyResponse, GetResourceRequest, ListResourcesRequest, ListResourcesResponse, Resource,
    resources_server::Resources,
};
use tonic::{Request, Response, Status};

use super::{
    bearer::caller,
    catalogue::{AppliedDocument, KeptDocument},
    context::ApiContext,
    status,
};

/// The service.
pub struct ResourcesService {
    context: Arc<ApiContext>,
}

impl ResourcesService {
    /// The service over what the API works with.
    pub fn new(context: Arc<ApiContext>) -> Self {
        Self { context }
    }
}

#[tonic::async_trait]
impl Resources for ResourcesService {
    async fn apply(&self, request: Request<ApplyRequest>) -> Result<Response<ApplyResponse>, Status> {
        let who = caller(&request)?.name;
        let ApplyRequest { documents, dry_run } = request.into_inner();
        let files: Vec<(String, String)> = documents.into_iter().map(|document| (document.file, document.text)).collect();
        let applied = self.context.catalogue.apply(&files, dry_run, &who, self.context.clock.now_ms()).await;
        let response = match applied.map_err(|error| status::catalogue(&error))? {
            Ok(applied) => {
                tracing::info!(target: "audit", caller = who, dry_run, documents = applied.len(), "documents were applied");
                ApplyResponse { diagnostics: Vec::new(), applied: applied.into_iter().map(applied_to_wire).collect() }
            }
            Err(findings) => ApplyResponse { diagnostics: findings.into_iter().map(diagnostic).collect(), applied: Vec::new() },
        };
        Ok(Response::new(response))
    }

    async fn get(&self, request: Request<GetResourceRequest>) -> Result<Response<Resource>, Status> {
        let GetResourceRequest { kind: word, application, name } = request.into_inner();
        let key = ResourceKey::new(kind(&word)?, &application, &name);
        let document = self.context.catalogue.get(&key).await.map_err(|error| status::catalogue(&error))?;
        Ok(Response::new(document_to_wire(document)))
    }

    async fn list(&self, request: Request<ListResourcesRequest>) -> Result<Response<ListResourcesResponse>, Status> {
        let ListResourcesRequest { kind: word, application } = request.into_inner();
        let of_kind = if word.is_empty() { None } else { Some(kind(&word)?) };
        let application = Some(application.as_str()).filter(|application| !application.is_empty());
        let listed = self.context.catalogue.list(of_kind, application).await.map_err(|error| status::catalogue(&error))?;
        let resources = listed.into_iter().map(document_to_wire).collect();
        Ok(Response::new(ListResourcesResponse { resources }))
    }
}

fn kind(text: &str) -> Result<Kind, Status> {
    Kind::parse(text).ok_or_else(|| {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
        let error = Error::new(ErrorCode::Invalid, format!("kind: {text:?} is no kind of document"));
        status::status(&error.hint(format!("Known: {}", known.join(", "))))
    })
}

fn applied_to_wire(AppliedDocument { key, change, generation }: AppliedDocument) -> Applied {
    let ResourceKey { kind, application, name } = key;
    Applied { kind: kind.as_str().to_owned(), application, name, change: change.to_owned(), generation }
}

fn document_to_wire(document: KeptDocument) -> Resource {
    let KeptDocument { key: ResourceKey { kind, application, name }, generation, changed_at_ms, changed_by, text } = document;
    let (kind, text) = (kind.as_str().to_owned(), text.to_string());
    Resource { kind, application, name, generation, changed_at_ms, changed_by, text }
}

/// A finding for the wire.
pub(super) fn diagnostic(finding: Diagnostic) -> proto::api::Diagnostic {
    let Diagnostic { file, line, column, field, message, hint } = finding;
    proto::api::Diagnostic { file, line, column, field, message, hint: hint.unwrap_or_default() }
}
