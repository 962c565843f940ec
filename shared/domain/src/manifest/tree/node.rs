//! The tree: what is written, before anything is said about what it means.

use crate::manifest::source::Position;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) struct Node {
    pub(in crate::manifest) at: Position,
    /// Where it begins in the document's text, in bytes.
    pub(in crate::manifest) byte: Option<usize>,
    pub(in crate::manifest) content: Content,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) enum Content {
    /// Nothing, `~` or `null`.
    Null,
    /// Text, a number, `true`.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order it was written.
    Mapping(Vec<Entry>),
}

/// A scalar as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) struct Scalar {
    /// Its text: `1.10` stays `1.10`.
    pub(in crate::manifest) text: String,
    /// Written without quotes and reads as a number or a truth value.
    pub(in crate::manifest) plain: bool,
}

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) struct Entry {
    pub(in crate::manifest) key: String,
    pub(in crate::manifest) at: Position,
    pub(in crate::manifest) value: Node,
}

impl Node {
    /// What it is, inside a sentence.
    pub(in crate::manifest) fn what(&self) -> &'static str {
        match &self.content {
            Content::Null => "nothing",
            Content::Scalar(scalar) if !scalar.plain => "text",
            Content::Scalar(scalar) if scalar.text.eq_ignore_ascii_case("true") => "true",
            Content::Scalar(scalar) if scalar.text.eq_ignore_ascii_case("false") => "false",
            Content::Scalar(_) => "a number",
            Content::List(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }

    /// The node below a JSON pointer (`/containerDefinitions/0/image`), or the last one on the way to it.
    pub(in crate::manifest) fn nearest(&self, pointer: &str) -> &Node {
        let mut node = self;
        for step in pointer.split('/').skip(1) {
            let below = match &node.content {
                Content::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
                Content::Mapping(entries) => entries.iter().find(|entry| entry.key == step).map(|entry| &entry.value),
                Content::Null | Content::Scalar(_) => None,
            };
            match below {
                Some(below) => node = below,
                None => return node,
            }
        }
        node
    }
}
