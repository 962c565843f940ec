//! Tags of load balancers, listeners, rules and target groups.

use std::collections::BTreeSet;

use winterbaume_elasticloadbalancingv2::{model as wire, wire as codec};

use super::{
    api::{Answer, Params, invalid, malformed},
    rules,
};
use crate::sim::{context::Context, error::ApiError, reply::reply};

/// How many tags a resource can have.
const MOST: usize = 50;

/// Checks tags that are given at a creation, before anything is made.
pub(super) fn check(tags: Option<&wire::TagList>) -> Result<(), ApiError> {
    let given: Vec<&wire::Tag> = tags.into_iter().flat_map(|tags| &tags.items).collect();
    let keys: BTreeSet<&str> = given.iter().map(|tag| tag.key.as_str()).collect();
    if keys.len() != given.len() {
        return Err(ApiError::new("DuplicateTagKeys", "You cannot specify the same tag key more than once"));
    }
    for tag in &given {
        let value = tag.value.as_deref().unwrap_or_default();
        let fits = !tag.key.is_empty() && tag.key.chars().count() <= 128 && value.chars().count() <= 256;
        if !fits || tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!("The tag key '{}' or its value is not valid", tag.key)));
        }
    }
    if keys.len() > MOST { Err(too_many()) } else { Ok(()) }
}

fn too_many() -> ApiError {
    ApiError::new("TooManyTags", format!("A resource can have at most {MOST} tags"))
}

/// Tags given at creation.
pub(super) fn set(context: &mut Context<'_>, arn: &str, tags: Option<&wire::TagList>) {
    let given = tags.into_iter().flat_map(|tags| &tags.items).map(|tag| (tag.key.clone(), tag.value.clone().unwrap_or_default()));
    context.elb.tags.insert(arn.to_owned(), given.collect());
}

pub(super) fn add(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_add_tags_request(params).map_err(malformed)?;
    check(Some(&input.tags))?;
    for arn in &input.resource_arns.items {
        exists(context, arn)?;
        let present = context.elb.tags.get(arn).into_iter().flatten().map(|(key, _)| key.as_str());
        let after: BTreeSet<&str> = present.chain(input.tags.items.iter().map(|tag| tag.key.as_str())).collect();
        if after.len() > MOST {
            return Err(too_many());
        }
    }
    for arn in &input.resource_arns.items {
        let tags = context.elb.tags.entry(arn.clone()).or_default();
        for tag in &input.tags.items {
            tags.insert(tag.key.clone(), tag.value.clone().unwrap_or_default());
        }
    }
    reply(&wire::AddTagsOutput {})
}

pub(super) fn remove(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_remove_tags_request(params).map_err(malformed)?;
    for arn in &input.resource_arns.items {
        exists(context, arn)?;
    }
    for arn in &input.resource_arns.items {
        context.elb.tags.entry(arn.clone()).or_default().retain(|key, _| !input.tag_keys.items.contains(key));
    }
    reply(&wire::RemoveTagsOutput {})
}

pub(super) fn describe(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_describe_tags_request(params).map_err(malformed)?;
    if input.resource_arns.items.is_empty() || input.resource_arns.items.len() > 20 {
        return Err(invalid("Between 1 and 20 resource ARNs must be specified"));
    }
    let mut items = Vec::new();
    for arn in &input.resource_arns.items {
        exists(context, arn)?;
        let tags = context.elb.tags.get(arn).into_iter().flatten();
        let tags = tags.map(|(key, value)| wire::Tag { key: key.clone(), value: Some(value.clone()) }).collect();
        items.push(wire::TagDescription { resource_arn: Some(arn.clone()), tags: Some(wire::TagList { items: tags }) });
    }
    reply(&wire::DescribeTagsOutput { tag_descriptions: Some(wire::TagDescriptions { items }) })
}

fn exists(context: &Context<'_>, arn: &str) -> Result<(), ApiError> {
    let elb = &context.elb;
    if arn.contains(":targetgroup/") {
        let known = elb.target_groups.contains_key(arn);
        return if known { Ok(()) } else { Err(super::target_groups::not_found()) };
    }
    let (known, code, what) = if arn.contains(":listener/") {
        (elb.listeners.contains_key(arn), "ListenerNotFound", "Listener")
    } else if arn.contains(":listener-rule/") {
        (elb.rules.contains_key(arn) || rules::is_default(context, arn), "RuleNotFound", "Rule")
    } else if arn.contains(":loadbalancer/") {
        (elb.load_balancers.contains_key(arn), "LoadBalancerNotFound", "Load balancer")
    } else {
        return Err(invalid(format!("'{arn}' is not a valid resource ARN")));
    };
    if known { Ok(()) } else { Err(ApiError::new(code, format!("{what} '{arn}' not found"))) }
}
