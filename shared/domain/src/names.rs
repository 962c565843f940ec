//! Names of ECS things as the workflows form them.

/// The name that a container gets from its image: `harness/todolist-sample:4` becomes `harness_todolist-sample_4`. Each of
/// `:.+*/\ &$|"'` becomes `_`, and all is lower case (the rule of the tool whose users Segue takes over).
pub fn container_name(image: &str) -> String {
    image.chars().map(|c| if ":.+*/\\ &$|\"'".contains(c) { '_' } else { c }).flat_map(char::to_lowercase).collect()
}

/// A service family: whatever ECS refuses in a service name (letters, digits, `_` and `-` are allowed) becomes `_`.
pub fn family(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).collect()
}

/// The family used when the workflow names none: `<app>__<service>__<env>`.
pub fn default_family(application: &str, service: &str, environment: &str) -> String {
    family(&format!("{application}__{service}__{environment}"))
}

/// The name of the family's service for a task definition revision: `<family>__<N>`.
pub fn service_name(family: &str, revision: i32) -> String {
    format!("{family}__{revision}")
}

/// The revision in a service name of this family, as a number: names are never compared as text (`__9` comes before `__10`).
/// None if the name is not of the family's line.
pub fn revision_of(family: &str, service_name: &str) -> Option<i32> {
    let digits = service_name.strip_prefix(family)?.strip_prefix("__")?;
    let canonical = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if canonical { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_names_follow_the_image() {
        assert_eq!(container_name("harness/todolist-sample:4"), "harness_todolist-sample_4");
        assert_eq!(
            container_name("123.dkr.ecr.eu-west-1.amazonaws.com/App:V1.2+b"),
            "123_dkr_ecr_eu-west-1_amazonaws_com_app_v1_2_b"
        );
    }

    #[test]
    fn the_revision_is_a_number_of_exactly_this_family() {
        assert_eq!(revision_of("shop__todo", "shop__todo__10"), Some(10));
        assert_eq!(revision_of("shop__todo", "shop__todo__9"), Some(9));
        assert_eq!(revision_of("shop__todo", "shop__todo__list__3"), None);
        assert_eq!(revision_of("shop__todo", "shop__todo__"), None);
        assert_eq!(revision_of("shop__todo", "shop__todo__007"), None);
        assert_eq!(revision_of("shop__todo", "shop__todo"), None);
        assert_eq!(default_family("My Shop", "todo.list", "prod"), "My_Shop__todo_list__prod");
    }
}
