//! The query protocol's forms: read into the same members as the other protocols', and answers brought into what its XML is written
//! from.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::cbor::is_time;

/// The members of a form: lists are lists, and every other value is a text.
pub(super) fn read(form: &HashMap<String, String>) -> Map<String, Value> {
    let mut root = Branch::default();
    for (name, value) in form.iter().filter(|(name, _)| !["Action", "Version"].contains(&name.as_str())) {
        root.insert(name.split('.'), value);
    }
    match root.value() {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[derive(Default)]
struct Branch {
    text: Option<String>,
    below: BTreeMap<String, Branch>,
}

impl Branch {
    fn insert<'a>(&mut self, mut path: impl Iterator<Item = &'a str>, value: &str) {
        match path.next() {
            None => self.text = Some(value.to_owned()),
            Some(part) => self.below.entry(part.to_owned()).or_default().insert(path, value),
        }
    }

    fn value(&self) -> Value {
        if let Some(text) = &self.text {
            return text.as_str().into();
        }
        let Some(members) = self.below.get("member") else {
            return Value::Object(self.below.iter().map(|(name, branch)| (name.clone(), branch.value())).collect());
        };
        let mut items: Vec<(u32, Value)> =
            members.below.iter().filter_map(|(index, item)| Some((index.parse().ok()?, item.value()))).collect();
        items.sort_by_key(|(index, _)| *index);
        items.into_iter().map(|(_, item)| item).collect()
    }
}

/// An answer with its lists and times as XML has them.
pub(super) fn written(value: &Value) -> Value {
    shaped(value, false)
}

fn shaped(value: &Value, time: bool) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shaped(value, is_time(name)))).collect(),
        Value::Array(items) => json!({"member": items.iter().map(|item| shaped(item, time)).collect::<Vec<_>>()}),
        Value::Number(number) if time => date(number.as_f64().unwrap_or_default()).into(),
        other => other.clone(),
    }
}

/// A time as text.
pub(super) fn date(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970")]
    let time = jiff::Timestamp::from_millisecond((seconds * 1_000.0).round() as i64).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_s_lists_are_lists_in_order() {
        let form = [
            ("Action", "PutMetricData"),
            ("Namespace", "n"),
            ("MetricData.member.2.MetricName", "b"),
            ("MetricData.member.1.MetricName", "a"),
            ("MetricData.member.1.Values.member.1", "1.5"),
        ];
        let form = form.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let expected = json!({"Namespace": "n", "MetricData": [{"MetricName": "a", "Values": ["1.5"]}, {"MetricName": "b"}]});
        assert_eq!(Value::Object(read(&form)), expected);
    }

    #[test]
    fn lists_and_times_take_xml_s_form() {
        let told = written(&json!({"Timestamps": [0.5], "Values": [1.0], "StateUpdatedTimestamp": 1.0}));
        let expected = json!({
            "Timestamps": {"member": ["1970-01-01T00:00:00.500Z"]}, "Values": {"member": [1.0]},
            "StateUpdatedTimestamp": "1970-01-01T00:00:01.000Z",
        });
        assert_eq!(told, expected);
    }
}
