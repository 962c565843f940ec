//! Actions: what a forward means, and the form in which AWS gives them back.

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

/// Checks actions and brings them into the form in which AWS describes them: a forward to one group bears both forms, what was left
/// out of a redirect or an authentication has AWS's defaults, and a client's secret is not told again.
pub(super) fn normalised(elb: &Elb, load_balancer: &str, actions: &wire::Actions) -> Result<wire::Actions, ApiError> {
    let Some(last) = actions.items.last() else {
        return Err(ApiError::new("ValidationError", "You must specify at least one action."));
    };
    let ends = |action: &wire::Action| ["forward", "redirect", "fixed-response"].contains(&action.r#type.as_str());
    if !ends(last) {
        return Err(ApiError::new(
            "InvalidLoadBalancerAction",
            "The last action must be a forward, redirect or fixed-response action",
        ));
    }
    if actions.items.iter().filter(|action| ends(action)).count() > 1 {
        let text = "You can specify exactly one of the following action types: forward, redirect, fixed-response";
        return Err(ApiError::new("TooManyActions", text));
    }
    let mut normalised = actions.clone();
    for (position, action) in normalised.items.iter_mut().enumerate() {
        match action.r#type.as_str() {
            "forward" => forward(elb, load_balancer, action)?,
            "redirect" => redirect(action)?,
            "fixed-response" => fixed(action)?,
            _ => authentication(action),
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
    if let Some(single) = &action.target_group_arn
        && (groups.len() != 1 || groups[0].0 != *single)
    {
        return Err(invalid("You cannot specify both a target group ARN and a different forward configuration"));
    }
    for (arn, weight) in &groups {
        if !(0..=999).contains(weight) {
            return Err(invalid("The weight must be between 0 and 999"));
        }
        let Some(group) = elb.target_groups.get(arn) else {
            return Err(ApiError::new("TargetGroupNotFound", "One or more target groups not found"));
        };
        let application = elb.load_balancers.get(load_balancer).is_none_or(super::state::LoadBalancer::is_application);
        if let Some(protocol) = group.shape.protocol.as_deref()
            && application != ["HTTP", "HTTPS"].contains(&protocol)
        {
            let text = format!("The target group '{arn}' has the protocol '{protocol}', which its listener does not support");
            return Err(ApiError::new("IncompatibleProtocols", text));
        }
        let others = elb.load_balancers_of(arn);
        if others.iter().any(|other| other != load_balancer) {
            let text = format!("The following target groups cannot be associated with more than one load balancer: {arn}");
            return Err(ApiError::new("TargetGroupAssociationLimit", text));
        }
    }
    action.target_group_arn = if groups.len() == 1 { Some(groups[0].0.clone()) } else { None };
    let stickiness = action.forward_config.as_ref().and_then(|config| config.target_group_stickiness_config.clone());
    if let Some(sticky) = stickiness.as_ref().filter(|sticky| sticky.enabled == Some(true)) {
        // AWS's seven days.
        if !sticky.duration_seconds.is_some_and(|seconds| (1..=604_800).contains(&seconds)) {
            return Err(invalid("Target group stickiness duration must be between 1 and 604800 seconds"));
        }
    }
    let tuples =
        groups.into_iter().map(|(arn, weight)| wire::TargetGroupTuple { target_group_arn: Some(arn), weight: Some(weight) });
    action.forward_config = Some(wire::ForwardActionConfig {
        target_groups: Some(wire::TargetGroupList { items: tuples.collect() }),
        target_group_stickiness_config: Some(
            stickiness.unwrap_or(wire::TargetGroupStickinessConfig { enabled: Some(false), duration_seconds: None }),
        ),
    });
    Ok(())
}

fn redirect(action: &mut wire::Action) -> Result<(), ApiError> {
    let missing = || ApiError::new("ValidationError", "A redirect action needs a redirect configuration");
    let config = action.redirect_config.as_mut().ok_or_else(missing)?;
    if !["HTTP_301", "HTTP_302"].contains(&config.status_code.as_str()) {
        return Err(ApiError::new("ValidationError", "The status code of a redirect must be HTTP_301 or HTTP_302"));
    }
    config.protocol.get_or_insert_with(|| "#{protocol}".to_owned());
    config.host.get_or_insert_with(|| "#{host}".to_owned());
    config.port.get_or_insert_with(|| "#{port}".to_owned());
    config.path.get_or_insert_with(|| "/#{path}".to_owned());
    config.query.get_or_insert_with(|| "#{query}".to_owned());
    Ok(())
}

fn fixed(action: &wire::Action) -> Result<(), ApiError> {
    let status = action.fixed_response_config.as_ref().and_then(|config| config.status_code.parse::<u16>().ok());
    match status {
        Some(200..=299 | 400..=599) => Ok(()),
        _ => Err(ApiError::new("ValidationError", "The status code of a fixed response must be 2XX, 4XX or 5XX")),
    }
}

fn authentication(action: &mut wire::Action) {
    if let Some(oidc) = &mut action.authenticate_oidc_config {
        oidc.client_secret = None;
        oidc.use_existing_client_secret = None;
        oidc.on_unauthenticated_request.get_or_insert_with(|| "authenticate".to_owned());
        oidc.scope.get_or_insert_with(|| "openid".to_owned());
        oidc.session_cookie_name.get_or_insert_with(|| "AWSELBAuthSessionCookie".to_owned());
        oidc.session_timeout.get_or_insert(604_800);
    }
    if let Some(cognito) = &mut action.authenticate_cognito_config {
        cognito.on_unauthenticated_request.get_or_insert_with(|| "authenticate".to_owned());
        cognito.scope.get_or_insert_with(|| "openid".to_owned());
        cognito.session_cookie_name.get_or_insert_with(|| "AWSELBAuthSessionCookie".to_owned());
        cognito.session_timeout.get_or_insert(604_800);
    }
}
