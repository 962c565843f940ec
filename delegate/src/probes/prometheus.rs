//! Prometheus's answers to instant queries, as its HTTP API documents them: a scalar or a vector of samples.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Samples that are looked at; a query that a deployment hangs on has few.
const MOST_SAMPLES: usize = 1_000;

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its labels, as `{job="web"}`; empty for a scalar, or where it has none.
    pub labels: String,
    /// Its value, as Prometheus wrote it: `0.25`, `NaN`, `+Inf`.
    pub text: String,
    /// The same as a number.
    pub value: f64,
}

/// Why an answer has no samples.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSamples {
    /// Prometheus refuses the query: it will refuse it the next time too.
    #[error("Prometheus refuses the query ({kind}): {message}")]
    Refused {
        /// Prometheus's word for it, as `bad_data`.
        kind: String,
        /// What it says.
        message: String,
    },
    /// It could not carry the query out this time.
    #[error("Prometheus could not answer ({kind}): {message}")]
    Failed {
        /// Prometheus's word for it, as `timeout`.
        kind: String,
        /// What it says.
        message: String,
    },
    /// The answer is of a kind that can't be held against a bound.
    #[error("the query answers with {0}; a scalar or an instant vector of numbers is needed")]
    Kind(String),
    /// What answers is not Prometheus.
    #[error("the answer is not one of Prometheus's API: {0}")]
    Foreign(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status: String,
    data: Option<Data>,
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Value,
}

#[derive(Deserialize)]
struct Element {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    value: Option<(Value, String)>,
}

/// The samples of an answer's body. None at all: there is no data.
///
/// # Errors
/// When there are none for another reason.
pub fn samples(body: &str) -> Result<Vec<Sample>, NoSamples> {
    let foreign = |error: serde_json::Error| NoSamples::Foreign(error.to_string());
    let Answer { status, data, error_type: kind, error: message } = serde_json::from_str(body).map_err(foreign)?;
    let Some(Data { result_type, result }) = data.filter(|_| status == "success") else {
        return Err(match kind.as_str() {
            "bad_data" => NoSamples::Refused { kind, message },
            _ => NoSamples::Failed { kind, message },
        });
    };
    match result_type.as_str() {
        "scalar" => {
            let (_, text): (Value, String) = serde_json::from_value(result).map_err(foreign)?;
            Ok(vec![sample(String::new(), text)?])
        }
        "vector" => {
            let elements: Vec<Element> = serde_json::from_value(result).map_err(foreign)?;
            if elements.len() > MOST_SAMPLES {
                return Err(NoSamples::Kind(format!("{} samples, more than {MOST_SAMPLES}", elements.len())));
            }
            elements
                .into_iter()
                .map(|Element { metric, value }| {
                    let (_, text) = value.ok_or_else(|| NoSamples::Kind("a native histogram".to_owned()))?;
                    sample(labels(&metric), text)
                })
                .collect()
        }
        other => Err(NoSamples::Kind(format!("a {other}"))),
    }
}

fn sample(labels: String, text: String) -> Result<Sample, NoSamples> {
    let value = text.parse().map_err(|_| NoSamples::Foreign(format!("{text:?} is no value of a sample")))?;
    Ok(Sample { labels, text, value })
}

fn labels(metric: &BTreeMap<String, String>) -> String {
    let labels: Vec<String> =
        metric.iter().filter(|(name, _)| *name != "__name__").map(|(name, value)| format!("{name}={value:?}")).collect();
    let name = metric.get("__name__").map_or("", String::as_str);
    if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, value: f64) -> Sample {
        Sample { labels: String::new(), text: text.to_owned(), value }
    }

    #[test]
    fn scalars_and_vectors_are_read() {
        let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1435781451.781,"1"]}}"#;
        assert_eq!(samples(scalar), Ok(vec![one("1", 1.0)]));
        let vector = r#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"__name__":"up","job":"web"},"value":[1435781451.781,"0.5"]},
            {"metric":{},"value":[1435781451.781,"+Inf"]}]},"warnings":["w"]}"#;
        let found = samples(vector).expect("samples");
        assert_eq!((found[0].labels.as_str(), found[0].value), ("up{job=\"web\"}", 0.5));
        assert_eq!(found[1], one("+Inf", f64::INFINITY));
        let nan = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}}"#;
        assert!(samples(nan).expect("a sample")[0].value.is_nan());
        let empty = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
        assert_eq!(samples(empty), Ok(Vec::new()));
    }

    #[test]
    fn what_holds_no_number_is_told_apart() {
        let refused = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
        assert!(matches!(samples(refused), Err(NoSamples::Refused { .. })));
        let failed = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
        assert!(matches!(samples(failed), Err(NoSamples::Failed { .. })));
        let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
        assert_eq!(samples(matrix), Err(NoSamples::Kind("a matrix".to_owned())));
        let histogram = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}"#;
        assert_eq!(samples(histogram), Err(NoSamples::Kind("a native histogram".to_owned())));
        for foreign in ["<html>", "{}", r#"{"status":"success","data":{"resultType":"scalar","result":[1,"x"]}}"#] {
            assert!(matches!(samples(foreign), Err(NoSamples::Foreign(_))), "{foreign}");
        }
    }
}
