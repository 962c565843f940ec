//! Rules in a file: a YAML or JSON list, read whole before any of it counts.

use anyhow::{Context, bail};
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::sim::{Rule, read_fault};

/// Reads a file's text; `name` is how it is called in errors.
///
/// # Errors
/// Everything that is wrong in it, each with its line.
pub fn read(text: &str, name: &str) -> anyhow::Result<Vec<Rule>> {
    let listed: Vec<Spanned<Value>> =
        serde_saphyr::from_str(text).with_context(|| format!("{name} is no list of rules in YAML or JSON"))?;
    let mut rules = Vec::new();
    let mut told = Vec::new();
    for (index, given) in listed.into_iter().enumerate() {
        match read_fault(&given.value) {
            Ok(rule) => rules.push(rule),
            Err(problems) => told.extend(problems.into_iter().map(|problem| {
                let place = if problem.place.is_empty() { String::new() } else { format!(", {}", problem.place) };
                format!("{name}:{}: rule {}{place}: {}", given.referenced.line(), index + 1, problem.text)
            })),
        }
    }
    if !told.is_empty() {
        bail!("nothing was applied\n{}", told.join("\n"));
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json_are_read_alike() {
        let yaml = "# a game day\n- operation: ecs:CreateService\n  fault: {kind: throttle}\n  times: 2\n\
                    - operation: elbv2:*\n  fault: {kind: slow, delayMs: 200}\n";
        let rules = read(yaml, "f").expect("two rules");
        assert_eq!((rules.len(), rules[0].times, rules[1].operation.as_str()), (2, Some(2), "elasticloadbalancing:*"));
        let json = serde_json::to_string(&rules).expect("JSON");
        assert_eq!(read(&json, "f").expect("the same"), rules);
    }

    #[test]
    fn all_errors_are_told_at_once_with_their_lines() {
        let text = "- operation: ecs:CreateServise\n  fault: {kind: throttle}\n- operation: '*'\n  fault: {kind: reset}\n\
                    - operation: '*'\n  fault: {kind: silent}\n  tiems: 1\n";
        let told = read(text, "day.yaml").expect_err("wrong").to_string();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 4, "{told}");
        assert!(lines[1].starts_with("day.yaml:1: rule 1, operation: ") && lines[1].ends_with("did you mean ecs:CreateService?"));
        assert_eq!(lines[2], "day.yaml:5: rule 3, tiems: does not belong here; did you mean times?");
        assert_eq!(lines[3], "day.yaml:5: rule 3, fault.delayMs: is missing: a fault of kind silent needs it");
    }

    #[test]
    fn what_is_no_list_is_told() {
        for text in ["operation: ecs:*\n", "- [", "5"] {
            assert!(read(text, "f").expect_err("wrong").to_string().starts_with("f is no list of rules"), "{text}");
        }
    }
}
