//! Tags on clusters, services, tasks and task definitions, by their long ARN.

use serde_json::json;

use super::{
    api::{Answer, Input, invalid, required, texts},
    state::{Tags, parse_tags, parse_task_definition, tags_json},
};
use crate::sim::{context::Context, error::ApiError};

/// How many tags a resource can have.
const MOST: usize = 50;

/// The tags of a request, checked.
pub(super) fn given(input: &Input) -> Result<Tags, ApiError> {
    let tags = parse_tags(input.get("tags"));
    let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    for (key, value) in &tags {
        let sized = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !sized || key.to_ascii_lowercase().starts_with("aws:") || !key.chars().chain(value.chars()).all(allowed) {
            return Err(invalid(format!("Invalid tag: the key '{key}' or its value is not allowed.")));
        }
    }
    if tags.len() > MOST { Err(too_many()) } else { Ok(tags) }
}

fn too_many() -> ApiError {
    ApiError::new("LimitExceededException", format!("A resource can have at most {MOST} tags."))
}

pub(super) fn tag(input: &Input, context: &mut Context<'_>) -> Answer {
    let added = given(input)?;
    let tags = of(context, required(input, "resourceArn")?)?;
    if tags.keys().chain(added.keys()).collect::<std::collections::BTreeSet<_>>().len() > MOST {
        return Err(too_many());
    }
    tags.extend(added);
    Ok(json!({}))
}

pub(super) fn untag(input: &Input, context: &mut Context<'_>) -> Answer {
    let keys = texts(input, "tagKeys");
    of(context, required(input, "resourceArn")?)?.retain(|key, _| !keys.contains(key));
    Ok(json!({}))
}

pub(super) fn list(input: &Input, context: &mut Context<'_>) -> Answer {
    let tags = of(context, required(input, "resourceArn")?)?;
    Ok(json!({"tags": tags_json(tags)}))
}

fn of<'a>(context: &'a mut Context<'_>, arn: &str) -> Result<&'a mut Tags, ApiError> {
    let missing = || invalid("The specified resource was not found. Specify a valid resource ARN and try again.");
    let resource = arn.splitn(6, ':').nth(5).ok_or_else(missing)?;
    let mut parts = resource.split('/');
    let kind = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    match (kind, rest.as_slice()) {
        ("cluster", [name]) => context.ecs.clusters.get_mut(*name).map(|cluster| &mut cluster.tags).ok_or_else(missing),
        ("service", [cluster, name]) => {
            let key = ((*cluster).to_owned(), (*name).to_owned());
            context.ecs.services.get_mut(&key).map(|service| &mut service.tags).ok_or_else(super::services::not_found)
        }
        ("task", [cluster, id]) => {
            let task = context.ecs.tasks.get_mut(*id).filter(|task| task.cluster == *cluster);
            task.map(|task| &mut task.tags).ok_or_else(missing)
        }
        ("service" | "task", [_]) => Err(invalid("Long arn format must be used for tagging operations")),
        ("task-definition", [_]) => {
            let (family, revision) = parse_task_definition(arn);
            let index = revision.and_then(|revision| revision.parse::<usize>().ok()).and_then(|number| number.checked_sub(1));
            let revisions = context.ecs.families.get_mut(&family).ok_or_else(missing)?;
            index.and_then(|index| revisions.get_mut(index)).map(|definition| &mut definition.tags).ok_or_else(missing)
        }
        _ => Err(missing()),
    }
}
