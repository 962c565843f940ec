//! The rules: which AWS identities may join, and what for. A file that is read anew for each delegate that comes, so that a change
//! needs no restart.

use std::path::{Path, PathBuf};

use domain::scope::Scope;
use serde::Deserialize;
use wildmatch::WildMatch;

/// Why the rules can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The file can't be read.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// What it holds are no rules.
    #[error("{path}: {problem}", path = .path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong, with its place.
        problem: String,
    },
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rule {
    /// The identity's ARN as `sts:GetCallerIdentity` tells it; behind the account `*` stands for any characters.
    arn: String,
    #[serde(default)]
    applications: Vec<String>,
    #[serde(default)]
    environments: Vec<String>,
}

/// All of them, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules(Vec<Rule>);

impl Rules {
    /// Reads them: a YAML list of `arn`, and optionally `applications` and `environments`.
    pub(super) fn read(path: &Path) -> Result<Self, RulesError> {
        let text = std::fs::read_to_string(path).map_err(|error| RulesError::File { path: path.to_owned(), error })?;
        let content = |problem: String| RulesError::Content { path: path.to_owned(), problem };
        let rules: Vec<Rule> = serde_saphyr::from_str(&text).map_err(|error| content(error.to_string()))?;
        match rules.iter().find(|rule| !names_an_account(&rule.arn)) {
            None => Ok(Self(rules)),
            Some(rule) => Err(content(format!(
                "{:?} is not an ARN of one account, as arn:aws:sts::123456789012:assumed-role/segue-delegate/*",
                rule.arn
            ))),
        }
    }

    /// What the first rule for this identity lets it do. None: no rule speaks of it.
    pub(super) fn scope(&self, arn: &str) -> Option<Scope> {
        let rule = self.0.iter().find(|rule| WildMatch::new(&rule.arn).matches(arn))?;
        let names = |names: &[String]| names.iter().cloned().collect();
        Some(Scope { applications: names(&rule.applications), environments: names(&rule.environments) })
    }
}

/// A pattern must not reach beyond its account.
fn names_an_account(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, partition, service, region, account, resource] = parts[..] else { return false };
    let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    prefix == "arn"
        && partition.starts_with("aws")
        && !partition.contains(['*', '?'])
        && matches!(service, "sts" | "iam")
        && region.is_empty()
        && digits
        && !resource.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Rules, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("join.yaml");
        std::fs::write(&path, text).expect("written");
        Rules::read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_rule_that_speaks_of_an_identity_says_its_scope() {
        let rules = read(
            "- arn: arn:aws:sts::123456789012:assumed-role/segue-shop/*\n  applications: [shop]\n- arn: arn:aws:sts::123456789012:assumed-role/segue-*\n",
        );
        let rules = rules.expect("rules");
        let scope = |arn: &str| rules.scope(arn).map(|scope| scope.to_string());
        assert_eq!(scope("arn:aws:sts::123456789012:assumed-role/segue-shop/i-1").as_deref(), Some("applications shop"));
        assert_eq!(scope("arn:aws:sts::123456789012:assumed-role/segue-till/i-1").as_deref(), Some("everything"));
        for nobody in
            ["arn:aws:sts::210987654321:assumed-role/segue-shop/i-1", "arn:aws:sts::123456789012:assumed-role/admin/me", ""]
        {
            assert_eq!(scope(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn a_rule_for_any_account_and_a_misspelt_one_are_refused() {
        for (text, expected) in [
            ("- arn: \"*\"\n", "of one account"),
            ("- arn: arn:aws:sts::*:assumed-role/segue/*\n", "of one account"),
            ("- arn: arn:aws:s3::123456789012:x\n", "of one account"),
            ("- arm: arn:aws:sts::123456789012:x\n", "arm"),
            ("arn: x\n", "line 1"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(expected) && error.contains("join.yaml"), "{text:?}: {error}");
        }
    }
}
