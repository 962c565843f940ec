//! Names that a policy allows: written out, or with `*` for any characters and `?` for one.

use serde::Deserialize;
use wildmatch::WildMatch;

/// A list of patterns. An empty one allows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Patterns(Vec<String>);

impl Patterns {
    /// Whether one of them fits the whole name.
    pub(super) fn allow(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| WildMatch::new(pattern).matches(name))
    }

    /// The list as it is written.
    pub(super) fn told(&self) -> String {
        if self.0.is_empty() { "none".to_owned() } else { self.0.join(", ") }
    }

    pub(super) fn as_slice(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_the_whole_name() {
        let patterns = Patterns(vec!["shop-*".into(), "till".into()]);
        for (name, allowed) in
            [("shop-a", true), ("shop-", true), ("till", true), ("tills", false), ("a-shop-a", false), ("", false)]
        {
            assert_eq!(patterns.allow(name), allowed, "{name}");
        }
        assert!(!Patterns(Vec::new()).allow("anything"));
        assert!(Patterns(vec!["*".into()]).allow("anything"));
    }
}
