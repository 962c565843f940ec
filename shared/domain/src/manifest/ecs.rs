//! ECS's own documents (task definition, service definition): untyped, so that whatever the user writes reaches AWS.

use serde_json::{Map, Number, Value};

use super::{
    diagnostic::Diagnostic,
    fields::Element,
    naming::shown,
    source::{Located, Place, Position, Source},
    template::Wrong,
    tree::{self, Content, Node, Scalar},
};
use crate::expression::ExpressionError;

/// A document in ECS's shape, as YAML or as a text that holds JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcsDocument {
    /// The document, with its expressions as they were written.
    pub value: Value,
    /// Where it begins.
    pub place: Place,
    written: As,
}

/// How it was written, and so where everything in it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum As {
    /// YAML: the part of the document's tree.
    Yaml(Box<Node>),
    /// JSON in a text, with the tree of that text. JSON is YAML, so the same reader tells where everything stands; only places
    /// are taken from it, never values. None where it is JSON of a kind that the reader does not take.
    Json { text: Located<String>, tree: Option<Box<Node>> },
}

impl EcsDocument {
    /// Reads a mapping, or a text that holds a JSON object.
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        match &element.node().content {
            Content::Scalar(scalar) if !scalar.plain => Self::read_json(element, element.text()?),
            Content::Mapping(_) => Some(Self {
                value: json(element.node(), &mut Vec::new()),
                place: element.place(),
                written: As::Yaml(Box::new(element.node().clone())),
            }),
            Content::Scalar(_) | Content::Null | Content::List(_) => {
                let found = element.node().what();
                element.wrong(Wrong::new(format!("expected a mapping, or a text (|) that holds JSON, found {found}")));
                None
            }
        }
    }

    fn read_json(element: &Element<'_>, text: Located<String>) -> Option<Self> {
        let source = element.findings().source();
        match serde_json::from_str::<Value>(&text.value) {
            Ok(value @ Value::Object(_)) => {
                let tree = tree::read(&inner(&text)).ok().map(Box::new);
                Some(Self { value, place: text.place.clone(), written: As::Json { text, tree } })
            }
            Ok(_) => {
                element.wrong(Wrong::new("the JSON is not an object: it has to begin with {"));
                None
            }
            Err(error) => {
                let offset = offset_of(&text.value, error.line(), error.column());
                let said = error.to_string();
                let said = said.split(" at line ").next().unwrap_or_default();
                element.findings().add(source.finding_inside(&text, offset, format!("not JSON: {said}")));
                None
            }
        }
    }

    /// The place of the value below a JSON pointer (`/containerDefinitions/0/image`), or of the whole where that is not known.
    pub fn place_of(&self, source: &Source, pointer: &str) -> Place {
        let at = self.position(source, pointer, None).unwrap_or(self.place.at);
        Place { field: self.field(pointer), at, byte: None }
    }

    /// The finding for an expression in the text below a JSON pointer.
    pub fn finding(&self, source: &Source, pointer: &str, error: &ExpressionError, message: impl Into<String>) -> Diagnostic {
        let inside = match (self.value.pointer(pointer), error.offset()) {
            (Some(Value::String(text)), Some(offset)) => Some((text.as_str(), offset)),
            _ => None,
        };
        let at = self.position(source, pointer, inside).unwrap_or(self.place.at);
        source.finding_at(at, &self.field(pointer), message)
    }

    fn field(&self, pointer: &str) -> String {
        pointer.split('/').skip(1).fold(self.place.field.clone(), |path, step| {
            let is_index = !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit());
            if is_index { format!("{path}[{step}]") } else { format!("{path}.{step}") }
        })
    }

    /// Where the value below the pointer begins, or what stands `inside` its text.
    fn position(&self, source: &Source, pointer: &str, inside: Option<(&str, usize)>) -> Option<Position> {
        let within = |source: &Source, tree: &Node| {
            let node = tree.nearest(pointer);
            let place = Place { field: String::new(), at: node.at, byte: node.byte };
            inside.map_or(place.at, |(text, offset)| source.inside(&place, text, offset))
        };
        match &self.written {
            As::Yaml(tree) => Some(within(source, tree)),
            As::Json { text, tree } => {
                let inner = inner(text);
                let offset = inner.byte_of(within(&inner, tree.as_ref()?))?;
                Some(source.inside(&text.place, &text.value, offset))
            }
        }
    }
}

/// A text as a source of its own.
fn inner(text: &Located<String>) -> Source {
    Source { file: "".into(), text: text.value.as_str().into(), first_line: 1 }
}

/// The byte offset of serde_json's line and column, both from 1.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let line_length = rest.split('\n').next().unwrap_or_default().len();
    let mut offset = start + column.saturating_sub(1).min(line_length.saturating_sub(1));
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// YAML as JSON. `path` holds the keys above.
fn json<'n>(node: &'n Node, path: &mut Vec<&'n str>) -> Value {
    match &node.content {
        Content::Null => Value::Null,
        Content::Scalar(scalar) => scalar_json(scalar, path),
        Content::List(items) => Value::Array(items.iter().map(|item| json(item, path)).collect()),
        Content::Mapping(entries) => {
            let mut members = Map::new();
            for entry in entries {
                path.push(&entry.key);
                members.insert(entry.key.clone(), json(&entry.value, path));
                path.pop();
            }
            Value::Object(members)
        }
    }
}

fn scalar_json(scalar: &Scalar, path: &[&str]) -> Value {
    if !scalar.plain || wants_text(path) {
        return Value::String(scalar.text.clone());
    }
    match scalar.text.as_str() {
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        // A number only if it is one in JSON too and none of what was written is lost: 1.10 is a version, not 1.1.
        text => match serde_json::from_str::<Number>(text) {
            Ok(number) if number.to_string() == text => Value::Number(number),
            _ => Value::String(text.to_owned()),
        },
    }
}

/// Lists of name and value in which ECS wants the value as text.
const LISTS_OF_PAIRS: [&str; 5] = ["environment", "tags", "resourceRequirements", "properties", "systemControls"];
/// Mappings in which ECS wants every value as text.
const MAPPINGS_OF_TEXTS: [&str; 4] = ["dockerLabels", "options", "driverOpts", "labels"];

/// Where ECS wants text although people write numbers and truth values: `cpu: 256` of a task, `value: true` of a variable.
fn wants_text(path: &[&str]) -> bool {
    match path {
        ["cpu" | "memory"] => true,
        [.., list, "value"] => LISTS_OF_PAIRS.contains(list),
        [.., mapping, _] => MAPPINGS_OF_TEXTS.contains(mapping),
        _ => false,
    }
}

/// What a text in ECS's JSON is called in messages.
pub(super) fn found(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::Bool(truth)) => truth.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => shown(text),
        Some(Value::Array(items)) if items.is_empty() => "an empty list".to_owned(),
        Some(Value::Array(_)) => "a list".to_owned(),
        Some(Value::Object(_)) => "a mapping".to_owned(),
    }
}
