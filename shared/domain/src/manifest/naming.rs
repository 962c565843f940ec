//! What documents, variables and steps may be called.

use super::template::Wrong;

/// Longest name of a document, in characters: it stands in host names, tags and keys.
const LONGEST: usize = 63;
/// Longest name of a step or phase, in characters.
const LONGEST_TITLE: usize = 80;

/// Whether a document may be called so: lower-case letters, digits and `-`, beginning with a letter or digit, at most 63.
///
/// # Errors
/// What is wrong with the name, and one that would do.
pub fn check_name(name: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.is_empty() && name.len() <= LONGEST && !name.starts_with('-') && name.chars().all(allowed) {
        return Ok(());
    }
    let lower = name.to_lowercase();
    let would_do: String = lower.chars().map(|c| if allowed(c) { c } else { '-' }).take(LONGEST).collect();
    let would_do = would_do.trim_matches('-');
    let wrong = Wrong::new(format!("{} is not a name: lower-case letters, digits and \"-\", at most {LONGEST}", shown(name)));
    Err(if would_do.is_empty() { wrong } else { wrong.hint(format!("{would_do} would do")) })
}

/// Whether a variable may be called so: letters, digits, `_` and `-`, beginning with a letter or `_`.
pub(super) fn check_variable(name: &str) -> Result<(), Wrong> {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if first && name.len() <= LONGEST_TITLE && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        return Ok(());
    }
    Err(Wrong::new(format!(
        "{} is not a name of a variable: letters, digits, \"_\" and \"-\", beginning with a letter or \"_\"",
        shown(name)
    )))
}

/// Whether a step or phase may be called so: what stands in `${steps.<name>.<output>}`.
pub(super) fn check_title(name: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '/' | '(' | ')');
    if !name.trim().is_empty() && name.trim() == name && name.chars().count() <= LONGEST_TITLE && name.chars().all(allowed) {
        return Ok(());
    }
    Err(Wrong::new(format!(
        "{} can't be a title: letters, digits, spaces, \"_\", \"-\", \"/\" and parentheses, at most {LONGEST_TITLE}",
        shown(name)
    )))
}

/// Text from outside inside a message: quoted, and cut when it is long.
pub(super) fn shown(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{:?}...", &text[..cut]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_is_told_with_one_that_would_do() {
        assert!(check_name("todolist-blue-green").is_ok());
        assert!(check_name(&"a".repeat(63)).is_ok());
        let wrong = check_name("My Shop!").expect_err("capitals and a space");
        assert_eq!(wrong.message, "\"My Shop!\" is not a name: lower-case letters, digits and \"-\", at most 63");
        assert_eq!(wrong.hint.as_deref(), Some("my-shop would do"));
        for name in ["", "-a", "a.b", "a/b", "ä", &"a".repeat(64)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn titles_are_what_expressions_can_name() {
        assert!(check_title("ECS Blue Green Load Balancer Setup (2)").is_ok());
        for title in ["", " ", "a ", "a.b", "a}b", "a\nb", "${x}"] {
            assert!(check_title(title).is_err(), "{title}");
        }
        assert!(check_variable("DesiredInstances").is_ok());
        for name in ["", "1a", "a.b", "a b", "é"] {
            assert!(check_variable(name).is_err(), "{name}");
        }
    }
}
