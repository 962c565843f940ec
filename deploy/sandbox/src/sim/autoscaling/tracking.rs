//! Target tracking: the metric that a policy follows, the two alarms on it, and the capacity that brings it to its target.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::api::{invalid, service_key};
use crate::sim::{
    cloudwatch::{Alarm, AlarmState, Comparison, Metric, Missing},
    error::ApiError,
};

/// Periods of a minute that the alarm for scaling out and the one for scaling in look at.
const HIGH: u32 = 3;
const LOW: u32 = 15;
/// The alarm for scaling in is for less than this share of the target.
const MARGIN: f64 = 0.9;
/// AWS's default for services, in seconds.
pub(super) const COOLDOWN: f64 = 300.0;

/// A metric and how its numbers are put together.
#[derive(Debug, PartialEq)]
pub(super) struct Followed {
    /// The metric.
    pub metric: Metric,
    /// One of the five statistics.
    pub statistic: String,
}

/// What a configuration follows.
pub(super) fn followed(configuration: &Map<String, Value>, resource: &str) -> Result<Followed, ApiError> {
    let custom = configuration.get("CustomizedMetricSpecification");
    let Some(predefined) = configuration.get("PredefinedMetricSpecification") else {
        let custom = custom.ok_or_else(|| invalid("A metric specification must be given: predefined or customized"))?;
        return customized(custom);
    };
    if custom.is_some() {
        return Err(invalid("Only one metric specification can be given: predefined or customized"));
    }
    let label = predefined.get("ResourceLabel").and_then(Value::as_str);
    let (cluster, service) = service_key(resource).unwrap_or_default();
    let of_service = |name: &str| Followed {
        metric: Metric::new("AWS/ECS", name, &[("ClusterName", cluster.as_str()), ("ServiceName", service.as_str())]),
        statistic: "Average".to_owned(),
    };
    match predefined.get("PredefinedMetricType").and_then(Value::as_str).unwrap_or_default() {
        kind @ ("ECSServiceAverageCPUUtilization" | "ECSServiceAverageMemoryUtilization") => {
            if label.is_some() {
                return Err(invalid(format!("Resource label must not be specified for {kind}")));
            }
            Ok(of_service(if kind.contains("CPU") { "CPUUtilization" } else { "MemoryUtilization" }))
        }
        "ALBRequestCountPerTarget" => {
            let label = label.ok_or_else(|| invalid("Resource label must be specified for ALBRequestCountPerTarget"))?;
            let wrong = || invalid(format!("The resource label '{label}' is not of the form app/NAME/ID/targetgroup/NAME/ID"));
            let at = label.find("/targetgroup/").ok_or_else(wrong)?;
            let (balancer, group) = (&label[..at], &label[at + 1..]);
            if !balancer.starts_with("app/") || balancer.split('/').count() != 3 || group.split('/').count() != 3 {
                return Err(wrong());
            }
            let dimensions = [("LoadBalancer", balancer), ("TargetGroup", group)];
            let metric = Metric::new("AWS/ApplicationELB", "RequestCountPerTarget", &dimensions);
            Ok(Followed { metric, statistic: "Sum".to_owned() })
        }
        other => Err(invalid(format!("The predefined metric type '{other}' is not one of a service's"))),
    }
}

fn customized(custom: &Value) -> Result<Followed, ApiError> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    if custom.get("Metrics").is_some() {
        return Err(invalid("Metric math is not known to the simulator"));
    }
    let listed = custom.get("Dimensions").and_then(Value::as_array).into_iter().flatten();
    let metric = Metric {
        namespace: text(custom, "Namespace"),
        name: text(custom, "MetricName"),
        dimensions: listed.map(|dimension| (text(dimension, "Name"), text(dimension, "Value"))).collect(),
    };
    let statistic = text(custom, "Statistic");
    if metric.namespace.is_empty() || metric.name.is_empty() || statistic.is_empty() {
        return Err(invalid("A customized metric needs Namespace, MetricName and Statistic"));
    }
    Ok(Followed { metric, statistic })
}

