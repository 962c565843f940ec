//! Which operation is answered where, and what they share.

use serde_json::{Map, Value, json};

use super::{
    instances, namespaces, services,
    state::{CloudMap, Operation},
};
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
        "CreatePrivateDnsNamespace" => namespaces::create(input, "DNS_PRIVATE", context),
        "CreatePublicDnsNamespace" => namespaces::create(input, "DNS_PUBLIC", context),
        "CreateHttpNamespace" => namespaces::create(input, "HTTP", context),
        "GetNamespace" => namespaces::get(input, context),
        "ListNamespaces" => namespaces::list(input, context),
        "DeleteNamespace" => namespaces::delete(input, context),
        "CreateService" => services::create(input, context),
        "GetService" => services::get(input, context),
        "ListServices" => services::list(input, context),
        "DeleteService" => services::delete(input, context),
        "RegisterInstance" => instances::register(input, context),
        "DeregisterInstance" => instances::deregister(input, context),
        "ListInstances" => instances::list(input, context),
        "GetOperation" => operation_of(input, context),
        other => Err(ApiError::new("UnknownOperationException", format!("the simulator does not know servicediscovery:{other}"))),
    }
}

fn operation_of(input: &Input, context: &mut Context<'_>) -> Answer {
    let id = required(input, "OperationId")?;
    let Some(operation) = here(context).operations.get(id) else {
        return Err(ApiError::new("OperationNotFound", format!("No operation with id {id}.")).status(404));
    };
    let (kind, target) = &operation.target;
    Ok(json!({"Operation": {
        "Id": id, "Type": operation.kind, "Status": "SUCCESS", "CreateDate": operation.at, "UpdateDate": operation.at,
        "Targets": {*kind: target},
    }}))
}

/// Notes an operation, and gives the answer that names it.
pub(super) fn begun(context: &mut Context<'_>, kind: &'static str, target: (&'static str, String)) -> Value {
    let id = format!("{}-{}", context.hex(24), context.hex(8));
    let at = context.clock.epoch();
    here(context).operations.insert(id.clone(), Operation { kind, target, at });
    json!({ "OperationId": id })
}

/// The caller's account and region.
pub(super) fn here<'a>(context: &'a mut Context<'_>) -> &'a mut CloudMap {
    context.cloud_maps.of(context.account, context.region)
}

pub(super) fn text<'a>(input: &'a Input, name: &str) -> Option<&'a str> {
    input.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

pub(super) fn required<'a>(input: &'a Input, name: &str) -> Result<&'a str, ApiError> {
    text(input, name).ok_or_else(|| invalid(format!("{name} is required.")))
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidInput", message)
}

/// A page of a list that is told in a fixed order, from the place that an earlier page ended at.
pub(super) fn page(input: &Input, all: Vec<Value>, member: &str) -> Answer {
    let size = match input.get("MaxResults") {
        None | Some(Value::Null) => 100,
        Some(given) => given
            .as_u64()
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| (1..=100).contains(size))
            .ok_or_else(|| {
                invalid(format!("Value '{given}' at 'maxResults' failed to satisfy constraint: Member must be between 1 and 100"))
            })?,
    };
    let start = match text(input, "NextToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| invalid("Invalid NextToken."))?,
    };
    let end = all.len().min(size.saturating_add(start));
    let mut answer = Map::new();
    answer.insert(member.to_owned(), all.get(start..end).unwrap_or_default().into());
    if end < all.len() {
        answer.insert("NextToken".to_owned(), end.to_string().into());
    }
    Ok(answer.into())
}
