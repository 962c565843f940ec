//! What a delegate may be given: tasks and questions of these applications and environments, and of no others.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

/// A delegate's scope. Set when its join token is made; the delegate itself has no say in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// Names of applications. Empty: all of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub applications: BTreeSet<String>,
    /// Names of environments. Empty: all of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<String>,
}

impl Scope {
    /// Whether it covers everything.
    pub fn is_whole(&self) -> bool {
        self.applications.is_empty() && self.environments.is_empty()
    }

    /// What of this place it does not cover, for a sentence: `the application shop`. None: it covers the place.
    pub fn lacks(&self, application: &str, environment: &str) -> Option<String> {
        let within = |names: &BTreeSet<String>, name: &str| names.is_empty() || names.contains(name);
        if !within(&self.applications, application) {
            Some(format!("the application {application}"))
        } else if !within(&self.environments, environment) {
            Some(format!("the environment {environment}"))
        } else {
            None
        }
    }
}

/// `everything`, or `applications shop, till; environments prod`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_whole() {
            return f.write_str("everything");
        }
        let part = |name: &str, of: &BTreeSet<String>| {
            let names: Vec<&str> = of.iter().map(String::as_str).collect();
            (!of.is_empty()).then(|| format!("{name} {}", names.join(", ")))
        };
        let parts = [part("applications", &self.applications), part("environments", &self.environments)];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_scope_covers_all_and_a_narrow_one_says_what_it_lacks() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let narrow = Scope { applications: names(&["shop", "till"]), environments: names(&["prod"]) };
        assert_eq!(Scope::default().lacks("any", "where"), None);
        assert_eq!(narrow.lacks("shop", "prod"), None);
        assert_eq!(narrow.lacks("blog", "prod").as_deref(), Some("the application blog"));
        assert_eq!(narrow.lacks("shop", "test").as_deref(), Some("the environment test"));
        assert_eq!(
            (narrow.to_string(), Scope::default().to_string()),
            ("applications shop, till; environments prod".to_owned(), "everything".to_owned())
        );
    }
}
