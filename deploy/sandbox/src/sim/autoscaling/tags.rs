//! Tags of scalable targets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, invalid, required},
    state::ScalableTarget,
};
use crate::sim::{context::Context, error::ApiError};

/// AWS's limit for one resource.
const MOST: usize = 50;

pub(super) fn list(input: &Input, context: &mut Context<'_>) -> Answer {
    Ok(json!({"Tags": find(input, context)?.tags}))
}

pub(super) fn add(input: &Input, context: &mut Context<'_>) -> Answer {
    let given = read(input)?;
    let target = find(input, context)?;
    let mut tags = target.tags.clone();
    tags.extend(given);
    if tags.len() > MOST {
        return Err(ApiError::new("TooManyTagsException", format!("A resource can have at most {MOST} tags")));
    }
    target.tags = tags;
    Ok(json!({}))
}

pub(super) fn remove(input: &Input, context: &mut Context<'_>) -> Answer {
    let keys: Vec<&str> =
        input.get("TagKeys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    find(input, context)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(json!({}))
}

/// The tags that a request gives.
pub(super) fn read(input: &Input) -> Result<BTreeMap<String, String>, ApiError> {
    let given = input.get("Tags").and_then(Value::as_object).into_iter().flatten();
    let tags = given.map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect::<Option<BTreeMap<_, _>>>();
    let tags = tags.ok_or_else(|| invalid("Tags are texts"))?;
    match tags.keys().find(|key| key.starts_with("aws:") || key.is_empty() || key.len() > 128) {
        Some(key) => Err(invalid(format!("The tag key '{key}' is not valid"))),
        None if tags.len() > MOST => Err(invalid(format!("A resource can have at most {MOST} tags"))),
        None => Ok(tags),
    }
}

fn find<'a>(input: &Input, context: &'a mut Context<'_>) -> Result<&'a mut ScalableTarget, ApiError> {
    let arn = required(input, "ResourceARN")?;
    let found = context.autoscaling.targets.values_mut().find(|target| target.arn == arn);
    found.ok_or_else(|| ApiError::new("ResourceNotFoundException", format!("Resource not found: {arn}")))
}
