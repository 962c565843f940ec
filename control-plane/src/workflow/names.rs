//! The names that expressions may use, and what is known of each: its value, that a step will know it, that the delegate
//! knows it, or that nobody knows it yet.

use std::collections::{BTreeMap, BTreeSet};

use domain::expression::{self, ExpressionError, Scope};
use serde_json::Value;

/// Names of secrets: only delegates know what they stand for.
const SECRETS: &str = "secrets.";

/// What a text becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resolved<T> {
    /// This.
    Known(T),
    /// It uses a name whose value nobody knows yet (a check before any deployment).
    Open,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misuse {
    /// What the expression parser said; has the place.
    pub(super) error: ExpressionError,
    /// The same in words for the person.
    pub(super) message: String,
    /// What to do.
    pub(super) hint: Option<String>,
}

/// The names known where a text stands.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// Names with values, as they are.
    values: Scope,
    /// The same with `${` escaped, and names that are left for the delegate.
    later: Scope,
    /// Every name that may be written, whatever is known of it.
    every: Scope,
    /// Names without a value so far.
    open: BTreeSet<String>,
    open_prefixes: Vec<String>,
    /// Names that the delegate replaces.
    deferred: BTreeSet<String>,
    /// Why a name that people may expect can't be used here, and what to do.
    reasons: BTreeMap<String, (String, String)>,
}

impl Names {
    /// Only `${secrets.*}`.
    pub(super) fn new() -> Self {
        let mut names = Self {
            values: Scope::new(),
            later: Scope::new(),
            every: Scope::new(),
            open: BTreeSet::new(),
            open_prefixes: Vec::new(),
            deferred: BTreeSet::new(),
            reasons: BTreeMap::new(),
        };
        names.later.defer_prefix(SECRETS);
        names.every.defer_prefix(SECRETS);
        names
    }

