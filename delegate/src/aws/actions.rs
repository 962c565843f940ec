//! Lists of listener actions, kept whole in the shape of AWS's JSON, and the one change that a swap makes to them: the target
//! group inside the forward action. Order, authentication, weights and stickiness stay as they are.

use serde_json::{Value, json};

/// Why a list of actions can't be worked with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionsError {
    /// It forwards nowhere.
    #[error("does not forward to a target group: its action is {0}")]
    NoForward(String),
    /// It forwards to several target groups.
    #[error("forwards to {} target groups ({}); blue/green needs exactly one", .0.len(), .0.join(", "))]
    Several(Vec<String>),
}

fn list(actions: &Value) -> &[Value] {
    actions.as_array().map_or(&[], Vec::as_slice)
}

fn is_forward(action: &Value) -> bool {
    action["Type"] == "forward"
}

/// The target groups that these actions forward to, with their weights; one that is named alone has weight 1.
pub fn forward_targets(actions: &Value) -> Vec<(String, u32)> {
    let mut targets = Vec::new();
    for action in list(actions).iter().filter(|action| is_forward(action)) {
        match action["ForwardConfig"]["TargetGroups"].as_array() {
            Some(groups) if !groups.is_empty() => targets.extend(groups.iter().filter_map(|group| {
                let weight = group["Weight"].as_u64().and_then(|weight| u32::try_from(weight).ok()).unwrap_or(1);
                Some((group["TargetGroupArn"].as_str()?.to_owned(), weight))
            })),
            _ => targets.extend(action["TargetGroupArn"].as_str().map(|arn| (arn.to_owned(), 1))),
        }
    }
    targets
}

/// The one target group that these actions forward to.
///
/// # Errors
/// When they forward nowhere, or to several.
pub fn single_target(actions: &Value) -> Result<String, ActionsError> {
    let mut targets = forward_targets(actions);
    match targets.len() {
        0 => {
            let types: Vec<_> = list(actions).iter().filter_map(|action| action["Type"].as_str()).collect();
            Err(ActionsError::NoForward(if types.is_empty() { "missing".into() } else { types.join(", ") }))
        }
        1 => Ok(targets.swap_remove(0).0),
        _ => Err(ActionsError::Several(targets.into_iter().map(|(arn, _)| arn).collect())),
    }
}

/// The same actions forwarding to these target groups with these weights; a single one needs no weight. Whatever else the forward
/// action says (stickiness) stays, and a single target keeps the form it had: both forms that AWS gives name the same group
/// afterwards. A client secret, which AWS never shows, is kept by asking for the existing one.
///
/// # Errors
/// When they forward nowhere, or there are several forward actions.
pub fn forwarding(actions: &Value, to: &[(&str, u32)]) -> Result<Value, ActionsError> {
    if list(actions).iter().filter(|action| is_forward(action)).count() != 1 {
        single_target(actions)?;
    }
    let mut changed = writable(actions);
    let Some(forward) = changed.as_array_mut().into_iter().flatten().find(|action| is_forward(action)) else {
        return Err(ActionsError::NoForward("missing".into()));
    };
    let groups = |to: &[(&str, u32)]| -> Vec<Value> {
        to.iter().map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight})).collect()
    };
    let before = forward_targets(&json!([forward]));
    match (to, before.as_slice()) {
        ([(one, _)], [_]) => {
            if forward["TargetGroupArn"].is_string() {
                forward["TargetGroupArn"] = json!(one);
            }
            let config = forward.get_mut("ForwardConfig").and_then(|config| config.get_mut("TargetGroups"));
            for group in config.and_then(Value::as_array_mut).into_iter().flatten() {
                group["TargetGroupArn"] = json!(one);
                // A weight of 0 leads nowhere, whoever left it there.
                if group["Weight"] == 0 {
                    group["Weight"] = json!(1);
                }
            }
        }
        ([(one, _)], _) => {
            forward["TargetGroupArn"] = json!(one);
            forward["ForwardConfig"]["TargetGroups"] = json!(groups(&[(one, 1)]));
        }
        (several, _) => {
            if let Some(members) = forward.as_object_mut() {
                members.remove("TargetGroupArn");
            }
            forward["ForwardConfig"]["TargetGroups"] = json!(groups(several));
        }
    }
    Ok(changed)
}

/// The same actions forwarding to another target group.
///
/// # Errors
/// When they don't forward to exactly one target group.
pub fn with_target(actions: &Value, target_group: &str) -> Result<Value, ActionsError> {
    single_target(actions)?;
    forwarding(actions, &[(target_group, 1)])
}

/// The actions as they can be written back: see [`with_target`] about client secrets.
pub fn writable(actions: &Value) -> Value {
    let mut changed = actions.clone();
    for action in changed.as_array_mut().into_iter().flatten() {
        if let Some(oidc) = action.get_mut("AuthenticateOidcConfig").and_then(Value::as_object_mut)
            && !oidc.contains_key("ClientSecret")
        {
            oidc.insert("UseExistingClientSecret".into(), json!(true));
        }
    }
    changed
}

