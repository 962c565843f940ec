//! Expressions: `${path.to.a.name}` inside text.
//!
//! A name is letters, digits, `_`, `-` and spaces in segments divided by dots (`${steps.Upgrade Containers.service}` names a step
//! by its title). `$${` is a literal `${`. There are no loops, filters or functions: a document stays something that a person can
//! read. An unknown name is an error that names the nearest known one and where it stands in the text.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::suggestion::nearest;

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// A name that nothing has.
    #[error("unknown expression ${{{name}}}{}", did_you_mean(.suggestion))]
    Unknown {
        /// The name.
        name: String,
        /// The nearest known one.
        suggestion: Option<String>,
        /// Byte offset of the `$` in the text.
        offset: usize,
    },
    /// `${` without `}`.
    #[error("\"${{\" without a closing \"}}\" (write \"$${{\" for a literal \"${{\")")]
    Unclosed {
        /// Byte offset of the `$` in the text.
        offset: usize,
    },
    /// `${}` or a name with characters that no name has.
    #[error("${{{name}}} is not an expression: a name is words divided by dots (write \"$${{\" for a literal \"${{\")")]
    Malformed {
        /// What stands between the braces.
        name: String,
        /// Byte offset of the `$` in the text.
        offset: usize,
    },
    /// The value does not fit where the expression stands.
    #[error("after its expressions were replaced: {0}")]
    Misfit(String),
}

fn did_you_mean(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map(|name| format!("; did you mean ${{{name}}}?")).unwrap_or_default()
}

impl ExpressionError {
    /// Where in the text the expression begins, in bytes.
    pub fn offset(&self) -> Option<usize> {
        match self {
            Self::Unknown { offset, .. } | Self::Unclosed { offset } | Self::Malformed { offset, .. } => Some(*offset),
            Self::Misfit(_) => None,
        }
    }
}

/// The names that are known where a text is resolved.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    values: BTreeMap<String, String>,
    /// Names that are known to exist later (`steps.*`, `secrets.*`): left as they stand.
    deferred: BTreeSet<String>,
    deferred_prefixes: Vec<String>,
}

impl Scope {
    /// A scope that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a name known. A later value replaces an earlier one: set the weakest first.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.insert(name.into(), value.into());
    }

    /// Makes one name known whose value comes later; it stays in the text as it is.
    pub fn defer(&mut self, name: impl Into<String>) {
        self.deferred.insert(name.into());
    }

    /// Makes all names that begin so known whose value comes later (`secrets.`).
    pub fn defer_prefix(&mut self, prefix: impl Into<String>) {
        self.deferred_prefixes.push(prefix.into());
    }

    /// The names known, for suggestions and completion.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().chain(&self.deferred).map(String::as_str)
    }

    fn is_deferred(&self, name: &str) -> bool {
        self.deferred.contains(name) || self.deferred_prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

/// One part of a text.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    Literal(&'a str),
    /// `$${`, that is to become `${`.
    Escape,
    Name {
        name: &'a str,
        offset: usize,
    },
}

fn parts(text: &str) -> Vec<Result<Part<'_>, ExpressionError>> {
    let mut parts = Vec::new();
    let mut rest = 0;
    while let Some(found) = text[rest..].find("${").map(|at| at + rest) {
        if found > rest && text.as_bytes()[found - 1] == b'$' {
            parts.push(Ok(Part::Literal(&text[rest..found - 1])));
            parts.push(Ok(Part::Escape));
            rest = found + 2;
            continue;
        }
        parts.push(Ok(Part::Literal(&text[rest..found])));
        let Some(end) = text[found..].find('}').map(|at| at + found) else {
            parts.push(Err(ExpressionError::Unclosed { offset: found }));
            return parts;
        };
        let name = &text[found + 2..end];
        parts.push(if is_name(name) {
            Ok(Part::Name { name, offset: found })
        } else {
            Err(ExpressionError::Malformed { name: name.chars().take(80).collect(), offset: found })
        });
        rest = end + 1;
    }
    parts.push(Ok(Part::Literal(&text[rest..])));
    parts
}

fn is_name(name: &str) -> bool {
    name.split('.').all(|segment| {
        !segment.is_empty() && segment.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '/' | '(' | ')'))
    })
}