    /// A name with a value. The value is a text, never an expression.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.values.set(name, value);
        self.later.set(name, value.replace("${", "$${"));
        self.every.set(name, value);
        self.reasons.remove(name);
    }

    /// A name whose value holds expressions that only the delegate can replace.
    pub(super) fn set_for_delegate(&mut self, name: &str, text: &str) {
        self.later.set(name, text);
        self.every.set(name, text);
        self.deferred.insert(name.to_owned());
    }

    /// A name that the delegate will know.
    pub(super) fn defer(&mut self, name: &str) {
        self.later.defer(name);
        self.every.defer(name);
        self.deferred.insert(name.to_owned());
        self.reasons.remove(name);
    }

    /// A name that is known to have a value, but not yet which.
    pub(super) fn leave_open(&mut self, name: &str) {
        self.every.defer(name);
        self.open.insert(name.to_owned());
    }

    /// All names that begin so are open.
    pub(super) fn leave_open_all(&mut self, prefix: &str) {
        self.every.defer_prefix(prefix);
        self.open_prefixes.push(prefix.to_owned());
    }

    /// Says why a name can't be used here.
    pub(super) fn explain(&mut self, name: &str, reason: impl Into<String>, hint: impl Into<String>) {
        self.reasons.insert(name.to_owned(), (reason.into(), hint.into()));
    }

    /// The text with everything replaced.
    pub(super) fn now(&self, text: &str) -> Result<Resolved<String>, Vec<Misuse>> {
        self.check(text)?;
        let late: Vec<Misuse> = expression::names(text)
            .into_iter()
            .filter(|name| self.is_deferred(name))
            .map(|name| Misuse {
                message: format!("${{{name}}} is known only when a step runs, and this has to be known at the start"),
                hint: None,
                error: ExpressionError::Unknown {
                    offset: text.find(&format!("${{{name}}}")).unwrap_or(0),
                    name,
                    suggestion: None,
                },
            })
            .collect();
        if !late.is_empty() {
            return Err(late);
        }
        self.replaced(text, &self.values)
    }

    /// The text with everything replaced but what the delegate replaces, which stays an expression.
    pub(super) fn later(&self, text: &str) -> Result<Resolved<String>, Vec<Misuse>> {
        self.check(text)?;
        self.replaced(text, &self.later)
    }

    /// A JSON document as [`Self::later`], with the JSON pointers of the texts that are wrong.
    pub(super) fn later_json(&self, value: &Value) -> Result<Resolved<Value>, Vec<(String, Misuse)>> {
        expression::resolve_json(value, &self.every)
            .map_err(|errors| errors.into_iter().map(|(at, error)| (at, self.misuse(error))).collect::<Vec<_>>())?;
        if self.uses_open(value) {
            return Ok(Resolved::Open);
        }
        match expression::resolve_json(value, &self.later) {
            Ok(resolved) => Ok(Resolved::Known(resolved)),
            Err(errors) => Err(errors.into_iter().map(|(at, error)| (at, self.misuse(error))).collect()),
        }
    }

    /// Whether the text has anything left that the delegate replaces.
    pub(super) fn waits_for_delegate(&self, text: &str) -> bool {
        expression::names(text).iter().any(|name| self.is_deferred(name))
    }

    fn check(&self, text: &str) -> Result<(), Vec<Misuse>> {
        match expression::resolve(text, &self.every) {
            Ok(_) => Ok(()),
            Err(errors) => Err(errors.into_iter().map(|error| self.misuse(error)).collect()),
        }
    }

    fn replaced(&self, text: &str, scope: &Scope) -> Result<Resolved<String>, Vec<Misuse>> {
        if expression::names(text).iter().any(|name| self.is_open(name)) {
            return Ok(Resolved::Open);
        }
        match expression::resolve(text, scope) {
            Ok(resolved) => Ok(Resolved::Known(resolved)),
            Err(errors) => Err(errors.into_iter().map(|error| self.misuse(error)).collect()),
        }
    }

    fn uses_open(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => expression::names(text).iter().any(|name| self.is_open(name)),
            Value::Array(items) => items.iter().any(|item| self.uses_open(item)),
            Value::Object(members) => members.values().any(|member| self.uses_open(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    fn is_open(&self, name: &str) -> bool {
        self.open.contains(name) || self.open_prefixes.iter().any(|prefix| name.starts_with(prefix))
    }

    fn is_deferred(&self, name: &str) -> bool {
        self.deferred.contains(name) || name.starts_with(SECRETS)
    }

    fn misuse(&self, error: ExpressionError) -> Misuse {
        let (message, hint) = match &error {
            ExpressionError::Unknown { name, suggestion, .. } => match self.reasons.get(name) {
                Some((reason, hint)) => (format!("${{{name}}} {reason}"), Some(hint.clone())),
                None => {
                    let hint = suggestion.as_ref().map(|meant| format!("did you mean ${{{meant}}}?"));
                    (format!("unknown expression ${{{name}}}"), hint.or_else(|| self.family(name)))
                }
            },
            ExpressionError::Unclosed { .. } | ExpressionError::Malformed { .. } | ExpressionError::Misfit(_) => {
                (error.to_string(), None)
            }
        };
        Misuse { error, message, hint }
    }

    /// For a name far from all known ones: those that begin alike, else how names begin.
    fn family(&self, name: &str) -> Option<String> {
        const LISTED: usize = 12;
        let listed = |names: Vec<String>| {
            let more = if names.len() > LISTED { ", ..." } else { "" };
            let names: Vec<String> = names.into_iter().take(LISTED).map(|name| format!("${{{name}}}")).collect();
            format!("known: {}{more}", names.join(", "))
        };
        let parent = name.rsplit_once('.').map(|(parent, _)| format!("{parent}."));
        let mut alike: BTreeSet<String> = BTreeSet::new();
        if let Some(parent) = parent {
            alike.extend(self.every.names().filter(|known| known.starts_with(&parent)).map(str::to_owned));
        }
        if alike.is_empty() {
            alike.extend(self.every.names().filter(|known| !known.starts_with("steps.")).map(str::to_owned));
        }
        (!alike.is_empty()).then(|| listed(alike.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut names = Names::new();
        names.set("app.name", "shop");
        names.set("workflow.variables.Odd", "a${b}");
        names.set_for_delegate("service.variables.Db", "pg://${secrets.db}");
        names.defer("steps.Setup.service");
        names.leave_open("artifact.tag");
        names.explain("EXECUTION_ROLE", "has no role to stand for", "add one");
        names
    }

    #[test]
    fn values_are_never_expressions_themselves() {
        let text = "${workflow.variables.Odd} $${x}";
        assert_eq!(names().now(text), Ok(Resolved::Known("a${b} ${x}".into())));
        let later = match names().later(&format!("{text} ${{service.variables.Db}} ${{steps.Setup.service}}")) {
            Ok(Resolved::Known(later)) => later,
            other => panic!("{other:?}"),
        };
        assert_eq!(later, "a$${b} $${x} pg://${secrets.db} ${steps.Setup.service}");
        let mut delegate = Scope::new();
        delegate.set("secrets.db", "s3cret");
        delegate.set("steps.Setup.service", "todo__3");
        assert_eq!(expression::resolve(&later, &delegate), Ok("a${b} ${x} pg://s3cret todo__3".into()));
    }

    #[test]
    fn what_is_known_only_later_is_refused_where_it_is_needed_now() {
        for text in ["${steps.Setup.service}", "${secrets.db}", "${service.variables.Db}"] {
            let misuse = names().now(&format!("x {text}")).expect_err("not known now").remove(0);
            assert!(misuse.message.contains("known only when a step runs"), "{}", misuse.message);
            assert_eq!(misuse.error.offset(), Some(2));
        }
    }

    #[test]
    fn open_names_are_no_mistake_and_have_no_value() {
        assert_eq!(names().now("v${artifact.tag}"), Ok(Resolved::Open));
        assert_eq!(names().later("v${artifact.tag}"), Ok(Resolved::Open));
        assert_eq!(names().later_json(&serde_json::json!([{"a": "${artifact.tag}"}])), Ok(Resolved::Open));
    }

    #[test]
    fn unknown_names_come_with_advice() {
        let advice = |text: &str| {
            let misuse = names().now(text).expect_err("unknown").remove(0);
            (misuse.message, misuse.hint.unwrap_or_default())
        };
        assert_eq!(advice("${app.nam}"), ("unknown expression ${app.nam}".into(), "did you mean ${app.name}?".into()));
        assert_eq!(advice("${EXECUTION_ROLE}"), ("${EXECUTION_ROLE} has no role to stand for".into(), "add one".into()));
        let (_, hint) = advice("${app.somethingElse}");
        assert_eq!(hint, "known: ${app.name}");
    }
}
