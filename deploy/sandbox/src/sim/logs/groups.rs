//! Log groups: made, told, removed.

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, groups, invalid, limit, page, text},
    state::Group,
};
use crate::sim::{context::Context, error::ApiError};

pub(super) fn create(input: &Input, context: &mut Context<'_>) -> Answer {
    let name = text(input, "logGroupName").unwrap_or_default().to_owned();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
    if name.is_empty() || name.len() > 512 || !name.chars().all(allowed) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [\\.\\-_/#A-Za-z0-9]+"
        )));
    }
    let now = context.clock.epoch_ms();
    if groups(context).contains_key(&name) {
        return Err(ApiError::new("ResourceAlreadyExistsException", "The specified log group already exists"));
    }
    groups(context).insert(name, Group::new(now));
    Ok(json!({}))
}

pub(super) fn delete(input: &Input, context: &mut Context<'_>) -> Answer {
    let name = text(input, "logGroupName").unwrap_or_default().to_owned();
    match groups(context).remove(&name) {
        Some(_) => Ok(json!({})),
        None => Err(ApiError::new("ResourceNotFoundException", "The specified log group does not exist.")),
    }
}

pub(super) fn describe(input: &Input, context: &mut Context<'_>) -> Answer {
    let size = limit(input, 50, 50)?;
    let (prefix, pattern) = (text(input, "logGroupNamePrefix"), text(input, "logGroupNamePattern"));
    if prefix.is_some() && pattern.is_some() {
        return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    let arn = context.arn("logs", "log-group:");
    let asked = |name: &str| {
        prefix.is_none_or(|prefix| name.starts_with(prefix))
            && pattern.is_none_or(|pattern| name.to_ascii_lowercase().contains(&pattern.to_ascii_lowercase()))
    };
    let all: Vec<Value> = groups(context)
        .iter()
        .filter(|(name, _)| asked(name))
        .map(|(name, group)| {
            json!({
                "logGroupName": name,
                "creationTime": group.created_at,
                "metricFilterCount": 0,
                "arn": format!("{}{name}:*", arn),
                "logGroupArn": format!("{}{name}", arn),
                "logGroupClass": "STANDARD",
                "storedBytes": group.streams.values().flat_map(|stream| &stream.events).map(|event| event.message.len()).sum::<usize>(),
            })
        })
        .collect();
    page(input, all, size, "logGroups")
}
