//! Which operation is answered where, and what they share.

use serde_json::{Map, Value};

use super::{clusters, deployments, services, tags, task_definitions, tasks};
use crate::sim::{context::Context, error::ApiError};

/// A request's members.
pub(super) type Input = Map<String, Value>;
/// An answer.
pub(super) type Answer = Result<Value, ApiError>;

/// Answers one operation.
///
/// # Errors
/// AWS's refusal.
pub fn handle(operation: &str, input: &Input, context: &mut Context<'_>) -> Answer {
    match operation {
        "CreateCluster" => clusters::create(input, context),
        "DescribeClusters" => clusters::describe(input, context),
        "ListClusters" => clusters::list(input, context),
        "DeleteCluster" => clusters::delete(input, context),
        "RegisterTaskDefinition" => task_definitions::register(input, context),
        "DescribeTaskDefinition" => task_definitions::describe(input, context),
        "DeregisterTaskDefinition" => task_definitions::deregister(input, context),
        "ListTaskDefinitions" => task_definitions::list(input, context),
        "ListTaskDefinitionFamilies" => task_definitions::families(input, context),
        "CreateService" => services::create(input, context),
        "UpdateService" => services::update(input, context),
        "DeleteService" => services::delete(input, context),
        "DescribeServices" => services::describe(input, context),
        "ListServices" => services::list(input, context),
        "ListTasks" => tasks::list(input, context),
        "DescribeTasks" => tasks::describe(input, context),
        "RunTask" => tasks::run(input, context),
        "StopTask" => tasks::stop(input, context),
        "TagResource" => tags::tag(input, context),
        "UntagResource" => tags::untag(input, context),
        "ListTagsForResource" => tags::list(input, context),
        "ListServiceDeployments" => deployments::list(input, context),
        "DescribeServiceDeployments" => deployments::describe(input, context),
        other => Err(ApiError::new("UnknownOperationException", format!("the simulator does not know ecs:{other}"))),
    }
}

pub(super) fn text<'a>(input: &'a Input, name: &str) -> Option<&'a str> {
    input.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

pub(super) fn required<'a>(input: &'a Input, name: &str) -> Result<&'a str, ApiError> {
    text(input, name).ok_or_else(|| invalid(format!("{name} can not be blank.")))
}

pub(super) fn texts(input: &Input, name: &str) -> Vec<String> {
    let listed = input.get(name).and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(super) fn wants_tags(input: &Input) -> bool {
    texts(input, "include").iter().any(|include| include == "TAGS")
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

pub(super) fn client(message: impl Into<String>) -> ApiError {
    ApiError::new("ClientException", message)
}

/// One page of a sorted list: `nextToken` is opaque to clients, and absent on the last page.
pub(super) fn page(input: &Input, all: Vec<String>, default: usize, member: &str) -> Answer {
    let size = input.get("maxResults").and_then(Value::as_u64).map_or(default, |size| usize::try_from(size).unwrap_or(default));
    if size == 0 || size > 100 {
        return Err(invalid("maxResults must be between 1 and 100."));
    }
    let start = match text(input, "nextToken") {
        None => 0,
        Some(token) => {
            let position = token.strip_prefix("page-").and_then(|position| position.parse::<usize>().ok());
            position.ok_or_else(|| invalid("Invalid token"))?
        }
    };
    let mut answer = Map::new();
    let end = start.saturating_add(size).min(all.len());
    answer.insert(member.to_owned(), all.get(start..end).unwrap_or_default().into());
    if end < all.len() {
        answer.insert("nextToken".to_owned(), format!("page-{end}").into());
    }
    Ok(Value::Object(answer))
}
