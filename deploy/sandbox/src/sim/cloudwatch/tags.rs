//! Tags of alarms.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    api::Answer,
    read::{Input, list as listed, missing, text, texts, wrong},
};
use crate::sim::{context::Context, error::ApiError};

pub(super) fn list(input: &Input, context: &mut Context<'_>) -> Answer {
    let tags = find(input, context)?;
    let pairs: Vec<Value> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(Some(json!({"Tags": pairs})))
}

pub(super) fn add(input: &Input, context: &mut Context<'_>) -> Answer {
    let given = read(listed(input, "Tags"))?;
    find(input, context)?.extend(given);
    Ok(Some(json!({})))
}

pub(super) fn remove(input: &Input, context: &mut Context<'_>) -> Answer {
    let keys = texts(input, "TagKeys");
    find(input, context)?.retain(|key, _| !keys.contains(key));
    Ok(Some(json!({})))
}

/// A list of keys and values.
pub(super) fn read(given: &[Value]) -> Result<BTreeMap<String, String>, ApiError> {
    let pairs = given.iter().map(|tag| {
        let part = |name: &str| tag.get(name).and_then(Value::as_str).map(str::to_owned);
        Some((part("Key").filter(|key| !key.is_empty())?, part("Value")?))
    });
    pairs.collect::<Option<_>>().ok_or_else(|| wrong("Tags", "each needs a Key and a Value"))
}

fn find<'a>(input: &Input, context: &'a mut Context<'_>) -> Result<&'a mut BTreeMap<String, String>, ApiError> {
    let arn = text(input, "ResourceARN").ok_or_else(|| missing("ResourceARN"))?;
    let name = arn.split_once(":alarm:").map(|(_, name)| name).filter(|name| context.cloudwatch.alarms.contains_key(*name));
    if name.is_none() {
        return Err(ApiError::new("ResourceNotFoundException", format!("Unknown resource: {arn}")).status(404));
    }
    Ok(context.cloudwatch.tags.entry(arn.to_owned()).or_default())
}
