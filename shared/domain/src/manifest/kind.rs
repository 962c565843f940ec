//! The kinds of documents, and what names one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A folder of everything below.
    Application,
    /// Production or not, with overrides of variables.
    Environment,
    /// What is deployed.
    Service,
    /// Where it is deployed to.
    Infrastructure,
    /// How it is deployed.
    Workflow,
}

impl Kind {
    /// Every kind; one refers only to those before it.
    pub const ALL: [Self; 5] = [Self::Application, Self::Environment, Self::Service, Self::Infrastructure, Self::Workflow];

    /// The kind as documents write it: `Service`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Application => "Application",
            Self::Environment => "Environment",
            Self::Service => "Service",
            Self::Infrastructure => "Infrastructure",
            Self::Workflow => "Workflow",
        }
    }

    /// The kind inside a sentence: `service`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Environment => "environment",
            Self::Service => "service",
            Self::Infrastructure => "infrastructure",
            Self::Workflow => "workflow",
        }
    }

    /// Reads a kind as people write it: `service`, `services` and `Service` are one.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let singular = lower.strip_suffix('s').unwrap_or(&lower);
        Self::ALL.into_iter().find(|kind| kind.word() == singular)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What names a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceKey {
    /// Its kind.
    pub kind: Kind,
    /// Application it belongs to; empty for an application itself.
    pub application: String,
    /// Its name, unique among the kind and application.
    pub name: String,
}

impl ResourceKey {
    /// The key of a document. `application` is ignored for an application.
    pub fn new(kind: Kind, application: &str, name: &str) -> Self {
        let application = if kind == Kind::Application { "" } else { application };
        Self { kind, application: application.to_owned(), name: name.to_owned() }
    }
}

/// `workflow shop/todolist-blue-green`, or `application shop`: what stands for the file of a stored document.
impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.application.is_empty() {
            write!(f, "{} {}", self.kind.word(), self.name)
        } else {
            write!(f, "{} {}/{}", self.kind.word(), self.application, self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_people_write_them() {
        for kind in Kind::ALL {
            for text in [kind.as_str().to_owned(), kind.word().to_owned(), format!("{}s", kind.word())] {
                assert_eq!(Kind::parse(&text), Some(kind), "{text}");
            }
        }
        assert_eq!(Kind::parse("pod"), None);
        assert_eq!(Kind::parse(""), None);
    }

    #[test]
    fn a_key_reads_as_a_sentence_names_it() {
        assert_eq!(ResourceKey::new(Kind::Workflow, "shop", "deploy").to_string(), "workflow shop/deploy");
        assert_eq!(ResourceKey::new(Kind::Application, "ignored", "shop").to_string(), "application shop");
    }
}
