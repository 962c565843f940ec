//! What is wrong in documents: with the source where it is known, one line each where nobody looks.

use std::fmt;

use domain::console::visible;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, SourceOffset};
use proto::api;

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

/// All findings. `files` are the texts that were sent, by name; `drawn`: with a snippet of the source (a person looks).
pub fn diagnostics(findings: &[api::Diagnostic], files: &[(String, String)], drawn: bool) -> String {
    let mut text = String::new();
    for finding in findings {
        // What was wrong on the command line stands in no file.
        let place = match finding.line {
            0 if finding.file.is_empty() => String::new(),
            0 => format!("{}: ", visible(&finding.file)),
            line => format!("{}:{line}:{}: ", visible(&finding.file), finding.column),
        };
        let field = if finding.field.is_empty() { String::new() } else { format!("{}: ", visible(&finding.field)) };
        text += &format!("{place}{field}{}\n", visible(&finding.message));
        if drawn {
            text += &snippet(finding, files);
        } else if !finding.hint.is_empty() {
            text += &format!("  hint: {}\n", visible(&finding.hint));
        }
    }
    let noun = if findings.len() == 1 { "finding" } else { "findings" };
    text += &format!("\n{} {noun}; nothing was changed.\n", findings.len());
    text
}

fn snippet(finding: &api::Diagnostic, files: &[(String, String)]) -> String {
    let source = files.iter().find(|(name, _)| *name == finding.file).filter(|_| finding.line > 0);
    let place = source.map(|(name, text)| {
        let (line, column) = (finding.line as usize, (finding.column as usize).max(1));
        let shown: String = text.lines().map(|line| format!("{}\n", visible(line))).collect();
        let offset = SourceOffset::from_location(&shown, line, column).offset();
        (NamedSource::new(visible(name), shown), offset, visible(&finding.field).into_owned())
    });
    let help = if finding.hint.is_empty() { None } else { Some(visible(&finding.hint).into_owned()) };
    let drawn = Finding { message: visible(&finding.message).into_owned(), help, place };
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_context_lines(1);
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
        let shown = diagnostics(&[finding(), finding()], &[], false);
        let line = "w.yaml:2:3: spec.typ: unknown field `typ`\n  hint: did you mean `type`?\n";
        assert_eq!(shown, format!("{line}{line}\n2 findings; nothing was changed.\n"));
    }

    #[test]
    fn for_a_person_the_source_is_drawn() {
        let files = [("w.yaml".to_owned(), "spec:\n  typ: x\n".to_owned())];
        let shown = diagnostics(&[finding()], &files, true);
        for expected in ["w.yaml:2:3", "2 │   typ: x", "spec.typ", "did you mean `type`?"] {
            assert!(shown.contains(expected), "{expected} in\n{shown}");
        }
    }
}