/// The two alarms of a policy: for scaling out, and for scaling in (which is there even if scaling in is disabled, as in AWS it is not).
pub(super) fn alarms(followed: &Followed, target: f64, names: &[String], policy: &str, wall: f64) -> Vec<Alarm> {
    let sides = [(Comparison::Greater, target, HIGH), (Comparison::Less, target * MARGIN, LOW)];
    let made = names.iter().zip(sides).map(|(name, (comparison, threshold, periods))| Alarm {
        name: name.clone(),
        metric: followed.metric.clone(),
        statistic: followed.statistic.clone(),
        period: 60,
        periods,
        needed: periods,
        threshold,
        comparison,
        missing: Missing::Unknown,
        description: Some(format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy}.")),
        unit: None,
        actions_enabled: true,
        actions: BTreeMap::from([(AlarmState::Alarm.as_str(), vec![policy.to_owned()])]),
        needed_given: false,
        state: AlarmState::InsufficientData,
        reason: "Unchecked: Initial alarm creation".to_owned(),
        since: wall,
        updated: wall,
    });
    made.collect()
}

/// The capacity at which the metric would be at its target, if it falls as capacity grows.
pub(super) fn capacity(current: u32, value: f64, target: f64) -> u32 {
    let wanted = (f64::from(current) * value / target).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
    let wanted = wanted.clamp(0.0, f64::from(u32::MAX)) as u32;
    wanted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(configuration: &Value) -> Result<Followed, String> {
        followed(configuration.as_object().expect("an object"), "service/c/s").map_err(|error| error.message)
    }

    #[test]
    fn each_metric_is_known() {
        let predefined = |kind: &str, label: Option<&str>| {
            let mut given = json!({"PredefinedMetricSpecification": {"PredefinedMetricType": kind}});
            if let Some(label) = label {
                given["PredefinedMetricSpecification"]["ResourceLabel"] = label.into();
            }
            read(&given)
        };
        let cpu = predefined("ECSServiceAverageCPUUtilization", None).expect("CPU");
        assert_eq!(cpu.metric, Metric::new("AWS/ECS", "CPUUtilization", &[("ClusterName", "c"), ("ServiceName", "s")]));
        let requests = predefined("ALBRequestCountPerTarget", Some("app/n/1/targetgroup/g/2")).expect("requests");
        assert_eq!(requests.metric.dimensions["TargetGroup"], "targetgroup/g/2");
        assert_eq!((requests.metric.dimensions["LoadBalancer"].as_str(), requests.statistic.as_str()), ("app/n/1", "Sum"));
        for (kind, label) in [
            ("ALBRequestCountPerTarget", None),
            ("ALBRequestCountPerTarget", Some("app/n/1")),
            ("ALBRequestCountPerTarget", Some("net/n/1/targetgroup/g/2")),
            ("ECSServiceAverageCPUUtilization", Some("app/n/1/targetgroup/g/2")),
            ("DynamoDBReadCapacityUtilization", None),
        ] {
            assert!(predefined(kind, label).is_err(), "{kind} {label:?}");
        }
        let custom = json!({"CustomizedMetricSpecification": {"Namespace": "n", "MetricName": "m", "Statistic": "Maximum",
            "Dimensions": [{"Name": "a", "Value": "b"}]}});
        assert_eq!(read(&custom).expect("custom").metric, Metric::new("n", "m", &[("a", "b")]));
        assert!(read(&json!({})).is_err());
    }

    #[test]
    fn capacity_is_what_brings_the_metric_to_its_target() {
        for (current, value, target, wanted) in
            [(2, 150.0, 100.0, 3), (2, 201.0, 100.0, 5), (4, 10.0, 100.0, 1), (4, 0.0, 100.0, 0), (0, 50.0, 10.0, 0)]
        {
            assert_eq!(capacity(current, value, target), wanted, "{current} {value}");
        }
    }
}
