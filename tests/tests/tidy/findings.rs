//! How a broken rule is told: the rule, its reason, and every place, not only the first.

/// Fails with all findings, if there are any.
pub fn none(rule: &str, why: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}.\nWhy: {why}.\n\n  {}\n", findings.join("\n  "));
}
