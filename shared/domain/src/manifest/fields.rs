//! Walking the tree: each reader takes the fields it knows and notes what is wrong instead of stopping.

use std::cell::RefCell;

use super::{
    diagnostic::Diagnostic,
    naming::shown,
    source::{Located, Place, Position, Source},
    template::{Template, Written, Wrong, meant_or_known},
    tree::{Content, Entry, Node},
};
use crate::suggestion::nearest;

/// Findings told of one file, at most: a person mends the first ones first.
pub(super) const FINDINGS: usize = 200;

/// A source, and what was found wrong in it so far.
pub(super) struct Findings<'a> {
    source: &'a Source,
    list: RefCell<Vec<Diagnostic>>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self { source, list: RefCell::new(Vec::new()) }
    }

    pub(super) fn source(&self) -> &'a Source {
        self.source
    }

    pub(super) fn add(&self, finding: Diagnostic) {
        self.list.borrow_mut().push(finding);
    }

    /// Whether there are more findings than anybody reads, so that no more need to be looked for.
    pub(super) fn is_enough(&self) -> bool {
        self.list.borrow().len() > FINDINGS
    }

    pub(super) fn at(&self, place: &Place, wrong: Wrong) {
        self.add(self.source.finding(place, wrong.message).maybe_hint(wrong.hint));
    }

    pub(super) fn into_list(self) -> Vec<Diagnostic> {
        self.list.into_inner()
    }
}

/// A node, its path, and where to note what is wrong with it.
#[derive(Clone)]
pub(super) struct Element<'a> {
    node: &'a Node,
    path: String,
    /// Where its key stands, if it has one: what is missing in it is told there.
    key_at: Position,
    findings: &'a Findings<'a>,
}

impl<'a> Element<'a> {
    pub(super) fn root(node: &'a Node, findings: &'a Findings<'a>) -> Self {
        Self { node, path: String::new(), key_at: node.at, findings }
    }

    pub(super) fn node(&self) -> &'a Node {
        self.node
    }

    pub(super) fn findings(&self) -> &'a Findings<'a> {
        self.findings
    }

    pub(super) fn place(&self) -> Place {
        Place { field: self.path.clone(), at: self.node.at, byte: self.node.byte }
    }

    /// The place of its key.
    pub(super) fn key_place(&self) -> Place {
        Place { field: self.path.clone(), at: self.key_at, byte: None }
    }

    pub(super) fn is_null(&self) -> bool {
        self.node.content == Content::Null
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self.node.content, Content::Mapping(_))
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.node.content, Content::List(_))
    }

    pub(super) fn wrong(&self, wrong: Wrong) {
        self.findings.at(&self.place(), wrong);
    }

    fn wrong_type(&self, expected: &str) {
        self.wrong(Wrong::new(format!("expected {expected}, found {}", self.node.what())));
    }

    /// A mapping with these fields and no others.
    pub(super) fn mapping(&self, known: &'static [&'static str]) -> Option<Mapping<'a>> {
        let Content::Mapping(entries) = &self.node.content else {
            self.wrong_type("a mapping");
            return None;
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let place = Place { field: self.below(&entry.key), at: entry.at, byte: None };
            let wrong = Wrong::new(format!("unknown field {}", shown(&entry.key)));
            self.findings.at(&place, wrong.hint(meant_or_known(&entry.key, known)));
        }
        Some(Mapping { element: self.clone(), entries, known })
    }

    /// A mapping with keys of the user's own choice, in the order they were written.
    pub(super) fn entries(&self) -> Option<Vec<(Located<String>, Element<'a>)>> {
        let Content::Mapping(entries) = &self.node.content else {
            self.wrong_type("a mapping");
            return None;
        };
        let all = entries.iter().map(|entry| {
            let field = self.below(&entry.key);
            let place = Place { field: field.clone(), at: entry.at, byte: None };
            let value = Element { node: &entry.value, path: field, key_at: entry.at, findings: self.findings };
            (Located { value: entry.key.clone(), place }, value)
        });
        Some(all.collect())
    }

    /// A list.
    pub(super) fn list(&self) -> Option<Vec<Element<'a>>> {
        let Content::List(items) = &self.node.content else {
            self.wrong_type("a list");
            return None;
        };
        let all = items.iter().enumerate().map(|(index, node)| Element {
            node,
            path: format!("{}[{index}]", self.path),
            key_at: node.at,
            findings: self.findings,
        });
        Some(all.collect())
    }

    /// Text, or a number as it was written.
    pub(super) fn text(&self) -> Option<Located<String>> {
        match &self.node.content {
            Content::Scalar(scalar) => Some(Located { value: scalar.text.clone(), place: self.place() }),
            Content::Null => {
                self.wrong(Wrong::new("the value is missing"));
                None
            }
            Content::List(_) | Content::Mapping(_) => {
                self.wrong_type("text");
                None
            }
        }
    }

    /// A value that may hold expressions.
    pub(super) fn template<W: Written>(&self) -> Option<Template<W>> {
        match Template::new(self.text()?) {
            Ok(template) => Some(template),
            Err((text, wrong)) => {
                self.findings.at(&text.place, wrong);
                None
            }
        }
    }

    /// A value without expressions.
    pub(super) fn value<W: Written>(&self) -> Option<Located<W::Value>> {
        let text = self.text()?;
        if let Some(offset) = text.value.find("${") {
            let message = format!("no expression can stand here: found {}", shown(&text.value));
            self.findings.add(self.findings.source.finding_inside(&text, offset, message));
            return None;
        }
        match W::read(&text.value) {
            Ok(value) => Some(Located { value, place: text.place }),
            Err(wrong) => {
                self.findings.at(&text.place, wrong);
                None
            }
        }
    }

    /// A list of values that may hold expressions.
    pub(super) fn templates<W: Written>(&self) -> Vec<Template<W>> {
        self.list().unwrap_or_default().iter().filter_map(Element::template).collect()
    }

    fn below(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// A mapping with known fields.
pub(super) struct Mapping<'a> {
    element: Element<'a>,
    entries: &'a [Entry],
    known: &'static [&'static str],
}

