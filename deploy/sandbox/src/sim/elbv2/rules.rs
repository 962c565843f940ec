//! Rules.

use winterbaume_elasticloadbalancingv2::{model as wire, wire as codec};

use super::{
    api::{Answer, Params, invalid, malformed, page, path},
    conditions, flows, form, listeners,
    state::Rule,
    tags, usage,
};
use crate::sim::{context::Context, error::ApiError, reply::reply};

fn not_found() -> ApiError {
    ApiError::new("RuleNotFound", "One or more rules not found")
}

pub(super) fn create(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_create_rule_request(params).map_err(malformed)?;
    let listener = input.listener_arn;
    let found = context.elb.listeners.get(&listener).ok_or_else(|| listeners::not_found(&listener))?;
    let balancer = found.shape.load_balancer_arn.clone().unwrap_or_default();
    let protocol = found.shape.protocol.clone().unwrap_or_default();
    flows::check_rules(context.elb, &balancer)?;
    if !(1..=50_000).contains(&input.priority) {
        return Err(invalid("Priority must be between 1 and 50000"));
    }
    if context.elb.rules.values().any(|rule| rule.listener == listener && rule.priority == input.priority) {
        return Err(ApiError::new("PriorityInUse", format!("Priority '{}' is currently in use", input.priority)));
    }
    tags::check(input.tags.as_ref())?;
    let conditions = conditions::normalised(form::list(params, "Conditions")?)?;
    if conditions.items.is_empty() {
        return Err(invalid("A condition must be specified"));
    }
    let actions = usage::normalised(context.elb, &balancer, &form::list(params, "Actions")?)?;
    flows::check(context.elb, &balancer, &protocol, &actions)?;
    let id = context.hex(16);
    let arn =
        context.arn("elasticloadbalancing", &format!("{}/{id}", path(&listener).replacen("listener/", "listener-rule/", 1)));
    let shape = wire::Rule {
        actions: Some(actions),
        conditions: Some(conditions),
        is_default: Some(false),
        priority: Some(input.priority.to_string()),
        rule_arn: Some(arn.clone()),
        transforms: transforms(params)?,
    };
    context.elb.rules.insert(arn.clone(), Rule { listener, priority: input.priority, shape: shape.clone() });
    tags::set(context, &arn, input.tags.as_ref());
    let output = wire::CreateRuleOutput { rules: Some(wire::Rules { items: vec![shape] }) };
    reply(&output)
}

pub(super) fn describe(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_describe_rules_request(params).map_err(malformed)?;
    let mut found: Vec<wire::Rule> = Vec::new();
    match (&input.listener_arn, &input.rule_arns) {
        (Some(listener), _) => {
            if !context.elb.listeners.contains_key(listener) {
                return Err(listeners::not_found(listener));
            }
            let mut rules: Vec<&Rule> = context.elb.rules.values().filter(|rule| rule.listener == *listener).collect();
            rules.sort_by_key(|rule| rule.priority);
            found.extend(rules.into_iter().map(|rule| rule.shape.clone()));
            found.extend(default_rule(context, listener));
        }
        (None, Some(arns)) => {
            for arn in &arns.items {
                found.push(one(context, arn)?);
            }
        }
        (None, None) => return Err(invalid("You must specify either listener rule ARNs or a listener ARN")),
    }
    let (items, next_marker) = page(found, input.marker.as_ref(), input.page_size)?;
    let output = wire::DescribeRulesOutput { rules: Some(wire::Rules { items }), next_marker };
    reply(&output)
}

pub(super) fn modify(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_modify_rule_request(params).map_err(malformed)?;
    if is_default(context, &input.rule_arn) {
        return Err(ApiError::new("OperationNotPermitted", format!("Default rule '{}' cannot be modified", input.rule_arn)));
    }
    let listener = context.elb.rules.get(&input.rule_arn).ok_or_else(not_found)?.listener.clone();
    let stands = context.elb.listeners.get(&listener).map(|listener| &listener.shape);
    let balancer = stands.and_then(|shape| shape.load_balancer_arn.clone()).unwrap_or_default();
    let protocol = stands.and_then(|shape| shape.protocol.clone()).unwrap_or_default();
    let given: wire::Actions = form::list(params, "Actions")?;
    let actions = if given.items.is_empty() { None } else { Some(usage::normalised(context.elb, &balancer, &given)?) };
    if let Some(actions) = &actions {
        flows::check(context.elb, &balancer, &protocol, actions)?;
    }
    let conditions = conditions::normalised(form::list(params, "Conditions")?)?;
    let transforms = transforms(params)?;
    let rule = context.elb.rules.get_mut(&input.rule_arn).ok_or_else(not_found)?;
    if let Some(actions) = actions {
        rule.shape.actions = Some(actions);
    }
    if !conditions.items.is_empty() {
        rule.shape.conditions = Some(conditions);
    }
    if input.reset_transforms == Some(true) {
        rule.shape.transforms = None;
    } else if transforms.is_some() {
        rule.shape.transforms = transforms;
    }
    let output = wire::ModifyRuleOutput { rules: Some(wire::Rules { items: vec![rule.shape.clone()] }) };
    reply(&output)
}

