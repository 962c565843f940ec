//! A request's members. In JSON and CBOR they have their types, in a form all are texts.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::series::Metric;
use crate::sim::error::ApiError;

/// A request's members.
pub(super) type Input = Map<String, Value>;

/// A text that is not empty.
pub(super) fn text<'a>(input: &'a Input, name: &str) -> Option<&'a str> {
    input.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A number.
pub(super) fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        value => value.as_f64(),
    }
}

/// A whole number from 1.
pub(super) fn whole(input: &Input, name: &str) -> Result<Option<u32>, ApiError> {
    let Some(given) = input.get(name) else { return Ok(None) };
    let number = match given {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64().and_then(|number| u32::try_from(number).ok()),
    };
    number.filter(|number| *number >= 1).map(Some).ok_or_else(|| invalid(format!("{name} must be a whole number from 1")))
}

/// A truth.
pub(super) fn flag(input: &Input, name: &str) -> Option<bool> {
    match input.get(name)? {
        Value::String(text) => text.parse().ok(),
        value => value.as_bool(),
    }
}

/// A list; none: an empty one.
pub(super) fn list<'a>(input: &'a Input, name: &str) -> &'a [Value] {
    input.get(name).and_then(Value::as_array).map_or(&[], |list| list)
}

/// A list of texts.
pub(super) fn texts(input: &Input, name: &str) -> Vec<String> {
    list(input, name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A time in seconds since 1970.
pub(super) fn time(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::String(text) => match text.parse::<f64>() {
            Ok(seconds) => Some(seconds),
            Err(_) => text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond() as f64 / 1_000.0),
        },
        value => value.as_f64(),
    }
}

/// The metric that `Namespace`, `MetricName` and `Dimensions` name.
pub(super) fn metric(input: &Input) -> Result<Metric, ApiError> {
    let named = |name: &str| text(input, name).map(str::to_owned).ok_or_else(|| missing(name));
    Ok(Metric { namespace: named("Namespace")?, name: named("MetricName")?, dimensions: dimensions(input)? })
}

/// `Dimensions`.
pub(super) fn dimensions(input: &Input) -> Result<BTreeMap<String, String>, ApiError> {
    let pairs = list(input, "Dimensions").iter().map(|dimension| {
        let part = |name: &str| dimension.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        Some((part("Name")?, part("Value")?))
    });
    pairs.collect::<Option<_>>().ok_or_else(|| wrong("Dimensions", "each needs a Name and a Value"))
}

/// A period of whole minutes, or of 1, 5, 10, 20 or 30 seconds.
pub(super) fn period(input: &Input) -> Result<u32, ApiError> {
    let period = whole(input, "Period")?.ok_or_else(|| missing("Period"))?;
    let fits = period % 60 == 0 || [1, 5, 10, 20, 30].contains(&period);
    if fits { Ok(period) } else { Err(wrong("Period", "it must be 1, 5, 10, 20, 30 or a multiple of 60")) }
}

/// A request that does not fit its operation.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

/// A parameter with a value that it can't have.
pub(super) fn wrong(name: &str, why: &str) -> ApiError {
    ApiError::new("InvalidParameterValue", format!("The value for parameter {name} is invalid: {why}."))
}

/// A parameter that is not there.
pub(super) fn missing(name: &str) -> ApiError {
    ApiError::new("MissingParameter", format!("The parameter {name} is required."))
}
