//! Auto scaling of an ECS service, in the shapes of AWS's Application Auto Scaling API: what a workflow wants, and what stood before a
//! deployment, in one form, so that the one can be put in the other's place unchanged.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A scalable target with its policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoScaling {
    /// The members of `RegisterScalableTarget` but for what names the service: `MinCapacity`, `MaxCapacity`, `RoleARN`,
    /// `SuspendedState` with its three flags.
    pub scalable_target: Value,
    /// The members of each `PutScalingPolicy` but for what names the service: `PolicyName`, `PolicyType`, and its configuration.
    pub scaling_policies: Vec<Value>,
}

/// What names the service in a request, and what AWS adds to an answer: neither is part of a policy.
const NAMES: [&str; 7] =
    ["ServiceNamespace", "ResourceId", "ScalableDimension", "PolicyARN", "Alarms", "CreationTime", "ScalableTargetARN"];

impl AutoScaling {
    /// The parts as AWS's API names them: keys of both cases are taken, and what names another service is left out.
    pub fn new(scalable_target: &Value, scaling_policies: &[Value]) -> Self {
        let part = |value: &Value| {
            let mut part = pascal(value);
            if let Some(members) = part.as_object_mut() {
                members.retain(|name, value| !NAMES.contains(&name.as_str()) && !value.is_null() && name != "PredictedCapacity");
            }
            part
        };
        Self { scalable_target: part(scalable_target), scaling_policies: scaling_policies.iter().map(part).collect() }
    }

    /// `MinCapacity` and `MaxCapacity`.
    pub fn bounds(&self) -> Option<(u64, u64)> {
        Some((self.scalable_target["MinCapacity"].as_u64()?, self.scalable_target["MaxCapacity"].as_u64()?))
    }

    /// What is wrong with it, a sentence each.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        match self.bounds() {
            None => problems.push("scalableTarget needs minCapacity and maxCapacity, two whole numbers".to_owned()),
            Some((min, max)) if min > max => {
                problems.push(format!("scalableTarget has minCapacity {min} above maxCapacity {max}"));
            }
            Some(_) => {}
        }
        for (index, policy) in self.scaling_policies.iter().enumerate() {
            if policy["PolicyName"].as_str().is_none_or(str::is_empty) {
                problems.push(format!("scalingPolicies[{index}] has no policyName"));
            }
            let configured = policy.as_object().is_some_and(|members| members.keys().any(|key| key.ends_with("Configuration")));
            if !configured {
                problems.push(format!(
                    "scalingPolicies[{index}] has neither targetTrackingScalingPolicyConfiguration nor stepScalingPolicyConfiguration"
                ));
            }
        }
        problems
    }

    /// In words: `1 to 4 tasks, 2 policies`.
    pub fn told(&self) -> String {
        let (min, max) = self.bounds().unwrap_or_default();
        let policies = self.scaling_policies.len();
        format!("{min} to {max} tasks, {policies} {}", if policies == 1 { "policy" } else { "policies" })
    }

    /// The same for a version whose load balancer's requests are counted on another target group: the labels of
    /// `ALBRequestCountPerTarget` that name `from` name `to`.
    #[must_use]
    pub fn relabelled(&self, from: &str, to: &str) -> Self {
        fn walk(value: &mut Value, from: &str, to: &str) {
            match value {
                Value::Object(members) => {
                    for (name, value) in members {
                        match value {
                            Value::String(label) if name == "ResourceLabel" => *label = label.replace(from, to),
                            other => walk(other, from, to),
                        }
                    }
                }
                Value::Array(items) => items.iter_mut().for_each(|item| walk(item, from, to)),
                _ => {}
            }
        }
        let mut changed = self.clone();
        changed.scaling_policies.iter_mut().for_each(|policy| walk(policy, from, to));
        changed
    }
}

/// Keys as the API writes them: `minCapacity` is `MinCapacity`.
fn pascal(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let mut letters = name.chars();
                let first = letters.next().map(|first| first.to_ascii_uppercase()).into_iter();
                let name: String = first.chain(letters).collect();
                // The one key that is not simply capitalised.
                (if name == "RoleArn" { "RoleARN".to_owned() } else { name }, pascal(value))
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(pascal).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_key_cases_are_one_and_what_names_a_service_is_left_out() {
        let lower = AutoScaling::new(
            &json!({"serviceNamespace": "ecs", "minCapacity": 1, "maxCapacity": 4}),
            &[
                json!({"policyName": "cpu", "policyARN": "arn", "targetTrackingScalingPolicyConfiguration": {"targetValue": 60.0}}),
            ],
        );
        let upper = AutoScaling::new(
            &json!({"MinCapacity": 1, "MaxCapacity": 4, "ResourceId": "service/c/s", "CreationTime": 1.0}),
            &[json!({"PolicyName": "cpu", "Alarms": [], "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 60.0}})],
        );
        assert_eq!(lower.scalable_target, upper.scalable_target);
        assert_eq!(upper.told(), "1 to 4 tasks, 1 policy");
        assert!(upper.problems().is_empty() && lower.scaling_policies[0].get("PolicyARN").is_none());
    }

    #[test]
    fn what_is_missing_is_told() {
        let wrong = AutoScaling::new(&json!({"minCapacity": 5, "maxCapacity": 4}), &[json!({"policyType": "StepScaling"})]);
        assert_eq!(wrong.problems().len(), 3);
        assert!(AutoScaling::new(&json!({}), &[]).problems()[0].contains("needs minCapacity"));
    }

    #[test]
    fn requests_are_counted_on_the_version_s_own_group() {
        let label = json!({"C": {"ResourceLabel": "app/lb/1/targetgroup/one/2"}});
        let scaling = AutoScaling { scalable_target: json!({}), scaling_policies: vec![label] };
        let moved = scaling.relabelled("targetgroup/one/2", "targetgroup/two/3");
        assert_eq!(moved.scaling_policies[0]["C"]["ResourceLabel"], "app/lb/1/targetgroup/two/3");
    }
}
