//! What is wrong in documents: with the source where it is known, one line each where nobody looks.

use std::fmt;

use domain::{console::visible, manifest::Diagnostic as Found};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, SourceOffset};
use proto::api;

use super::Look;

/// A finding with its file's text, for miette to draw.
struct Finding {
    message: String,
    help: Option<String>,
    place: Option<(NamedSource<String>, usize, String)>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Finding {}

impl Diagnostic for Finding {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|(source, ..)| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, offset, field) = self.place.as_ref()?;
        let label = if field.is_empty() { None } else { Some(field.clone()) };
        Some(Box::new(std::iter::once(LabeledSpan::new(label, *offset, 1))))
    }
}

/// All findings. `files` are the texts that were sent, by name; for a person who looks, each is drawn with a
/// snippet of its source.
pub fn diagnostics(findings: &[api::Diagnostic], files: &[(String, String)], look: Look) -> String {
    let mut text = String::new();
    for finding in findings {
        if look.live && finding.line > 0 && files.iter().any(|(name, _)| *name == finding.file) {
            text += &snippet(finding, files, look);
            continue;
        }
        let found = Found {
            file: visible(&finding.file).into_owned(),
            line: finding.line,
            column: finding.column,
            field: visible(&finding.field).into_owned(),
            message: visible(&finding.message).into_owned(),
            hint: None,
        };
        text += &format!("{found}\n");
        if !finding.hint.is_empty() {
            text += &format!("  hint: {}\n", visible(&finding.hint));
        }
    }
    let noun = if findings.len() == 1 { "finding" } else { "findings" };
    text += &format!("\n{} {noun}; nothing was changed.\n", findings.len());
    text
}

fn snippet(finding: &api::Diagnostic, files: &[(String, String)], look: Look) -> String {
    let source = files.iter().find(|(name, _)| *name == finding.file).filter(|_| finding.line > 0);
    let place = source.map(|(name, text)| {
        let (line, column) = (finding.line as usize, (finding.column as usize).max(1));
        // One character for one, so that columns stay what they were counted.
        let harmless = |c: char| match c {
            '\n' | '\t' => c,
            c if matches!(visible(c.encode_utf8(&mut [0; 4])), std::borrow::Cow::Owned(_)) => '?',
            c => c,
        };
        let shown: String = text.chars().map(harmless).collect();
        let offset = SourceOffset::from_location(&shown, line, column).offset().min(shown.len().saturating_sub(1));
        (NamedSource::new(visible(name), shown), offset, visible(&finding.field).into_owned())
    });
    let help = if finding.hint.is_empty() { None } else { Some(visible(&finding.hint).into_owned()) };
    let drawn = Finding { message: visible(&finding.message).into_owned(), help, place };
    let theme = if look.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let mut text = String::new();
    let handler =
        GraphicalReportHandler::new_themed(theme).with_width(usize::from(look.width.unwrap_or(100))).with_context_lines(1);
    // Writing into a String cannot fail.
    let _ = handler.render_report(&mut text, &drawn);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> api::Diagnostic {
        api::Diagnostic {
            file: "w.yaml".into(),
            line: 2,
            column: 3,
            field: "spec.typ".into(),
            message: "unknown field `typ`".into(),
            hint: "did you mean `type`?".into(),
        }
    }

    #[test]
    fn plainly_each_is_a_line_with_its_place() {
        let shown = diagnostics(&[finding(), finding()], &[], Look::PLAIN);
        let line = "w.yaml:2:3 spec.typ: unknown field `typ`\n  hint: did you mean `type`?\n";
        assert_eq!(shown, format!("{line}{line}\n2 findings; nothing was changed.\n"));
    }

    #[test]
    fn for_a_person_the_source_is_drawn() {
        let files = [("w.yaml".to_owned(), "spec:\n  typ: x\n".to_owned())];
        let shown = diagnostics(&[finding()], &files, Look { live: true, ..Look::PLAIN });
        for expected in ["w.yaml:2:3", "2 │   typ: x", "spec.typ", "did you mean `type`?"] {
            assert!(shown.contains(expected), "{expected} in\n{shown}");
        }
    }
}
