//! Which operation is answered where, and what they share.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{events, groups, state::Group, streams};
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
        "CreateLogGroup" => groups::create(input, context),
        "DeleteLogGroup" => groups::delete(input, context),
        "DescribeLogGroups" => groups::describe(input, context),
        "DescribeLogStreams" => streams::describe(input, context),
        "GetLogEvents" => events::get(input, context),
        "FilterLogEvents" => events::filter(input, context),
        other => Err(ApiError::new("UnknownOperationException", format!("the simulator does not know logs:{other}"))),
    }
}

pub(super) fn text<'a>(input: &'a Input, name: &str) -> Option<&'a str> {
    input.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

/// A page's size.
pub(super) fn limit(input: &Input, default: usize, most: usize) -> Result<usize, ApiError> {
    let Some(given) = input.get("limit") else { return Ok(default) };
    let size = given.as_u64().and_then(|size| usize::try_from(size).ok()).filter(|size| (1..=most).contains(size));
    size.ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value '{given}' at 'limit' failed to satisfy constraint: Member must have value less than or \
             equal to {most} and greater than or equal to 1"
        ))
    })
}

/// The groups of the caller's account and region.
pub(super) fn groups<'a>(context: &'a mut Context<'_>) -> &'a mut BTreeMap<String, Group> {
    context.logs.groups(context.account, context.region)
}

/// The name of the group that is asked for, by name or by ARN.
pub(super) fn group_name(input: &Input) -> Result<&str, ApiError> {
    match (text(input, "logGroupName"), text(input, "logGroupIdentifier")) {
        (Some(name), None) => Ok(name),
        (None, Some(named)) => Ok(named.split_once(":log-group:").map_or(named, |(_, name)| name.trim_end_matches(":*"))),
        (Some(_), Some(_)) => Err(invalid("LogGroup name and LogGroup ARN are mutually exclusive parameters.")),
        (None, None) => Err(invalid("Exactly one of LogGroup name and LogGroup ARN must be given.")),
    }
}

/// The group that is asked for.
pub(super) fn group<'a>(input: &Input, context: &'a mut Context<'_>) -> Result<(String, &'a Group), ApiError> {
    let name = group_name(input)?.to_owned();
    match groups(context).get(&name) {
        Some(group) => Ok((name, group)),
        None => Err(ApiError::new("ResourceNotFoundException", "The specified log group does not exist.")),
    }
}

/// A page of a list that is told in a fixed order, from the place that an earlier page ended at.
pub(super) fn page(input: &Input, all: Vec<Value>, size: usize, member: &str) -> Answer {
    let start = match text(input, "nextToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| invalid("The specified nextToken is invalid."))?,
    };
    let end = all.len().min(size.saturating_add(start));
    let mut answer = Input::new();
    answer.insert(member.to_owned(), all.get(start..end).unwrap_or_default().into());
    if end < all.len() {
        answer.insert("nextToken".to_owned(), end.to_string().into());
    }
    Ok(answer.into())
}