/// Two lists that mean the same compare equal: AWS gives a single forward in two forms, with or without the default weight and
/// stickiness, and never gives a secret back.
pub fn normalised(actions: &Value) -> Value {
    let mut normal = Vec::new();
    for action in list(actions) {
        let mut action = action.clone();
        if is_forward(&action) {
            let targets = forward_targets(&json!([action]));
            let sticky = &action["ForwardConfig"]["TargetGroupStickinessConfig"];
            let sticky = if sticky["Enabled"] == true { sticky.clone() } else { json!({"Enabled": false}) };
            // With one group a weight says nothing, unless it is 0.
            let groups: Vec<_> = targets
                .iter()
                .map(|(arn, weight)| json!([arn, if targets.len() == 1 && *weight > 0 { 1 } else { *weight }]))
                .collect();
            if let Some(members) = action.as_object_mut() {
                members.remove("TargetGroupArn");
                members.insert("ForwardConfig".into(), json!({"groups": groups, "sticky": sticky}));
            }
        }
        if let Some(oidc) = action.get_mut("AuthenticateOidcConfig").and_then(Value::as_object_mut) {
            oidc.remove("ClientSecret");
            oidc.remove("UseExistingClientSecret");
        }
        // With a single action the order says nothing, and AWS gives it sometimes.
        if let (1, Some(members)) = (list(actions).len(), action.as_object_mut()) {
            members.remove("Order");
        }
        normal.push(action);
    }
    Value::Array(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both_forms(arn: &str) -> Value {
        json!([{
            "Type": "forward", "TargetGroupArn": arn, "Order": 1,
            "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": arn, "Weight": 7}],
                "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 60}
            }
        }])
    }

    #[test]
    fn only_the_target_group_changes_in_both_forms() {
        let swapped = with_target(&both_forms("tg1"), "tg2").expect("one target");
        assert_eq!(swapped, both_forms("tg2"));
        let short = json!([{"Type": "forward", "TargetGroupArn": "tg1"}]);
        assert_eq!(with_target(&short, "tg2").expect("one target"), json!([{"Type": "forward", "TargetGroupArn": "tg2"}]));
        let config_only = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "tg1"}]}}]);
        assert_eq!(
            with_target(&config_only, "tg2").expect("one target"),
            json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "tg2"}]}}])
        );
    }

    #[test]
    fn traffic_is_shared_and_given_back_and_stickiness_stays() {
        let shared = forwarding(&both_forms("tg1"), &[("tg1", 75), ("tg2", 25)]).expect("one forward");
        assert_eq!(forward_targets(&shared), [("tg1".to_owned(), 75), ("tg2".to_owned(), 25)]);
        assert_eq!(shared[0].get("TargetGroupArn"), None);
        assert_eq!(shared[0]["ForwardConfig"]["TargetGroupStickinessConfig"]["DurationSeconds"], 60);
        let whole = forwarding(&shared, &[("tg2", 100)]).expect("one forward");
        assert_eq!(normalised(&whole), normalised(&both_forms("tg2")));
        let fixed = json!([{"Type": "fixed-response"}]);
        assert!(forwarding(&fixed, &[("tg2", 1)]).is_err());
    }

    #[test]
    fn authentication_stays_in_front_and_keeps_its_secret() {
        let actions = json!([
            {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {"Issuer": "i", "ClientId": "c"}},
            {"Type": "forward", "Order": 2, "TargetGroupArn": "tg1"},
        ]);
        let swapped = with_target(&actions, "tg2").expect("one target");
        assert_eq!(
            swapped[0],
            json!({"Type": "authenticate-oidc", "Order": 1,
                "AuthenticateOidcConfig": {"Issuer": "i", "ClientId": "c", "UseExistingClientSecret": true}})
        );
        assert_eq!(swapped[1], json!({"Type": "forward", "Order": 2, "TargetGroupArn": "tg2"}));
        assert_eq!(normalised(&swapped)[0], normalised(&actions)[0]);
    }

    #[test]
    fn what_does_not_forward_to_one_group_is_refused_by_what_it_does() {
        let fixed = json!([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]);
        assert_eq!(
            single_target(&fixed).expect_err("no forward").to_string(),
            "does not forward to a target group: its action is fixed-response"
        );
        let weighted = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": "tg1", "Weight": 1}, {"TargetGroupArn": "tg2", "Weight": 0}]}}]);
        assert_eq!(single_target(&weighted), Err(ActionsError::Several(vec!["tg1".into(), "tg2".into()])));
        assert!(with_target(&weighted, "tg3").is_err());
    }

    #[test]
    fn the_forms_of_one_forward_are_equal_and_different_ones_are_not() {
        let short = json!([{"Type": "forward", "TargetGroupArn": "tg1"}]);
        let long = json!([{"Type": "forward", "Order": 1, "TargetGroupArn": "tg1", "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": "tg1", "Weight": 1}], "TargetGroupStickinessConfig": {"Enabled": false}}}]);
        assert_eq!(normalised(&short), normalised(&long));
        assert_ne!(normalised(&short), normalised(&both_forms("tg1")));
        assert_ne!(normalised(&short), normalised(&json!([{"Type": "forward", "TargetGroupArn": "tg2"}])));
    }
}