/// The text with every known name replaced, or everything that is wrong with it.
///
/// # Errors
/// One entry for each expression that is unknown, unclosed or malformed.
pub fn resolve(text: &str, scope: &Scope) -> Result<String, Vec<ExpressionError>> {
    let mut resolved = String::with_capacity(text.len());
    let mut errors = Vec::new();
    for part in parts(text) {
        match part {
            Ok(Part::Literal(literal)) => resolved.push_str(literal),
            // Kept escaped while anything is still deferred, so that the last resolution sees an escape too.
            Ok(Part::Escape) if scope.deferred_prefixes.is_empty() && scope.deferred.is_empty() => resolved.push_str("${"),
            Ok(Part::Escape) => resolved.push_str("$${"),
            Ok(Part::Name { name, .. }) if scope.values.contains_key(name) => resolved.push_str(&scope.values[name]),
            Ok(Part::Name { name, .. }) if scope.is_deferred(name) => {
                resolved.push_str("${");
                resolved.push_str(name);
                resolved.push('}');
            }
            Ok(Part::Name { name, offset }) => errors.push(ExpressionError::Unknown {
                name: name.to_owned(),
                suggestion: nearest(name, scope.names()).map(str::to_owned),
                offset,
            }),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(resolved) } else { Err(errors) }
}

/// Every name that the text uses, well-formed or not known alike.
pub fn names(text: &str) -> Vec<String> {
    parts(text)
        .into_iter()
        .filter_map(|part| match part {
            Ok(Part::Name { name, .. }) => Some(name.to_owned()),
            _ => None,
        })
        .collect()
}

/// Replaces expressions in every text of a JSON value (not in keys). Errors come with the path of the text they stand in.
///
/// # Errors
/// All that is wrong, as (path such as `/containerDefinitions/0/image`, error).
pub fn resolve_json(value: &Value, scope: &Scope) -> Result<Value, Vec<(String, ExpressionError)>> {
    let mut errors = Vec::new();
    let resolved = walk(value, scope, "", &mut errors);
    if errors.is_empty() { Ok(resolved) } else { Err(errors) }
}

fn walk(value: &Value, scope: &Scope, path: &str, errors: &mut Vec<(String, ExpressionError)>) -> Value {
    match value {
        Value::String(text) => match resolve(text, scope) {
            Ok(resolved) => Value::String(resolved),
            Err(found) => {
                errors.extend(found.into_iter().map(|error| (path.to_owned(), error)));
                Value::Null
            }
        },
        Value::Array(items) => {
            Value::Array(items.iter().enumerate().map(|(i, item)| walk(item, scope, &format!("{path}/{i}"), errors)).collect())
        }
        Value::Object(members) => Value::Object(
            members.iter().map(|(key, member)| (key.clone(), walk(member, scope, &format!("{path}/{key}"), errors))).collect(),
        ),
        other => other.clone(),
    }
}

/// Replaces expressions in every text of a value, through its JSON form.
///
/// # Errors
/// The first thing that is wrong: an unknown name, or a value that does not fit its place.
pub fn resolve_serializable<T: Serialize + DeserializeOwned>(value: &T, scope: &Scope) -> Result<T, ExpressionError> {
    let json = serde_json::to_value(value).map_err(|error| ExpressionError::Misfit(error.to_string()))?;
    let resolved = resolve_json(&json, scope).map_err(|mut errors| errors.swap_remove(0).1)?;
    serde_json::from_value(resolved).map_err(|error| ExpressionError::Misfit(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        let mut scope = Scope::new();
        scope.set("workflow.variables.Count", "2");
        scope.set("infra.cluster", "docs-ecs");
        scope
    }

    #[test]
    fn known_names_are_replaced_and_escapes_are_not() {
        assert_eq!(resolve("a ${infra.cluster}/${workflow.variables.Count}!", &scope()), Ok("a docs-ecs/2!".into()));
        assert_eq!(resolve("$${HOME} $$ ${infra.cluster} $", &scope()), Ok("${HOME} $$ docs-ecs $".into()));
        assert_eq!(resolve("", &scope()), Ok(String::new()));
    }

    #[test]
    fn every_wrong_expression_is_told_with_its_place() {
        let errors = resolve("${infra.clster} ${} ${infra.cluster} ${open", &scope()).expect_err("three are wrong");
        assert_eq!(errors.len(), 3);
        assert_eq!(errors[0].to_string(), "unknown expression ${infra.clster}; did you mean ${infra.cluster}?");
        assert_eq!(errors.iter().map(ExpressionError::offset).collect::<Vec<_>>(), [Some(0), Some(16), Some(37)]);
    }

    #[test]
    fn deferred_names_stay_and_so_do_escapes_until_the_last_resolution() {
        let mut first = scope();
        first.defer("steps.Setup.service");
        first.defer_prefix("secrets.");
        let text = resolve("${steps.Setup.service} ${secrets.db} $${x} ${infra.cluster}", &first).expect("all known");
        assert_eq!(text, "${steps.Setup.service} ${secrets.db} $${x} docs-ecs");
        let mut last = Scope::new();
        last.set("steps.Setup.service", "todo__3");
        last.set("secrets.db", "s3cret");
        assert_eq!(resolve(&text, &last), Ok("todo__3 s3cret ${x} docs-ecs".into()));
    }

    #[test]
    fn json_is_walked_and_paths_are_told() {
        let value = serde_json::json!({"a": ["${infra.cluster}", 1], "b": {"c": "${nope}"}});
        let errors = resolve_json(&value, &scope()).expect_err("one is unknown");
        assert_eq!(errors[0].0, "/b/c");
        let value = serde_json::json!({"a": ["${infra.cluster}", 1, null]});
        assert_eq!(resolve_json(&value, &scope()).expect("known"), serde_json::json!({"a": ["docs-ecs", 1, null]}));
    }
}
