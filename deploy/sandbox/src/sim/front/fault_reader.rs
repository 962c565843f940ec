//! Rules of faults as people write them, read with everything that is wrong in them told at once.

use domain::suggestion::nearest;
use serde_json::{Map, Value};

use super::{
    faults::{Fault, Rule},
    operations,
};

/// Something that is wrong in a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The member: `operation`, `fault.kind` ...
    pub place: String,
    /// What is wrong with it.
    pub text: String,
}

/// A kind of fault, and the members it needs and may have beside `kind`.
type Kind = (&'static str, &'static [&'static str], &'static [&'static str]);

const KINDS: [Kind; 8] = [
    ("throttle", &[], &[]),
    ("refuse", &["code"], &["message", "status"]),
    ("fail", &[], &["status"]),
    ("reset", &[], &[]),
    ("lost", &[], &[]),
    ("silent", &["delayMs"], &[]),
    ("slow", &["delayMs"], &[]),
    ("stale", &[], &[]),
];

/// The longest wait that can be asked for: ten minutes.
const LONGEST: u64 = 600_000;

/// The names of all kinds.
pub fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|(name, ..)| *name).collect()
}

/// Reads a rule.
///
/// # Errors
/// Everything that is wrong in it.
pub fn read(value: &Value) -> Result<Rule, Vec<Problem>> {
    let mut reader = Reader::default();
    let rule = reader.rule(value);
    match rule {
        Some(rule) if reader.problems.is_empty() => Ok(rule),
        _ => Err(reader.problems),
    }
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn wrong<T>(&mut self, place: &str, text: impl Into<String>) -> Option<T> {
        self.problems.push(Problem { place: place.to_owned(), text: text.into() });
        None
    }

    fn rule(&mut self, value: &Value) -> Option<Rule> {
        let Some(members) = value.as_object() else {
            return self.wrong("", "a rule is an object with `operation` and `fault`");
        };
        // What the table itself tells beside a rule may come back to it.
        self.only(members, "", &["operation", "fault", "after", "times", "fired"]);
        let operation = match members.get("operation").map(Value::as_str) {
            None => self.wrong("operation", "is missing: ecs:CreateService, ecs:* or *"),
            Some(None) => self.wrong("operation", "has to be a text: ecs:CreateService, ecs:* or *"),
            Some(Some(text)) => match operations::pattern(text) {
                Ok(pattern) => Some(pattern),
                Err(error) => self.wrong("operation", error),
            },
        };
        let after = self.count(members, "after", 0);
        let times = if members.get("times").is_none_or(Value::is_null) { None } else { self.count(members, "times", 1) };
        let fault = match members.get("fault") {
            None => self.wrong("fault", "is missing: what goes wrong"),
            Some(fault) => self.fault(fault),
        };
        if let (Some(operation), Some(Fault::Stale)) = (&operation, &fault) {
            let named = operation.split_once(':').map(|(_, named)| named).filter(|named| *named != "*");
            if named.is_some_and(operations::is_write) {
                return self.wrong("fault.kind", format!("{operation} changes something: only what reads can be stale"));
            }
        }
        Some(Rule { operation: operation?, fault: fault?, after: after.unwrap_or(0), times, fired: 0 })
    }

    fn fault(&mut self, value: &Value) -> Option<Fault> {
        let Some(members) = value.as_object() else {
            return self.wrong("fault", "has to be an object with a `kind`");
        };
        let Some(given) = members.get("kind").and_then(Value::as_str) else {
            return self.wrong("fault.kind", format!("is missing: one of {}", kinds().join(", ")));
        };
        let Some((kind, needed, allowed)) = KINDS.iter().find(|(kind, ..)| *kind == given) else {
            let hint = match nearest(given, kinds()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known: {}", kinds().join(", ")),
            };
            return self.wrong("fault.kind", format!("there is no kind {given:?}; {hint}"));
        };
        let before = self.problems.len();
        let known: Vec<&str> = ["kind"].iter().chain(*needed).chain(*allowed).copied().collect();
        self.only(members, "fault.", &known);
        for member in needed.iter().filter(|member| !members.contains_key(**member)) {
            self.wrong::<()>(&format!("fault.{member}"), format!("is missing: a fault of kind {kind} needs it"));
        }
        let text = |member: &str| members.get(member).map(|value| value.as_str().filter(|text| !text.is_empty()));
        if text("code") == Some(None) {
            self.wrong::<()>("fault.code", "has to be an error code: AccessDeniedException");
        }
        if members.get("message").is_some_and(|message| !message.is_string()) {
            self.wrong::<()>("fault.message", "has to be a text");
        }
        let (low, high) = if *kind == "fail" { (500, 599) } else { (400, 599) };
        let status = members.get("status").map(Value::as_u64);
        if status.is_some_and(|status| status.is_none_or(|status| !(low..=high).contains(&status))) {
            self.wrong::<()>("fault.status", format!("has to be an HTTP status from {low} to {high}"));
        }
        let delay = members.get("delayMs").map(Value::as_u64);
        if delay.is_some_and(|delay| delay.is_none_or(|delay| delay > LONGEST)) {
            self.wrong::<()>("fault.delayMs", format!("has to be milliseconds, at most {LONGEST}"));
        }
        if self.problems.len() > before {
            return None;
        }
        match serde_json::from_value(value.clone()) {
            Ok(fault) => Some(fault),
            Err(error) => self.wrong("fault", error.to_string()),
        }
    }

    /// Notes members that do not belong here.
    fn only(&mut self, members: &Map<String, Value>, prefix: &str, known: &[&str]) {
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known: {}", known.join(", ")),
            };
            self.wrong::<()>(&format!("{prefix}{name}"), format!("does not belong here; {hint}"));
        }
    }

    fn count(&mut self, members: &Map<String, Value>, name: &str, least: u64) -> Option<u32> {
        let value = members.get(name)?;
        match value.as_u64().filter(|count| *count >= least).and_then(|count| u32::try_from(count).ok()) {
            Some(count) => Some(count),
            None => self.wrong(name, format!("has to be a number of calls, at least {least}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(value: &Value) -> Vec<String> {
        read(value).expect_err("problems").into_iter().map(|problem| problem.place).collect()
    }

    #[test]
    fn every_kind_can_be_written() {
        for (kind, needed, allowed) in KINDS {
            let mut fault = json!({"kind": kind});
            for member in needed.iter().chain(allowed) {
                fault[*member] = match *member {
                    "code" | "message" => "Text".into(),
                    "status" => 503.into(),
                    _ => 5.into(),
                };
            }
            let rule = read(&json!({"operation": "ecs:*", "fault": fault, "after": 1, "times": 2})).expect("a rule");
            assert_eq!((rule.after, rule.times), (1, Some(2)));
            let back = serde_json::to_value(&rule).expect("JSON");
            assert_eq!(back["fault"], fault);
            assert_eq!(read(&back), Ok(rule), "what the table tells can be given to it");
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let rule = json!({
            "operation": "ecs:CreateServise", "times": 0, "afetr": 1,
            "fault": {"kind": "refuse", "status": 200, "delayMs": 5},
        });
        assert_eq!(places(&rule), ["afetr", "operation", "times", "fault.delayMs", "fault.code", "fault.status"]);
        assert_eq!(places(&json!({"operation": 5, "fault": {"kind": "throttel"}})), ["operation", "fault.kind"]);
        assert_eq!(places(&json!({})), ["operation", "fault"]);
        assert_eq!(places(&json!([])), [""]);
        assert_eq!(places(&json!({"operation": "*", "fault": {"kind": "slow", "delayMs": 700_000}})), ["fault.delayMs"]);
        assert_eq!(places(&json!({"operation": "*", "fault": {"kind": "fail", "status": 404}})), ["fault.status"]);
    }

    #[test]
    fn only_a_read_can_be_stale() {
        let stale = |operation: &str| json!({"operation": operation, "fault": {"kind": "stale"}});
        assert_eq!(places(&stale("ecs:CreateService")), ["fault.kind"]);
        assert!(read(&stale("ecs:DescribeServices")).is_ok() && read(&stale("ecs:*")).is_ok());
    }
}
