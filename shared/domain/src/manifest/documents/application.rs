//! Application: a folder of everything below it.

use crate::manifest::{fields::Element, parse::description};

/// What an application says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Application {
    /// Words for people.
    pub description: Option<String>,
}

impl Application {
    pub(in crate::manifest) fn read(spec: &Element<'_>) -> Option<Self> {
        let fields = spec.mapping(&["description"])?;
        Some(Self { description: description(&fields) })
    }
}
