//! How two task definitions differ, member by member: what a person would look for first when a version will not start. Values
//! that may be secret (environment, secrets, anything written for a log driver or a registry that holds credentials) stay hidden.

use std::collections::{BTreeMap, BTreeSet};

use domain::failure::Change;
use serde_json::Value;

/// What AWS adds to every revision: differs always and says nothing.
const NOISE: [&str; 10] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "requiresAttributes",
    "compatibilities",
    "tags",
    "family",
];
/// Members below which values are never shown.
const HIDDEN: [&str; 8] = [
    "environment",
    "secrets",
    "environmentFiles",
    "secretOptions",
    "options",
    "repositoryCredentials",
    "command",
    "dockerLabels",
];

/// The members that differ, in the order of their paths.
pub(super) fn difference(old: &Value, new: &Value) -> Vec<Change> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    flatten(old, String::new(), false, &mut before);
    flatten(new, String::new(), false, &mut after);
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = paths.into_iter().filter(|path| before.get(*path) != after.get(*path));
    changed
        .map(|path| {
            let (old, new) = (before.get(path), after.get(path));
            let hidden = [old, new].into_iter().flatten().any(|(_, hidden)| *hidden);
            // A hidden value that came or went is told apart from one that changed, not shown.
            let shown = |side: Option<&(&Value, bool)>| {
                side.map(|(value, _)| if hidden { "(not shown)".to_owned() } else { value.to_string() })
            };
            Change { path: path.clone(), old: shown(old), new: shown(new), hidden }
        })
        .collect()
}

/// Every leaf by its path. Lists whose entries have names are told by those, so that order and insertions are no difference.
fn flatten<'v>(value: &'v Value, path: String, hidden: bool, into: &mut BTreeMap<String, (&'v Value, bool)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                if path.is_empty() && NOISE.contains(&name.as_str()) || is_empty(member) {
                    continue;
                }
                let hidden = hidden || HIDDEN.contains(&name.as_str());
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(member, below, hidden, into);
            }
        }
        Value::Array(entries) if !entries.is_empty() => {
            for (number, entry) in entries.iter().enumerate() {
                let below = match entry["name"].as_str() {
                    Some(name) => format!("{path}[{name}]"),
                    None => format!("{path}[{number}]"),
                };
                flatten(entry, below, hidden, into);
            }
        }
        leaf => {
            // The name of an environment entry is in its path already.
            if !(hidden && path.ends_with("].name")) {
                into.insert(path, (leaf, hidden));
            }
        }
    }
}

/// AWS gives an empty list where nothing was written.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(entries) => entries.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_changed_is_told_by_its_path_and_secrets_are_not_shown() {
        let definition = |image: &str, memory: &str, password: &str, extra: Value| {
            json!({
                "taskDefinitionArn": format!("arn:{image}"), "revision": 1, "memory": memory, "volumes": [],
                "containerDefinitions": [{"name": "app", "image": image,
                    "environment": [{"name": "LEVEL", "value": "info"}, {"name": "PASSWORD", "value": password}],
                    "secrets": extra, "command": ["--token", password]}],
            })
        };
        let old = definition("todo:1", "512", "hunter-two", json!([]));
        let new = definition("todo:2", "512", "hunter-three", json!([{"name": "KEY", "valueFrom": "arn:secret"}]));
        let told = difference(&old, &new);
        let lines: Vec<_> = told.iter().map(|c| (c.path.as_str(), c.old.as_deref(), c.new.as_deref(), c.hidden)).collect();
        assert_eq!(
            lines,
            [
                ("containerDefinitions[app].command[1]", Some("(not shown)"), Some("(not shown)"), true),
                ("containerDefinitions[app].environment[PASSWORD].value", Some("(not shown)"), Some("(not shown)"), true),
                ("containerDefinitions[app].image", Some("\"todo:1\""), Some("\"todo:2\""), false),
                ("containerDefinitions[app].secrets[KEY].valueFrom", None, Some("(not shown)"), true),
            ]
        );
        let all = format!("{told:?}");
        assert!(!all.contains("hunter") && !all.contains("arn:secret"), "{all}");
        assert!(difference(&old, &old).is_empty());
    }
}
