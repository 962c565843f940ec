//! Which operation is answered where, and what they share.

use std::collections::HashMap;

use crate::sim::reply::Reply;

use super::{attributes, listeners, load_balancers, rules, tags, target_groups, targets};
use crate::sim::{context::Context, error::ApiError};

/// A request's form.
pub type Params = HashMap<String, String>;
/// An answer.
pub(super) type Answer = Reply;

/// Answers one operation.
///
/// # Errors
/// AWS's refusal.
pub fn handle(operation: &str, params: &Params, context: &mut Context<'_>) -> Answer {
    match operation {
        "CreateLoadBalancer" => load_balancers::create(params, context),
        "DescribeLoadBalancers" => load_balancers::describe(params, context),
        "DeleteLoadBalancer" => load_balancers::delete(params, context),
        "CreateListener" => listeners::create(params, context),
        "DescribeListeners" => listeners::describe(params, context),
        "ModifyListener" => listeners::modify(params, context),
        "DeleteListener" => listeners::delete(params, context),
        "CreateRule" => rules::create(params, context),
        "DescribeRules" => rules::describe(params, context),
        "ModifyRule" => rules::modify(params, context),
        "DeleteRule" => rules::delete(params, context),
        "SetRulePriorities" => rules::set_priorities(params, context),
        "CreateTargetGroup" => target_groups::create(params, context),
        "DescribeTargetGroups" => target_groups::describe(params, context),
        "ModifyTargetGroup" => target_groups::modify(params, context),
        "DeleteTargetGroup" => target_groups::delete(params, context),
        "RegisterTargets" => targets::register(params, context),
        "DeregisterTargets" => targets::deregister(params, context),
        "DescribeTargetHealth" => targets::health(params, context),
        "DescribeTargetGroupAttributes" => attributes::describe_group(params, context),
        "ModifyTargetGroupAttributes" => attributes::modify_group(params, context),
        "DescribeLoadBalancerAttributes" => attributes::describe_balancer(params, context),
        "ModifyLoadBalancerAttributes" => attributes::modify_balancer(params, context),
        "AddTags" => tags::add(params, context),
        "RemoveTags" => tags::remove(params, context),
        "DescribeTags" => tags::describe(params, context),
        other => Err(ApiError::new("InvalidAction", format!("the simulator does not know elasticloadbalancing:{other}"))),
    }
}

/// A form that does not fit its operation.
pub(super) fn malformed(text: String) -> ApiError {
    ApiError::new("ValidationError", text)
}

pub(super) fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", text)
}

/// One page: the items, and the marker of the next page if there is one.
pub(super) fn page<T>(all: Vec<T>, marker: Option<&String>, size: Option<i32>) -> Result<(Vec<T>, Option<String>), ApiError> {
    let size = usize::try_from(size.unwrap_or(400)).ok().filter(|size| (1..=400).contains(size));
    let size = size.ok_or_else(|| invalid("PageSize must be between 1 and 400"))?;
    let start = match marker {
        None => 0,
        Some(marker) => marker.parse::<usize>().map_err(|_| invalid("Invalid marker"))?,
    };
    let total = all.len();
    let items: Vec<T> = all.into_iter().skip(start).take(size).collect();
    let end = start + items.len();
    Ok((items, (end < total).then(|| end.to_string())))
}

/// `loadbalancer/app/NAME/ID` of an ARN, as listeners and rules continue it.
pub(super) fn path(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or_default()
}

/// Now, as ELB writes times.
pub(super) fn timestamp() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// A name of a load balancer or a target group.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), ApiError> {
    let fits = !name.is_empty()
        && name.len() <= 32
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if fits { Ok(()) } else { Err(invalid(format!("{what} name '{name}' must be 1 to 32 alphanumeric characters or hyphens"))) }
}
