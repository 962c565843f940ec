//! Tags of load balancers, listeners, rules and target groups.

use winterbaume_elasticloadbalancingv2::{model as wire, wire as codec};

use super::api::{Answer, Params, invalid, malformed};
use crate::sim::{context::Context, error::ApiError};

/// Tags given at creation.
pub(super) fn set(context: &mut Context<'_>, arn: &str, tags: Option<&wire::TagList>) {
    let given = tags.into_iter().flat_map(|tags| &tags.items).map(|tag| (tag.key.clone(), tag.value.clone().unwrap_or_default()));
    context.elb.tags.insert(arn.to_owned(), given.collect());
}

pub(super) fn add(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_add_tags_request(params).map_err(malformed)?;
    for arn in &input.resource_arns.items {
        exists(context, arn)?;
        let tags = context.elb.tags.entry(arn.clone()).or_default();
        for tag in &input.tags.items {
            tags.insert(tag.key.clone(), tag.value.clone().unwrap_or_default());
        }
    }
    Ok(codec::serialize_add_tags_response(&wire::AddTagsOutput {}))
}

pub(super) fn remove(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_remove_tags_request(params).map_err(malformed)?;
    for arn in &input.resource_arns.items {
        exists(context, arn)?;
        context.elb.tags.entry(arn.clone()).or_default().retain(|key, _| !input.tag_keys.items.contains(key));
    }
    Ok(codec::serialize_remove_tags_response(&wire::RemoveTagsOutput {}))
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
    let output = wire::DescribeTagsOutput { tag_descriptions: Some(wire::TagDescriptions { items }) };
    Ok(codec::serialize_describe_tags_response(&output))
}

fn exists(context: &Context<'_>, arn: &str) -> Result<(), ApiError> {
    let elb = &context.elb;
    let (known, code) = if arn.contains(":targetgroup/") {
        (elb.target_groups.contains_key(arn), "TargetGroupNotFound")
    } else if arn.contains(":listener/") {
        (elb.listeners.contains_key(arn), "ListenerNotFound")
    } else if arn.contains(":listener-rule/") {
        (elb.rules.contains_key(arn), "RuleNotFound")
    } else {
        (elb.load_balancers.contains_key(arn), "LoadBalancerNotFound")
    };
    if known { Ok(()) } else { Err(ApiError::new(code, format!("'{arn}' not found"))) }
}
