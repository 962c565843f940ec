//! Replacing expressions in the fields of a document, and noting what is wrong at its place.

use domain::manifest::{Diagnostic, EcsDocument, Source, Template, Written};
use serde_json::Value;

use super::names::{Misuse, Names, Resolved};

/// Findings told at once, at most: a person mends the first ones first.
const FINDINGS: usize = 200;

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    findings: Vec<Diagnostic>,
}

impl Resolver {
    pub(super) fn add(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// Everything that was found, in the order of files, lines and columns, each once.
    pub(super) fn into_findings(self) -> Vec<Diagnostic> {
        let mut findings = self.findings;
        findings.sort();
        // Found on several walks with other names around it, it is still one.
        findings.dedup_by(|second, first| {
            (&second.file, second.line, second.column, &second.message) == (&first.file, first.line, first.column, &first.message)
        });
        findings
    }

    pub(super) fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The value of a field that has to be known at the start. None: it is wrong, and that is noted, or it is open.
    pub(super) fn now<W: Written>(&mut self, source: &Source, names: &Names, template: &Template<W>) -> Option<W::Value> {
        let text = &template.text;
        match names.now(&text.value) {
            Ok(Resolved::Known(resolved)) => self.read::<W>(source, template, &resolved),
            Ok(Resolved::Open) => None,
            Err(misuses) => self.misused(source, template, misuses),
        }
    }

    /// The text of a field in which the delegate may have something left to replace.
    pub(super) fn later<W: Written<Value = String>>(
        &mut self,
        source: &Source,
        names: &Names,
        template: &Template<W>,
    ) -> Option<String> {
        match names.later(&template.text.value) {
            // What it will be is not known, so that it can't be read yet.
            Ok(Resolved::Known(resolved)) if names.waits_for_delegate(&template.text.value) => Some(resolved),
            Ok(Resolved::Known(resolved)) => self.read::<W>(source, template, &resolved),
            Ok(Resolved::Open) => None,
            Err(misuses) => self.misused(source, template, misuses),
        }
    }

    /// An ECS document in which the delegate may have something left to replace.
    pub(super) fn document(&mut self, source: &Source, names: &Names, document: &EcsDocument) -> Option<Value> {
        match names.later_json(&document.value) {
            Ok(Resolved::Known(resolved)) => Some(resolved),
            Ok(Resolved::Open) => None,
            Err(misuses) => {
                for (pointer, misuse) in self.some_of(misuses) {
                    let finding = document.finding(source, &pointer, &misuse.error, misuse.message);
                    self.add(finding.maybe_hint(misuse.hint));
                }
                None
            }
        }
    }

    /// As many as are told. What is left away is never all: there is at least one finding.
    fn some_of<T>(&self, found: Vec<T>) -> impl Iterator<Item = T> + use<T> {
        found.into_iter().take(FINDINGS.saturating_sub(self.findings.len()).max(1))
    }

    fn read<W: Written>(&mut self, source: &Source, template: &Template<W>, resolved: &str) -> Option<W::Value> {
        match W::read(resolved) {
            Ok(value) => Some(value),
            Err(wrong) => {
                let written = &template.text;
                // The value stands somewhere else: say where it came from.
                let from = if written.value == resolved { String::new() } else { format!(" (from {})", cut(&written.value)) };
                let finding = source.finding(&written.place, format!("{}{from}", wrong.message));
                self.add(finding.maybe_hint(wrong.hint));
                None
            }
        }
    }

    fn misused<W, T>(&mut self, source: &Source, template: &Template<W>, misuses: Vec<Misuse>) -> Option<T> {
        for misuse in self.some_of(misuses) {
            let offset = misuse.error.offset().unwrap_or(0);
            let finding = source.finding_inside(&template.text, offset, misuse.message);
            self.add(finding.maybe_hint(misuse.hint));
        }
        None
    }
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
