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
    let (old, renamed) = paired(old, new);
    flatten(&old, String::new(), false, &mut before);
    flatten(new, String::new(), false, &mut after);
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = paths.into_iter().filter(|path| before.get(*path) != after.get(*path));
    let told = changed.map(|path| {
        let (old, new) = (before.get(path), after.get(path));
        let hidden = [old, new].into_iter().flatten().any(|(_, hidden)| *hidden);
        // A hidden value that came or went is told apart from one that changed, not shown.
        let shown = |side: Option<&(&Value, bool)>| {
            side.map(|(value, _)| if hidden { "(not shown)".to_owned() } else { value.to_string() })
        };
        Change { path: path.clone(), old: shown(old), new: shown(new), hidden }
    });
    renamed.into_iter().chain(told).collect()
}

/// The old definition with each container that is in one of the two only under its successor's name, in their order, and what was
/// renamed: a container that is named after its image has another name in every version, and is the same container.
fn paired(old: &Value, new: &Value) -> (Value, Vec<Change>) {
    const CONTAINERS: &str = "containerDefinitions";
    let names = |definition: &Value| -> Vec<String> {
        let containers = definition[CONTAINERS].as_array().into_iter().flatten();
        containers.filter_map(|container| Some(container["name"].as_str()?.to_owned())).collect()
    };
    let (before, after) = (names(old), names(new));
    let gone = before.iter().filter(|name| !after.contains(name));
    let come = after.iter().filter(|name| !before.contains(name));
    let pairs: BTreeMap<&str, &String> = gone.map(String::as_str).zip(come).collect();
    let (mut paired, mut renamed) = (old.clone(), Vec::new());
    for container in paired[CONTAINERS].as_array_mut().into_iter().flatten() {
        if let Some((name, successor)) = container["name"].as_str().and_then(|name| pairs.get_key_value(name)) {
            let path = format!("{CONTAINERS}[{successor}].name");
            renamed.push(Change {
                path,
                old: Some(Value::from(*name).to_string()),
                new: Some(Value::from(successor.as_str()).to_string()),
                hidden: false,
            });
            container["name"] = Value::from(successor.as_str());
        }
    }
    (paired, renamed)
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

    #[test]
    fn a_container_with_another_name_is_the_same_container() {
        let definition = |tag: &str| {
            json!({"containerDefinitions": [
                {"name": format!("todo_{tag}"), "image": format!("todo:{tag}"), "cpu": 64}, {"name": "proxy", "image": "proxy:1"},
            ]})
        };
        let told = difference(&definition("1"), &definition("2"));
        let lines: Vec<_> =
            told.iter().map(|change| (change.path.as_str(), change.old.as_deref(), change.new.as_deref())).collect();
        assert_eq!(
            lines,
            [
                ("containerDefinitions[todo_2].name", Some("\"todo_1\""), Some("\"todo_2\"")),
                ("containerDefinitions[todo_2].image", Some("\"todo:1\""), Some("\"todo:2\"")),
            ]
        );
        assert!(difference(&json!({}), &definition("1")).len() > 2);
    }
}
