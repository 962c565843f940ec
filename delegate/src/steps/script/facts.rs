//! What a script knows of its deployment: environment variables that begin with `SEGUE_`.

use std::collections::BTreeMap;

use domain::task::Assignment;

/// The variables, by name and value.
pub(super) fn facts(assignment: &Assignment) -> BTreeMap<String, String> {
    let infrastructure = &assignment.infrastructure;
    let mut facts = BTreeMap::from([
        ("SEGUE_DEPLOYMENT".to_owned(), assignment.task.deployment.to_string()),
        ("SEGUE_STEP".to_owned(), assignment.step_name.clone()),
        ("SEGUE_ATTEMPT".to_owned(), assignment.task.attempt.to_string()),
        ("SEGUE_INFRASTRUCTURE".to_owned(), infrastructure.name.clone()),
        ("SEGUE_REGION".to_owned(), infrastructure.region.clone()),
        ("SEGUE_CLUSTER".to_owned(), infrastructure.cluster.clone()),
    ]);
    // The newest setup: what the other steps work on too.
    let setup = assignment.earlier.iter().rev().find(|step| matches!(step.output, domain::step::StepOutput::Setup(_)));
    for (name, value) in setup.map(|step| step.output.values()).unwrap_or_default() {
        facts.insert(format!("SEGUE_{}", upper_snake(name)), value);
    }
    facts
}

/// `oldService` as `OLD_SERVICE`.
fn upper_snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_uppercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_outputs_become_names_of_variables() {
        assert_eq!(upper_snake("oldService"), "OLD_SERVICE");
        assert_eq!(upper_snake("image"), "IMAGE");
    }
}
