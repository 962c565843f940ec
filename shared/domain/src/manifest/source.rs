//! The text of one document, and places in it.

use std::sync::Arc;

use super::diagnostic::Diagnostic;

/// Documents read from one file, at most.
const DOCUMENTS: usize = 500;
/// How much of a text is looked for when its place is sought, in characters.
const NEEDLE: usize = 200;

/// A place in a document's own text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// Line, from 1; 0 if unknown.
    pub line: u32,
    /// Column in characters, from 1; 0 if unknown.
    pub column: u32,
}

/// Where a value stands: its field and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Path of the field, as `spec.phases[0].name`.
    pub field: String,
    /// Where the value begins in the document's own text.
    pub at: Position,
    /// The same in bytes, for places inside the value.
    pub(super) byte: Option<usize>,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// One document's text and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Name of the file, or what stands for it.
    pub file: Arc<str>,
    /// The document's own text, without the lines that divide it from others.
    pub text: Arc<str>,
    /// The line of the file that the text begins on, from 1.
    pub first_line: u32,
}

impl Source {
    /// A finding at a place.
    pub fn finding(&self, place: &Place, message: impl Into<String>) -> Diagnostic {
        self.finding_at(place.at, &place.field, message)
    }

    /// A finding at a position.
    pub fn finding_at(&self, at: Position, field: &str, message: impl Into<String>) -> Diagnostic {
        let line = if at.line == 0 { 0 } else { at.line.saturating_add(self.first_line - 1) };
        Diagnostic {
            file: self.file.to_string(),
            line,
            column: at.column,
            field: field.to_owned(),
            message: message.into(),
            hint: None,
        }
    }

    /// A finding about what begins `offset` bytes into a text: an expression, a mistake in JSON.
    pub fn finding_inside(&self, text: &Located<String>, offset: usize, message: impl Into<String>) -> Diagnostic {
        self.finding_at(self.inside(&text.place, &text.value, offset), &text.place.field, message)
    }

    /// The position of what begins `offset` bytes into `value`, which stands at `place`: the same text, the same number of times
    /// into what was written, so that quotes, indentation and folding do not matter. Where they changed the text beyond
    /// recognition: the place of the whole.
    pub(super) fn inside(&self, place: &Place, value: &str, offset: usize) -> Position {
        let Some((byte, raw)) = place.byte.and_then(|byte| Some((byte, self.text.get(byte..)?))) else { return place.at };
        let Some((before, after)) = value.split_at_checked(offset) else { return place.at };
        let end = after.find('\n').into_iter().chain(after.find('}').map(|at| at + 1)).min().unwrap_or(after.len());
        let end = after.char_indices().nth(NEEDLE).map_or(end, |(cut, _)| end.min(cut));
        let needle = &after[..end];
        if needle.trim().is_empty() {
            // Nothing to look for at the end of a line: the last thing before it.
            let last = before.trim_end().char_indices().next_back();
            return last.map_or(place.at, |(last, _)| self.inside(place, value, last));
        }
        let earlier = value.match_indices(needle).take_while(|(at, _)| *at < offset).count();
        let found = raw.match_indices(needle).nth(earlier);
        found.map_or(place.at, |(found, _)| self.position(byte + found))
    }

    /// The byte that a position stands at.
    pub(super) fn byte_of(&self, at: Position) -> Option<usize> {
        let line = usize::try_from(at.line).ok()?.checked_sub(1)?;
        let start = if line == 0 { 0 } else { self.text.match_indices('\n').nth(line - 1)?.0 + 1 };
        let column = usize::try_from(at.column).ok()?.checked_sub(1)?;
        self.text[start..].char_indices().nth(column).map(|(offset, _)| start + offset)
    }

    fn position(&self, byte: usize) -> Position {
        let before = self.text.get(..byte).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Position { line: narrow(line), column: narrow(column) }
    }
}

pub(super) fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The documents of a file: divided by lines that begin with `---` or `...`. Those without content are left out.
///
/// # Errors
/// When there are more of them than anybody means.
pub(super) fn split(file: &str, text: &str) -> Result<Vec<Source>, Box<Diagnostic>> {
    let file: Arc<str> = file.into();
    let mut sources = Vec::new();
    let mut current = String::new();
    let mut first_line = 1;
    let mut close = |current: &mut String, first_line: u32| {
        let text = std::mem::take(current);
        let content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#') && !line.starts_with('%');
        if text.lines().any(content) {
            sources.push(Source { file: Arc::clone(&file), text: text.into(), first_line });
        }
    };
    for (index, line) in text.trim_start_matches('\u{feff}').split_inclusive('\n').enumerate() {
        let bare = line.trim_end();
        let number = narrow(index + 1);
        if divides(bare, "---") {
            close(&mut current, first_line);
            // What follows the dashes belongs to the document, at its column.
            current = format!("   {}", &line[3..]);
            first_line = number;
        } else if divides(bare, "...") {
            close(&mut current, first_line);
            first_line = number + 1;
        } else {
            current.push_str(line);
        }
    }
    close(&mut current, first_line);
    if sources.len() > DOCUMENTS {
        let first = &sources[DOCUMENTS];
        let at = Position { line: 1, column: 1 };
        let message = format!("{} documents in one file; at most {DOCUMENTS} are read", sources.len());
        return Err(Box::new(first.finding_at(at, "", message).hint("divide the file")));
    }
    Ok(sources)
}

fn divides(line: &str, mark: &str) -> bool {
    line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_keep_the_lines_of_their_file() {
        let text = "# head\n---\na: 1\n---\n\n# nothing\n--- # more\nb: 2\n...\n%YAML 1.2\n---\nc: 3";
        let sources = split("f.yaml", text).expect("few");
        let lines: Vec<_> = sources.iter().map(|s| (s.first_line, s.text.as_ref())).collect();
        assert_eq!(lines, [(2, "   \na: 1\n"), (7, "    # more\nb: 2\n"), (11, "   \nc: 3")]);
    }

    #[test]
    fn a_dash_inside_a_document_does_not_divide_it() {
        assert_eq!(split("f", "a: |\n  ---\n  x\n---x: 1\n").expect("one").len(), 1);
        assert!(split("f", &"a: 1\n---\n".repeat(600)).is_err());
    }

    #[test]
    fn places_inside_texts_are_found_through_quotes_and_blocks() {
        let text = "a: \"é ${x} ${x}\"\nb: |\n    one\n\n    two ${y}\nc: >\n  folded\n  ${z}\n";
        let source = Source { file: "f".into(), text: text.into(), first_line: 10 };
        let place = |line, column, at_text: &str| {
            let at = Position { line, column };
            Place { field: String::new(), at, byte: text.find(at_text) }
        };
        let line_column = |place: Place, value: &str, offset| {
            let at = source.finding_inside(&Located { value: value.to_owned(), place }, offset, "m");
            (at.line, at.column)
        };
        assert_eq!(line_column(place(1, 4, "\"é"), "é ${x} ${x}", 8), (10, 12));
        assert_eq!(line_column(place(3, 5, "one"), "one\n\ntwo ${y}\n", 9), (14, 9));
        assert_eq!(line_column(place(7, 3, "folded"), "folded ${z}\n", 7), (17, 3));
        // At the end of a line: the last thing on it.
        assert_eq!(line_column(place(3, 5, "one"), "one\n\ntwo ${y}\n", 14), (14, 12));
    }
}
