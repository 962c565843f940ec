//! Which operation is answered where, and what they share.

use serde_json::{Map, Value, json};

use super::{activities, policies, tags, targets};
use crate::sim::{context::Context, error::ApiError};

/// A request's members.
pub(super) type Input = Map<String, Value>;
/// An answer.
pub(super) type Answer = Result<Value, ApiError>;

/// The one dimension of the one namespace that is simulated.
pub(super) const DIMENSION: &str = "ecs:service:DesiredCount";

/// Answers one operation.
///
/// # Errors
/// AWS's refusal.
pub fn handle(operation: &str, input: &Input, context: &mut Context<'_>) -> Answer {
    match operation {
        "RegisterScalableTarget" => targets::register(input, context),
        "DescribeScalableTargets" => targets::describe(input, context),
        "DeregisterScalableTarget" => targets::deregister(input, context),
        "PutScalingPolicy" => policies::put(input, context),
        "DescribeScalingPolicies" => policies::describe(input, context),
        "DeleteScalingPolicy" => policies::delete(input, context),
        "DescribeScalingActivities" => activities::describe(input, context),
        "ListTagsForResource" => tags::list(input, context),
        "TagResource" => tags::add(input, context),
        "UntagResource" => tags::remove(input, context),
        other => {
            let text = format!("the simulator does not know application-autoscaling:{other}");
            Err(ApiError::new("UnknownOperationException", text))
        }
    }
}

pub(super) fn text<'a>(input: &'a Input, name: &str) -> Option<&'a str> {
    input.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationException", message)
}

pub(super) fn required<'a>(input: &'a Input, name: &str) -> Result<&'a str, ApiError> {
    text(input, name).ok_or_else(|| {
        let member = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
        invalid(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

/// The namespace that a request names must be the one that is simulated.
pub(super) fn namespace(input: &Input) -> Result<(), ApiError> {
    match required(input, "ServiceNamespace")? {
        "ecs" => Ok(()),
        other => Err(invalid(format!("The simulator scales services of the namespace ecs, not of {other}"))),
    }
}

/// The resource id of a request whose namespace and dimension are those of a service.
pub(super) fn resource(input: &Input) -> Result<&str, ApiError> {
    namespace(input)?;
    let resource = required(input, "ResourceId")?;
    let dimension = required(input, "ScalableDimension")?;
    if dimension != DIMENSION || service_key(resource).is_none() {
        return Err(invalid("Unsupported service namespace, resource type or scalable dimension"));
    }
    Ok(resource)
}

/// Cluster and service of `service/CLUSTER/SERVICE`.
pub(super) fn service_key(resource: &str) -> Option<(String, String)> {
    let (cluster, service) = resource.strip_prefix("service/")?.split_once('/')?;
    let plain = |name: &str| !name.is_empty() && !name.contains('/');
    (plain(cluster) && plain(service)).then(|| (cluster.to_owned(), service.to_owned()))
}

/// A page of a list.
pub(super) fn page(input: &Input, all: Vec<Value>, member: &str) -> Answer {
    let size = input.get("MaxResults").map_or(Some(50), Value::as_u64).and_then(|size| usize::try_from(size).ok());
    let size = size.filter(|size| (1..=50).contains(size)).ok_or_else(|| invalid("MaxResults must be between 1 and 50"))?;
    let start = match text(input, "NextToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| ApiError::new("InvalidNextTokenException", "The next token is not valid"))?,
    };
    let end = all.len().min(size.saturating_add(start));
    let mut answer = json!({member: all.get(start..end).unwrap_or_default()});
    if end < all.len() {
        answer["NextToken"] = end.to_string().into();
    }
    Ok(answer)
}

/// What is not there.
pub(super) fn no_target(resource: &str) -> ApiError {
    let text = format!(
        "No scalable target registered for service namespace: ecs, resource ID: {resource}, scalable dimension: {DIMENSION}"
    );
    ApiError::new("ObjectNotFoundException", text)
}
