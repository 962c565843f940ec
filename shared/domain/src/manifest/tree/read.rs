//! Reading YAML into the tree, within limits that no document of a person comes near.

use serde_saphyr::{Location, NonFiniteFloatPolicy, Options, Spanned};

use super::{
    node::{Content, Entry, Node, Scalar},
    problem,
    untyped::Untyped,
};
use crate::manifest::{
    diagnostic::Diagnostic,
    source::{Position, Source},
};

/// Mappings and lists inside one another.
const DEPTH: usize = 40;
/// Values in one document, those that aliases repeat included.
const NODES: usize = 50_000;
/// Anchors, aliases and merge keys in one document.
const ALIASES: usize = 200;

/// The tree of a document.
///
/// # Errors
/// The first thing that is not YAML, or a limit.
pub(in crate::manifest) fn read(source: &Source) -> Result<Node, Box<Diagnostic>> {
    match serde_saphyr::from_str_with_options::<Spanned<Untyped>>(&source.text, options()) {
        Ok(untyped) => Ok(node(untyped, source)),
        Err(error) => Err(Box::new(problem::of(&error, source))),
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH,
            flow_nesting_limit: DEPTH,
            max_nodes: NODES,
            max_events: 4 * NODES,
            max_aliases: ALIASES,
            max_anchors: ALIASES,
            max_merge_keys: ALIASES,
            max_recorded_anchor_events: NODES,
            max_recorded_anchor_bytes: crate::limits::DOCUMENT_BYTES,
            max_total_scalar_bytes: 2 * crate::limits::DOCUMENT_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: NODES,
            max_replay_stack_depth: 16,
        },
        // YAML 1.2: `yes` and `0123` are text.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        emit_comments: false,
        with_snippet: false,
    }
}

fn node(spanned: Spanned<Untyped>, source: &Source) -> Node {
    let at = position(spanned.defined);
    let byte = spanned.defined.span().byte_offset().and_then(|byte| usize::try_from(byte).ok());
    let content = match spanned.value {
        Untyped::Null => Content::Null,
        Untyped::Plain => Content::Scalar(Scalar { text: written(spanned.defined, byte, source).to_owned(), plain: true }),
        Untyped::Text(text) => Content::Scalar(Scalar { text, plain: false }),
        Untyped::List(items) => Content::List(items.into_iter().map(|item| node(item, source)).collect()),
        Untyped::Mapping(entries) => Content::Mapping(
            entries
                .into_iter()
                .map(|(key, value)| Entry { at: position(key.defined), key: key.value, value: node(value, source) })
                .collect(),
        ),
    };
    Node { at, byte, content }
}

/// The text of a plain scalar, from the document itself.
fn written(location: Location, byte: Option<usize>, source: &Source) -> &str {
    let length = location.span().byte_len().and_then(|length| usize::try_from(length).ok());
    let range = byte.zip(length).and_then(|(byte, length)| source.text.get(byte..byte.checked_add(length)?));
    range.unwrap_or_default().trim()
}

pub(super) fn position(location: Location) -> Position {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: narrow(location.line()), column: narrow(location.column()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Node {
        let source = Source { file: "f.yaml".into(), text: text.into(), first_line: 1 };
        read(&source).unwrap_or_else(|problem| panic!("{problem}"))
    }

    fn scalar(node: &Node, pointer: &str) -> (String, bool, (u32, u32)) {
        let node = node.nearest(pointer);
        let Content::Scalar(scalar) = &node.content else { panic!("{pointer} is {}", node.what()) };
        (scalar.text.clone(), scalar.plain, (node.at.line, node.at.column))
    }

    #[test]
    fn scalars_are_kept_as_they_were_written() {
        let node = tree(
            "é: [1.10, 0123, yes, 256, \"256\", true, 1_000, .nan, -5 , 0x1F] # end\nb: |\n  text\nc: 'it''s'\nd: 80 # port\ne: 1e3\n",
        );
        let of = |pointer: &str| {
            let (text, plain, _) = scalar(&node, pointer);
            (text, plain)
        };
        let expected = [
            ("/é/0", "1.10", true),
            ("/é/1", "0123", false),
            ("/é/2", "yes", false),
            ("/é/3", "256", true),
            ("/é/4", "256", false),
            ("/é/5", "true", true),
            ("/é/6", "1_000", false),
            ("/é/7", ".nan", false),
            ("/é/8", "-5", true),
            ("/é/9", "0x1F", true),
            ("/b", "text\n", false),
            ("/c", "it's", false),
            ("/d", "80", true),
            ("/e", "1e3", true),
        ];
        for (pointer, text, plain) in expected {
            assert_eq!(of(pointer), (text.to_owned(), plain), "{pointer}");
        }
        assert_eq!(scalar(&node, "/é/3").2, (1, 22));
        // A block begins where its text does.
        assert_eq!(scalar(&node, "/b").2, (3, 3));
        assert_eq!(scalar(&node, "/c").2, (4, 4));
    }

    #[test]
    fn aliases_and_merges_stand_where_they_were_defined() {
        let node = tree("a: &a\n  x: 12\n  y: 2\nb:\n  <<: *a\n  y: 3\nc: *a\n");
        assert_eq!(scalar(&node, "/c/x"), ("12".to_owned(), true, (2, 6)));
        assert_eq!(scalar(&node, "/b/x"), ("12".to_owned(), true, (2, 6)));
        assert_eq!(scalar(&node, "/b/y"), ("3".to_owned(), true, (6, 6)));
    }
}
