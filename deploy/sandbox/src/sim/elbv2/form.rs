//! Nested members of a form that the generated deserialisers leave out (the configurations inside actions and conditions): read
//! into the same generated types, through their JSON form.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::api::{Params, malformed};
use crate::sim::error::ApiError;

/// A list such as `DefaultActions` or `Conditions`, whole; empty if the form has none.
///
/// # Errors
/// When a member is not of its type.
pub(super) fn list<T: DeserializeOwned + Default>(params: &Params, name: &str) -> Result<T, ApiError> {
    let mut tree = Tree::default();
    let prefix = format!("{name}.");
    for (key, value) in params {
        if let Some(rest) = key.strip_prefix(&prefix) {
            tree.insert(rest.split('.'), value);
        }
    }
    if tree.children.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_value(tree.value("")).map_err(|error| malformed(format!("{name}: {error}")))
}

#[derive(Default)]
struct Tree {
    text: Option<String>,
    children: BTreeMap<String, Tree>,
}

impl Tree {
    fn insert<'a>(&mut self, mut path: impl Iterator<Item = &'a str>, value: &str) {
        match path.next() {
            None => self.text = Some(value.to_owned()),
            Some(part) => self.children.entry(part.to_owned()).or_default().insert(path, value),
        }
    }

    /// The JSON that the generated types are read from: lists are `{"member": [...]}`, numbers are numbers.
    fn value(&self, name: &str) -> Value {
        if let Some(text) = &self.text {
            return leaf(name, text);
        }
        if let Some(members) = self.children.get("member") {
            let mut items: Vec<(u32, Value)> =
                members.children.iter().filter_map(|(index, item)| Some((index.parse().ok()?, item.value("")))).collect();
            items.sort_by_key(|(index, _)| *index);
            let items: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
            return Value::Object(Map::from_iter([("member".to_owned(), Value::Array(items))]));
        }
        if let Some(entries) = self.children.get("entry") {
            let text = |entry: &Self, name: &str| entry.children.get(name).and_then(|child| child.text.clone());
            let pairs = entries.children.values().filter_map(|entry| Some((text(entry, "key")?, text(entry, "value")?.into())));
            return Value::Object(pairs.collect());
        }
        Value::Object(self.children.iter().map(|(name, child)| (name.clone(), child.value(name))).collect())
    }
}

fn leaf(name: &str, text: &str) -> Value {
    match name {
        "DurationSeconds" | "Order" | "SessionTimeout" | "Weight" => {
            text.parse::<i64>().map_or_else(|_| text.into(), Value::from)
        }
        "Enabled" | "UseExistingClientSecret" => text.parse::<bool>().map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use winterbaume_elasticloadbalancingv2::model as wire;

    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn nested_configurations_are_read_whole_and_in_order() {
        let params = params(&[
            ("DefaultActions.member.2.Type", "forward"),
            ("DefaultActions.member.2.ForwardConfig.TargetGroups.member.1.TargetGroupArn", "a"),
            ("DefaultActions.member.2.ForwardConfig.TargetGroups.member.1.Weight", "7"),
            ("DefaultActions.member.2.ForwardConfig.TargetGroupStickinessConfig.Enabled", "true"),
            ("DefaultActions.member.1.Type", "authenticate-oidc"),
            ("DefaultActions.member.1.AuthenticateOidcConfig.Issuer", "i"),
            ("DefaultActions.member.1.AuthenticateOidcConfig.UseExistingClientSecret", "true"),
        ]);
        let actions: wire::Actions = list(&params, "DefaultActions").expect("actions");
        assert_eq!(actions.items.len(), 2);
        assert_eq!(actions.items[0].authenticate_oidc_config.as_ref().map(|c| c.issuer.as_str()), Some("i"));
        let forward = actions.items[1].forward_config.as_ref().expect("a forward");
        assert_eq!(forward.target_groups.as_ref().map(|groups| groups.items[0].weight), Some(Some(7)));
        assert_eq!(forward.target_group_stickiness_config.as_ref().map(|s| s.enabled), Some(Some(true)));
        assert!(list::<wire::Actions>(&params, "Actions").expect("none").items.is_empty());
    }

    #[test]
    fn a_member_of_another_type_is_refused() {
        let params = params(&[("Actions.member.1.Order", "first")]);
        assert_eq!(list::<wire::Actions>(&params, "Actions").expect_err("no number").code, "ValidationError");
    }
}
