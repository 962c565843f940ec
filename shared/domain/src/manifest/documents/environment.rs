//! Environment: production or not, and what differs there.

use super::variables::{Variables, variables};
use crate::manifest::{
    fields::Element,
    parse::description,
    source::Located,
    template::{Written, Wrong},
};

/// What an environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Production or not.
    pub kind: EnvironmentType,
    /// Variables that differ here for every service.
    pub all: Variables,
    /// Variables that differ here for one service, by its name.
    pub services: Vec<(Located<String>, Variables)>,
    /// Words for people.
    pub description: Option<String>,
}

/// What is at stake in an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EnvironmentType {
    /// People depend on it.
    Production,
    /// Nobody does.
    NonProduction,
}

impl EnvironmentType {
    /// The type as documents and `${env.type}` write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::NonProduction => "nonProduction",
        }
    }
}

impl Written for EnvironmentType {
    type Value = Self;

    fn read(text: &str) -> Result<Self, Wrong> {
        let all = [Self::Production, Self::NonProduction];
        let found = all.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| Wrong::none_of(text, "a type of environment", &all.map(Self::as_str)))
    }
}

impl Environment {
    pub(in crate::manifest) fn read(spec: &Element<'_>) -> Option<Self> {
        let fields = spec.mapping(&["type", "overrides", "description"])?;
        let overrides = fields.optional("overrides").and_then(|overrides| overrides.mapping(&["all", "services"]));
        let services = overrides.as_ref().and_then(|overrides| overrides.optional("services")?.entries()).unwrap_or_default();
        let of_service = |(service, values): (Located<String>, Element<'_>)| (service, variables(Some(values)));
        let kind = fields.value::<EnvironmentType>("type");
        Some(Self {
            all: variables(overrides.as_ref().and_then(|overrides| overrides.optional("all"))),
            services: services.into_iter().map(of_service).collect(),
            description: description(&fields),
            kind: kind?.value,
        })
    }
}
