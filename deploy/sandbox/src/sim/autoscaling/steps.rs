//! Step scaling: how far an alarm's metric is beyond its threshold decides the adjustment.

use serde_json::{Map, Value};

/// The capacity that a policy's configuration makes of `current`, with a metric that is `beyond` its alarm's threshold; none if no
/// step is for that.
pub(super) fn adjusted(configuration: &Map<String, Value>, current: u32, beyond: f64) -> Option<i64> {
    let steps = configuration.get("StepAdjustments")?.as_array()?;
    let bound = |step: &Value, name: &str, open: f64| step.get(name).and_then(Value::as_f64).unwrap_or(open);
    let fits = |step: &&Value| {
        let (low, high) =
            (bound(step, "MetricIntervalLowerBound", f64::NEG_INFINITY), bound(step, "MetricIntervalUpperBound", f64::INFINITY));
        // Above the threshold a step holds its lower bound, below it its upper one.
        if beyond >= 0.0 { beyond >= low && beyond < high } else { beyond > low && beyond <= high }
    };
    let adjustment = steps.iter().find(fits)?.get("ScalingAdjustment")?.as_i64()?;
    let current = i64::from(current);
    let least = configuration.get("MinAdjustmentMagnitude").and_then(Value::as_i64).unwrap_or(1);
    Some(match configuration.get("AdjustmentType").and_then(Value::as_str)? {
        "ExactCapacity" => adjustment,
        "PercentChangeInCapacity" => {
            let change = current * adjustment / 100;
            let change = if change.abs() < least { adjustment.signum() * least } else { change };
            current + change
        }
        _ => current + adjustment,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn capacity(kind: &str, current: u32, beyond: f64) -> Option<i64> {
        let configuration = json!({"AdjustmentType": kind, "StepAdjustments": [
            {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 1},
            {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 30},
            {"MetricIntervalUpperBound": 0.0, "ScalingAdjustment": -2},
        ]});
        adjusted(configuration.as_object().expect("an object"), current, beyond)
    }

    #[test]
    fn the_step_is_that_of_the_distance_and_the_kind_says_what_it_means() {
        assert_eq!(capacity("ChangeInCapacity", 4, 0.0), Some(5));
        assert_eq!(capacity("ChangeInCapacity", 4, 10.0), Some(34));
        assert_eq!(capacity("ChangeInCapacity", 4, -0.5), Some(2));
        assert_eq!(capacity("ExactCapacity", 4, 50.0), Some(30));
        assert_eq!(capacity("PercentChangeInCapacity", 10, 50.0), Some(13));
        // A change is of one at least.
        assert_eq!(capacity("PercentChangeInCapacity", 2, 5.0), Some(3));
        assert_eq!(capacity("PercentChangeInCapacity", 2, -5.0), Some(1));
    }
}
