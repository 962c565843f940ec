//! Actions: what a forward means, and the form in which AWS gives it back.

use winterbaume_elasticloadbalancingv2::model as wire;

use super::state::Elb;
use crate::sim::error::ApiError;

/// The target groups that an action forwards to, with their weights.
pub fn groups_of(action: &wire::Action) -> Vec<(String, i32)> {
    let configured = action.forward_config.iter().flat_map(|config| config.target_groups.iter().flat_map(|list| &list.items));
    let weighted: Vec<_> =
        configured.filter_map(|tuple| Some((tuple.target_group_arn.clone()?, tuple.weight.unwrap_or(1)))).collect();
    match (&action.target_group_arn, weighted.is_empty()) {
        (Some(arn), true) => vec![(arn.clone(), 1)],
        _ => weighted,
    }
}

/// Checks actions and brings them into the form in which AWS describes them: a forward to one group bears both forms.
pub(super) fn normalised(elb: &Elb, load_balancer: &str, actions: &wire::Actions) -> Result<wire::Actions, ApiError> {
    let Some(last) = actions.items.last() else {
        return Err(ApiError::new("ValidationError", "You must specify at least one action."));
    };
    if !["forward", "redirect", "fixed-response"].contains(&last.r#type.as_str()) {
        return Err(ApiError::new("InvalidLoadBalancerAction", "The last action must be a forward, redirect or fixed-response action"));
    }
    let mut normalised = actions.clone();
    for (position, action) in normalised.items.iter_mut().enumerate() {
        if action.r#type == "forward" {
            forward(elb, load_balancer, action)?;
        }
        if actions.items.len() > 1 && action.order.is_none() {
            action.order = i32::try_from(position + 1).ok();
        }
    }
    Ok(normalised)
}

fn forward(elb: &Elb, load_balancer: &str, action: &mut wire::Action) -> Result<(), ApiError> {
    let invalid = |text: &str| ApiError::new("ValidationError", text);
    let groups = groups_of(action);
    if groups.is_empty() || groups.len() > 5 {
        return Err(invalid("A forward action needs between 1 and 5 target groups"));
    }
    if let Some(single) = &action.target_group_arn {
        if groups.len() != 1 || groups[0].0 != *single {
            return Err(invalid("You cannot specify both a target group ARN and a different forward configuration"));
        }
    }
    for (arn, weight) in &groups {
        if !(0..=999).contains(weight) {
            return Err(invalid("The weight must be between 0 and 999"));
        }
        if !elb.target_groups.contains_key(arn) {
            return Err(ApiError::new("TargetGroupNotFound", "One or more target groups not found"));
        }
        let others = elb.load_balancers_of(arn);
        if others.iter().any(|other| other != load_balancer) {
            let text = format!("The following target groups cannot be associated with more than one load balancer: {arn}");
            return Err(ApiError::new("TargetGroupAssociationLimit", text));
        }
    }
    action.target_group_arn = if groups.len() == 1 { Some(groups[0].0.clone()) } else { None };
    let stickiness = action.forward_config.as_ref().and_then(|config| config.target_group_stickiness_config.clone());
    let tuples = groups.into_iter().map(|(arn, weight)| wire::TargetGroupTuple { target_group_arn: Some(arn), weight: Some(weight) });
    action.forward_config = Some(wire::ForwardActionConfig {
        target_groups: Some(wire::TargetGroupList { items: tuples.collect() }),
        target_group_stickiness_config: Some(
            stickiness.unwrap_or(wire::TargetGroupStickinessConfig { enabled: Some(false), duration_seconds: None }),
        ),
    });
    Ok(())
}
