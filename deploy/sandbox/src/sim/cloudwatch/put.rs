//! Numbers that callers put: each datum is one number, a list of numbers with counts, or a summary.

use serde_json::Value;

use super::{
    api::Answer,
    read::{Input, dimensions, list, missing, number, text, time, wrong},
    series::{Metric, Numbers},
};
use crate::sim::{context::Context, error::ApiError};

/// AWS's limit for one request.
const MOST: usize = 1_000;

pub(super) fn data(input: &Input, context: &mut Context<'_>) -> Answer {
    let namespace = text(input, "Namespace").ok_or_else(|| missing("Namespace"))?;
    if namespace.starts_with("AWS/") {
        return Err(wrong("Namespace", "AWS/ is reserved"));
    }
    let given = list(input, "MetricData");
    if given.is_empty() {
        return Err(missing("MetricData"));
    }
    if given.len() > MOST {
        return Err(wrong("MetricData", "it has more than 1000 members"));
    }
    let (now, wall) = (context.clock.now(), context.clock.epoch());
    // All of it or nothing.
    let mut read = Vec::new();
    for datum in given {
        let datum = datum.as_object().ok_or_else(|| missing("MetricName"))?;
        let name = text(datum, "MetricName").ok_or_else(|| missing("MetricName"))?;
        let metric = Metric { namespace: namespace.to_owned(), name: name.to_owned(), dimensions: dimensions(datum)? };
        let at = time(datum.get("Timestamp")).unwrap_or(wall);
        read.push((metric, at, numbers(datum)?, text(datum, "Unit").map(str::to_owned)));
    }
    for (metric, at, numbers, unit) in read {
        let series = context.cloudwatch.metrics.entry(metric).or_default();
        series.add(now - (wall - at) * context.clock.factor(), at, numbers);
        series.unit = unit.or(series.unit.take());
    }
    Ok(None)
}

fn numbers(datum: &Input) -> Result<Numbers, ApiError> {
    if let Some(value) = number(datum.get("Value")) {
        return Ok(Numbers::one(value));
    }
    if let Some(summary) = datum.get("StatisticValues") {
        let part = |name: &str| number(summary.get(name)).ok_or_else(|| missing(&format!("StatisticValues.{name}")));
        let (count, sum, min, max) = (part("SampleCount")?, part("Sum")?, part("Minimum")?, part("Maximum")?);
        if count <= 0.0 || min > max {
            return Err(wrong("StatisticValues", "there must be samples, and Minimum no more than Maximum"));
        }
        return Ok(Numbers { count, sum, min, max });
    }
    let values = list(datum, "Values");
    let counts = list(datum, "Counts");
    if values.is_empty() {
        return Err(missing("Value"));
    }
    if !counts.is_empty() && counts.len() != values.len() {
        return Err(wrong("Counts", "there must be as many as Values"));
    }
    let each = values.iter().enumerate().map(|(index, value): (usize, &Value)| {
        let value = number(Some(value))?;
        let count = if counts.is_empty() { 1.0 } else { number(counts.get(index)).filter(|count| *count > 0.0)? };
        Some(Numbers { count, sum: value * count, min: value, max: value })
    });
    let each: Option<Vec<Numbers>> = each.collect();
    let all = each.and_then(|each| each.into_iter().reduce(Numbers::and));
    all.ok_or_else(|| wrong("Values", "they must be numbers, and their counts above 0"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(datum: &Value) -> Result<Numbers, String> {
        numbers(datum.as_object().expect("an object")).map_err(|error| error.code)
    }

    #[test]
    fn a_datum_has_one_of_three_forms() {
        assert_eq!(read(&json!({"Value": "2.5"})), Ok(Numbers::one(2.5)));
        let summary = json!({"StatisticValues": {"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2}});
        let expected = Numbers { count: 2.0, sum: 3.0, min: 1.0, max: 2.0 };
        assert_eq!(read(&summary), Ok(expected));
        assert_eq!(read(&json!({"Values": [1, 2]})), Ok(expected));
        let counted = Numbers { count: 4.0, sum: 7.0, min: 1.0, max: 2.0 };
        assert_eq!(read(&json!({"Values": [1, 2], "Counts": [1, 3]})), Ok(counted));
    }

    #[test]
    fn what_is_none_is_refused() {
        for (datum, code) in [
            (json!({}), "MissingParameter"),
            (json!({"Values": [1], "Counts": [1, 2]}), "InvalidParameterValue"),
            (json!({"Values": [1], "Counts": [0]}), "InvalidParameterValue"),
            (json!({"StatisticValues": {"SampleCount": 1}}), "MissingParameter"),
            (json!({"StatisticValues": {"SampleCount": 0, "Sum": 0, "Minimum": 0, "Maximum": 0}}), "InvalidParameterValue"),
        ] {
            assert_eq!(read(&datum), Err(code.to_owned()), "{datum}");
        }
    }
}
