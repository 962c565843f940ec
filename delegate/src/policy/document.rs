//! Reading the policy's file. Whatever is wrong with it keeps the delegate from starting: half a policy is none.

use std::path::{Path, PathBuf};

use super::{Policy, patterns::Patterns};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Why a policy can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file can't be read.
    #[error("the policy {}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// What it holds is no policy.
    #[error("the policy {}: {problem}", .path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong, with line and column.
        problem: String,
    },
}

impl Policy {
    /// Reads a policy: YAML with any of `regions`, `accounts`, `clusters`, `services`, `loadBalancers`, `hostedZones`, `roles` (lists
    /// of patterns) and `scripts` (true or false).
    ///
    /// # Errors
    /// When it can't be read, is not YAML, has a part that is not known, or a pattern that fits nothing.
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        let file = |error| PolicyError::File { path: path.to_owned(), error };
        let content = |problem: String| PolicyError::Content { path: path.to_owned(), problem };
        if std::fs::metadata(path).map_err(file)?.len() > LARGEST {
            return Err(content(format!("it is larger than {LARGEST} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(file)?;
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            // An empty file bounds nothing, which nobody means by giving one.
            return Err(content("it says nothing; to bound nothing, start the delegate without a policy".to_owned()));
        }
        let mut policy: Self = serde_saphyr::from_str(&text).map_err(|error| content(error.to_string()))?;
        policy.file = path.display().to_string();
        policy.sound().map_err(content)?;
        Ok(policy)
    }

    fn sound(&self) -> Result<(), String> {
        let parts: [(&str, &Option<Patterns>); 7] = [
            ("regions", &self.regions),
            ("accounts", &self.accounts),
            ("clusters", &self.clusters),
            ("services", &self.services),
            ("loadBalancers", &self.load_balancers),
            ("hostedZones", &self.hosted_zones),
            ("roles", &self.roles),
        ];
        for (part, patterns) in parts {
            for pattern in patterns.iter().flat_map(Patterns::as_slice) {
                if pattern.trim().is_empty() || pattern.chars().any(char::is_control) {
                    return Err(format!("{part}: {pattern:?} is not a pattern"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Policy, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.yaml");
        std::fs::write(&path, text).expect("written");
        Policy::read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_policy_is_read_and_what_is_wrong_is_said_with_its_place() {
        let policy = read("# ours\nregions: [eu-west-1]\nclusters: [\"prod-*\"]\nscripts: false\n").expect("a policy");
        assert!(policy.region("eu-west-1").is_ok() && policy.region("eu-west-2").is_err());
        assert!(policy.cluster("arn:aws:ecs:eu-west-1:1:cluster/prod-a").is_ok() && policy.service("any").is_ok());
        assert!(!policy.allows_scripts());
        let refused = policy.cluster("test-a").expect_err("not allowed");
        assert!(refused.message.contains("the cluster test-a") && refused.hint.is_some_and(|hint| hint.contains("prod-*")));
        for (text, expected) in [
            ("clusters: [a]\ncluster: [b]\n", "cluster"),
            ("clusters: prod\n", "line 1"),
            ("clusters: [\"\"]\n", "is not a pattern"),
            ("# nothing\n", "says nothing"),
            ("clusters: [", "line"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(expected) && error.contains("policy.yaml"), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_role_may_be_named_by_its_arn_or_by_its_name() {
        let policy = read("roles: [\"arn:aws:iam::1:role/deploy-*\", ecsTaskExecutionRole]\n").expect("a policy");
        for (role, allowed) in [
            ("arn:aws:iam::1:role/deploy-shop", true),
            ("arn:aws:iam::2:role/deploy-shop", false),
            ("arn:aws:iam::2:role/ecsTaskExecutionRole", true),
            ("admin", false),
        ] {
            assert_eq!(policy.role(role).is_ok(), allowed, "{role}");
        }
    }
}
