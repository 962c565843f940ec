//! Rollback after success: which deployment, whether the version before still stands (a delegate looks), and the deployment that
//! goes back to it.

use std::{sync::Arc, time::Duration};

use domain::{
    discovery::{Findings, Query, Subject},
    error::{Error, ErrorCode},
    ids::{DeploymentId, QueryId},
    step::{PreviousVersion, PreviousVersionSetup},
};
use engine::Deployment;
use proto::{
    api::{RollbackPreview, RollbackRequest, RollbackResponse, Version},
    convert::document::parse,
};
use tonic::Status;
use uuid::Uuid;

use super::{context::ApiContext, status};
use crate::{
    dispatch::{AcceptKey, Need, ToRollBack},
    workflow::{previous_of, rollback_plan, tag_of},
};

/// How long a delegate may look.
const LIMIT: Duration = Duration::from_secs(30);

/// Looks, and accepts the rollback unless it is a preview.
pub(super) async fn rollback(
    context: &Arc<ApiContext>,
    who: &str,
    key: Option<AcceptKey>,
    request: RollbackRequest,
) -> Result<RollbackResponse, Status> {
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let deployment = some(request.deployment_id).map(|id| parse("deployment_id", &id)).transpose();
    let wanted = ToRollBack {
        deployment: deployment.map_err(|error| status::malformed(&error))?,
        application: some(request.application),
        infrastructure: some(request.infrastructure),
        service: some(request.service),
    };
    let of = context.dispatch.to_roll_back(&wanted).await.map_err(|error| status::dispatch(&error))?;
    let mut input = previous_of(&of).map_err(|error| status::status(&error))?;
    let (standing, delegate_name) = look(context, &of, &input).await?;
    input.image.clone_from(&standing.image);
    if !standing.obstacles.is_empty() {
        return Err(status::status(&refused(&of, &standing)));
    }
    let preview = preview(&of, &input, standing, delegate_name);
    if request.preview {
        return Ok(RollbackResponse { deployment_id: String::new(), preview: Some(preview) });
    }
    let plan = rollback_plan(&of, input, DeploymentId::new(Uuid::now_v7()), who);
    let id = context.dispatch.accept(plan, key).await.map_err(|error| status::dispatch(&error))?;
    tracing::info!(target: "audit", caller = who, deployment = %id, rolls_back = %of.id(), "a rollback was asked for");
    Ok(RollbackResponse { deployment_id: id.to_string(), preview: Some(preview) })
}

/// What stands in AWS, seen by an eligible delegate, and the delegate's name.
async fn look(
    context: &Arc<ApiContext>,
    of: &Deployment,
    input: &PreviousVersionSetup,
) -> Result<(PreviousVersion, String), Status> {
    let infrastructure = of.plan().infrastructure.clone();
    let dispatch = &context.dispatch;
    let session = dispatch.eligible(Need::of_plan(of.plan(), None)).map_err(|reasons| {
        let message = format!("No delegate can look whether the previous version still stands:\n{}", reasons.join("\n"));
        status::status(&Error::new(ErrorCode::Unavailable, message))
    })?;
    let query = Query { infrastructure, subject: Subject::PreviousVersion(Box::new(input.clone())) };
    let answer = dispatch.queries.ask(&session, QueryId::new(Uuid::now_v7()), &query, LIMIT).await;
    match answer.map_err(|error| status::query(&error))?.findings {
        Findings::PreviousVersion(standing) => Ok((standing, session.name.clone())),
        Findings::LoadBalancers(_) | Findings::Access { .. } => {
            let message = format!("The delegate {} answered another question than it was asked.", session.name);
            Err(status::status(&Error::new(ErrorCode::Internal, message)))
        }
    }
}

/// The version before can't serve again: what to do instead, with the real names.
fn refused(of: &Deployment, standing: &PreviousVersion) -> Error {
    let plan = of.plan();
    let tag = match tag_of(&standing.image) {
        "" => "TAG",
        tag => tag,
    };
    let hint = format!("Deploy the version that is wanted: segue deploy {} --artifact-tag {tag}", plan.workflow);
    Error::new(ErrorCode::Refused, format!("{} can't be rolled back:\n{}", of.id(), standing.obstacles.join("\n"))).hint(hint)
}

fn preview(of: &Deployment, input: &PreviousVersionSetup, standing: PreviousVersion, delegate_name: String) -> RollbackPreview {
    let (plan, setup) = (of.plan(), &input.setup);
    RollbackPreview {
        rolls_back: of.id().to_string(),
        application: plan.application.clone(),
        infrastructure: plan.infrastructure_name.clone(),
        environment: plan.environment.clone(),
        service: plan.service.clone(),
        serving: Some(Version { image: setup.image.clone(), service: setup.service.clone(), count: standing.serving_count }),
        previous: Some(Version {
            image: standing.image,
            service: setup.old.as_ref().map(|old| old.name.clone()).unwrap_or_default(),
            count: standing.wanted_count,
        }),
        by: setup.traffic.told(),
        remarks: standing.remarks,
        delegate_name,
    }
}