impl<'a> Mapping<'a> {
    pub(super) fn element(&self) -> &Element<'a> {
        &self.element
    }

    /// Whether there is a field that nobody reads; it is noted already.
    pub(super) fn has_unknown(&self) -> bool {
        self.entries.iter().any(|entry| !self.known.contains(&entry.key.as_str()))
    }

    /// The field, if it is there and not empty.
    pub(super) fn optional(&self, name: &str) -> Option<Element<'a>> {
        self.present(name).filter(|element| !element.is_null())
    }

    /// The field, if it is there at all.
    pub(super) fn present(&self, name: &str) -> Option<Element<'a>> {
        debug_assert!(self.known.contains(&name), "{name} is read but not known");
        let entry = self.entries.iter().find(|entry| entry.key == name)?;
        let (path, findings) = (self.element.below(name), self.element.findings);
        Some(Element { node: &entry.value, path, key_at: entry.at, findings })
    }

    /// The field; that it is missing is noted, unless a misspelt one is noted already.
    pub(super) fn required(&self, name: &str) -> Option<Element<'a>> {
        if let Some(element) = self.optional(name) {
            return Some(element);
        }
        let misspelt = |entry: &Entry| {
            !self.known.contains(&entry.key.as_str()) && nearest(&entry.key, self.known.iter().copied()) == Some(name)
        };
        if !self.entries.iter().any(misspelt) {
            let at = self.present(name).map_or(self.element.key_at, |element| element.key_at);
            let place = Place { field: self.element.below(name), at, byte: None };
            self.element.findings.at(&place, Wrong::new(format!("{name:?} is missing")));
        }
        None
    }

    /// A required field that may hold expressions.
    pub(super) fn template<W: Written>(&self, name: &str) -> Option<Template<W>> {
        self.required(name)?.template()
    }

    /// An optional field that may hold expressions.
    pub(super) fn optional_template<W: Written>(&self, name: &str) -> Option<Template<W>> {
        self.optional(name)?.template()
    }

    /// A required field without expressions.
    pub(super) fn value<W: Written>(&self, name: &str) -> Option<Located<W::Value>> {
        self.required(name)?.value::<W>()
    }

    /// An optional field without expressions.
    pub(super) fn optional_value<W: Written>(&self, name: &str) -> Option<Located<W::Value>> {
        self.optional(name)?.value::<W>()
    }
}