pub(super) fn delete(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_delete_rule_request(params).map_err(malformed)?;
    if is_default(context, &input.rule_arn) {
        return Err(ApiError::new("OperationNotPermitted", format!("Default rule '{}' cannot be deleted", input.rule_arn)));
    }
    context.elb.rules.remove(&input.rule_arn).ok_or_else(not_found)?;
    context.elb.tags.remove(&input.rule_arn);
    reply(&wire::DeleteRuleOutput {})
}

pub(super) fn set_priorities(params: &Params, context: &mut Context<'_>) -> Answer {
    let input = codec::deserialize_set_rule_priorities_request(params).map_err(malformed)?;
    let wanted: Vec<(String, i32)> =
        input.rule_priorities.items.into_iter().filter_map(|pair| Some((pair.rule_arn?, pair.priority?))).collect();
    for (arn, priority) in &wanted {
        if !(1..=50_000).contains(priority) {
            return Err(invalid("Priority must be between 1 and 50000"));
        }
        if is_default(context, arn) {
            return Err(ApiError::new("OperationNotPermitted", format!("Default rule '{arn}' has no priority to set")));
        }
        let listener = &context.elb.rules.get(arn).ok_or_else(not_found)?.listener;
        let moved = |other: &str| wanted.iter().any(|(arn, _)| arn == other);
        let twice = wanted.iter().any(|(other, number)| other != arn && number == priority);
        let taken =
            twice
                || context.elb.rules.iter().any(|(other, rule)| {
                    rule.listener == *listener && rule.priority == *priority && other != arn && !moved(other)
                });
        if taken {
            return Err(ApiError::new("PriorityInUse", format!("Priority '{priority}' is currently in use")));
        }
    }
    let mut items = Vec::new();
    for (arn, priority) in wanted {
        if let Some(rule) = context.elb.rules.get_mut(&arn) {
            rule.priority = priority;
            rule.shape.priority = Some(priority.to_string());
            items.push(rule.shape.clone());
        }
    }
    let output = wire::SetRulePrioritiesOutput { rules: Some(wire::Rules { items }) };
    reply(&output)
}

fn transforms(params: &Params) -> Result<Option<wire::RuleTransformList>, ApiError> {
    let given: wire::RuleTransformList = form::list(params, "Transforms")?;
    Ok(if given.items.is_empty() { None } else { Some(given) })
}

/// The default rule of a listener is its default actions; its ARN ends in the listener's own id.
fn default_rule(context: &Context<'_>, listener: &str) -> Option<wire::Rule> {
    let shape = &context.elb.listeners.get(listener)?.shape;
    Some(wire::Rule {
        actions: shape.default_actions.clone(),
        conditions: Some(wire::RuleConditionList { items: Vec::new() }),
        is_default: Some(true),
        priority: Some("default".to_owned()),
        rule_arn: Some(default_arn(listener)),
        transforms: None,
    })
}

fn default_arn(listener: &str) -> String {
    let id = listener.rsplit('/').next().unwrap_or_default();
    format!("{}/{id}", listener.replacen(":listener/", ":listener-rule/", 1))
}

pub(super) fn is_default(context: &Context<'_>, rule: &str) -> bool {
    context.elb.listeners.keys().any(|listener| default_arn(listener) == rule)
}

fn one(context: &Context<'_>, arn: &str) -> Result<wire::Rule, ApiError> {
    if let Some(rule) = context.elb.rules.get(arn) {
        return Ok(rule.shape.clone());
    }
    let listener = context.elb.listeners.keys().find(|listener| default_arn(listener) == arn).ok_or_else(not_found)?;
    default_rule(context, listener).ok_or_else(not_found)
}
