//! Prometheus Check: a query whose answer has to stay within a bound for a while.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::number::Number;

/// What the answer is held against.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Bound {
    /// Less than this.
    Below(Number),
    /// More than this.
    Above(Number),
    /// At least the first and at most the second.
    Between(Number, Number),
}

impl Bound {
    /// Whether a value keeps it. What is not a number never does.
    pub fn holds(&self, value: f64) -> bool {
        match self {
            Self::Below(most) => value < most.value(),
            Self::Above(least) => value > least.value(),
            Self::Between(least, most) => (least.value()..=most.value()).contains(&value),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below(most) => write!(f, "below {most}"),
            Self::Above(least) => write!(f, "above {least}"),
            Self::Between(least, most) => write!(f, "between {least} and {most}"),
        }
    }
}

/// Inputs of *Prometheus Check*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrometheusCheck {
    /// Where Prometheus, or what speaks its API, is: the URL before `/api/v1/query`.
    pub url: String,
    /// The query, in PromQL.
    pub query: String,
    /// What every sample of the answer has to keep.
    pub bound: Bound,
    /// For how long without a break, in milliseconds.
    pub hold_ms: u64,
    /// Pause between two questions, in milliseconds.
    pub interval_ms: u64,
    /// How long to go on asking until it was so, in milliseconds.
    pub within_ms: u64,
    /// Headers that are sent with each question, by name and value.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// What *Prometheus Check* hands on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrometheusCheckOutput {
    /// The last answer: its samples, as Prometheus wrote them, divided by `, `.
    pub value: String,
}

impl PrometheusCheckOutput {
    /// The names that [`PrometheusCheckOutput::values`] yields.
    pub const NAMES: [&'static str; 1] = ["value"];

    pub(super) fn values(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([("value", self.value.clone())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_or_not() {
        let number = |text| Number::parse(text).expect("a number");
        let below = Bound::Below(number("0.5"));
        assert!(below.holds(0.4) && below.holds(f64::NEG_INFINITY) && !below.holds(0.5) && !below.holds(f64::NAN));
        let above = Bound::Above(number("0.5"));
        assert!(above.holds(0.6) && !above.holds(0.5) && !above.holds(f64::NAN));
        let between = Bound::Between(number("1"), number("2"));
        assert!(between.holds(1.0) && between.holds(2.0) && !between.holds(2.1) && !between.holds(f64::NAN));
        assert_eq!(between.to_string(), "between 1 and 2");
    }
}
