//! Variables: a name of the user's own and a text.

use std::collections::BTreeMap;

use crate::manifest::{fields::Element, naming::check_variable, template::Template, written::FreeText};

/// Variables by name, with their texts.
pub type Variables = BTreeMap<String, Template<FreeText>>;

/// Variables by name. Their texts may hold expressions, but not name other variables.
pub(super) fn variables(element: Option<Element<'_>>) -> Variables {
    let mut variables = Variables::new();
    for (name, value) in element.and_then(|element| element.entries()).unwrap_or_default() {
        if let Err(wrong) = check_variable(&name.value) {
            value.findings().at(&name.place, wrong);
        } else if let Some(text) = value.template() {
            variables.insert(name.value, text);
        }
    }
    variables
}
