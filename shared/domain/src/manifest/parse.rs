//! From the text of a file to documents, and everything that is wrong with them.

use super::{
    diagnostic::Diagnostic,
    documents::{Application, Environment, Infrastructure, Service, Workflow},
    fields::{Element, FINDINGS, Findings, Mapping},
    kind::{Kind, ResourceKey},
    naming::{check_name, shown},
    source::{Place, Source, split},
    template::{Wrong, meant_or_known},
    tree::{self, Content},
    written::{FreeText, Words},
};
use crate::limits::DOCUMENT_BYTES;

/// A document that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What names it.
    pub key: ResourceKey,
    /// Where its name stands.
    pub name_place: Place,
    /// Where its application's name stands; for an application, its own name.
    pub application_place: Place,
    /// Its text.
    pub source: Source,
    /// What it says.
    pub body: Body,
}

/// What a document says, by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Of an application.
    Application(Application),
    /// Of an environment.
    Environment(Environment),
    /// Of a service.
    Service(Box<Service>),
    /// Of an infrastructure.
    Infrastructure(Box<Infrastructure>),
    /// Of a workflow.
    Workflow(Box<Workflow>),
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Documents with nothing wrong in them, in the order of the file.
    pub manifests: Vec<Manifest>,
    /// Everything that is wrong with the others.
    pub diagnostics: Vec<Diagnostic>,
}

impl Manifest {
    /// The document's own text, to be stored.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// The workflow it is, if it is one.
    pub fn workflow(&self) -> Option<&Workflow> {
        if let Body::Workflow(workflow) = &self.body { Some(workflow) } else { None }
    }

    /// The service it is, if it is one.
    pub fn service(&self) -> Option<&Service> {
        if let Body::Service(service) = &self.body { Some(service) } else { None }
    }

    /// The environment it is, if it is one.
    pub fn environment(&self) -> Option<&Environment> {
        if let Body::Environment(environment) = &self.body { Some(environment) } else { None }
    }

    /// The infrastructure it is, if it is one.
    pub fn infrastructure(&self) -> Option<&Infrastructure> {
        if let Body::Infrastructure(infrastructure) = &self.body { Some(infrastructure) } else { None }
    }
}

/// Reads all documents of a file. `file` is its name for messages.
pub fn parse(file: &str, text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    if text.len() > DOCUMENT_BYTES {
        let message = format!("{} bytes of documents; at most {DOCUMENT_BYTES} are read", text.len());
        parsed.diagnostics.push(Diagnostic { file: file.to_owned(), ..Diagnostic::of_request("", message) });
        return parsed;
    }
    match split(file, text) {
        Ok(sources) => {
            for source in sources {
                match document(source) {
                    Ok(manifest) => parsed.manifests.push(manifest),
                    Err(findings) => parsed.diagnostics.extend(findings),
                }
            }
        }
        Err(problem) => parsed.diagnostics.push(*problem),
    }
    if let Some(more) = parsed.diagnostics.len().checked_sub(FINDINGS).filter(|more| *more > 0) {
        parsed.diagnostics.truncate(FINDINGS);
        let message = format!("{more} more findings in this file");
        parsed.diagnostics.push(Diagnostic { file: file.to_owned(), ..Diagnostic::of_request("", message) });
    }
    parsed
}

/// Reads a text that holds one document, as it is stored. `label` stands for its file in messages.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_one(label: &str, text: &str) -> Result<Manifest, Vec<Diagnostic>> {
    let Parsed { mut manifests, diagnostics } = parse(label, text);
    let one = |message: String| Diagnostic { file: label.to_owned(), ..Diagnostic::of_request("", message) };
    match (manifests.pop(), diagnostics.is_empty()) {
        (Some(manifest), true) if manifests.is_empty() => Ok(manifest),
        (Some(_), true) => Err(vec![one(format!("{} documents where there is to be one", manifests.len() + 1))]),
        (None, true) => Err(vec![one("there is no document".to_owned())]),
        (_, false) => Err(diagnostics),
    }
}

fn document(source: Source) -> Result<Manifest, Vec<Diagnostic>> {
    let root = tree::read(&source).map_err(|problem| vec![*problem])?;
    let findings = Findings::new(&source);
    let read = envelope(&Element::root(&root, &findings));
    let mut found = findings.into_list();
    found.sort_by_key(|finding| (finding.line, finding.column));
    match read {
        Some((key, name_place, application_place, body)) if found.is_empty() => {
            Ok(Manifest { key, name_place, application_place, source, body })
        }
        _ => Err(found),
    }
}

fn envelope(root: &Element<'_>) -> Option<(ResourceKey, Place, Place, Body)> {
    let kind = kind(root)?;
    let known: &'static [&'static str] = match kind {
        Kind::Application => &["kind", "name", "spec"],
        _ => &["kind", "name", "application", "spec"],
    };
    let fields = root.mapping(known)?;
    let name = name_in(&fields, "name");
    let application = if kind == Kind::Application { name.clone() } else { name_in(&fields, "application") };
    let body = body(kind, &fields);
    let ((name, name_place), (application, application_place)) = (name?, application?);
    Some((ResourceKey::new(kind, &application, &name), name_place, application_place, body?))
}

/// The kind says which fields there are, so it is read first, whatever else is wrong.
fn kind(root: &Element<'_>) -> Option<Kind> {
    const EXAMPLE: &str = "a document is a mapping of kind, name, application and spec";
    let Content::Mapping(_) = &root.node().content else {
        root.wrong(Wrong::new(format!("expected a mapping, found {}", root.node().what())).hint(EXAMPLE));
        return None;
    };
    let kinds = Kind::ALL.map(Kind::as_str);
    let Some((_, written)) = root.entries()?.into_iter().find(|(key, _)| key.value == "kind") else {
        root.findings().at(&root.key_place(), Wrong::new("\"kind\" is missing").hint(format!("known: {}", kinds.join(", "))));
        return None;
    };
    let text = written.text()?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == text.value);
    if kind.is_none() {
        let wrong = Wrong::new(format!("{} is not a kind of document", shown(&text.value)));
        root.findings().at(&text.place, wrong.hint(meant_or_known(&text.value, &kinds)));
    }
    kind
}

fn name_in(fields: &Mapping<'_>, field: &str) -> Option<(String, Place)> {
    let name = fields.value::<FreeText>(field)?;
    if let Err(wrong) = check_name(&name.value) {
        fields.element().findings().at(&name.place, wrong);
        return None;
    }
    Some((name.value, name.place))
}

fn body(kind: Kind, fields: &Mapping<'_>) -> Option<Body> {
    // An application needs no words; `spec:` with nothing behind it is as good as none.
    if kind == Kind::Application && fields.optional("spec").is_none() {
        return Some(Body::Application(Application::default()));
    }
    let spec = fields.required("spec")?;
    Some(match kind {
        Kind::Application => Body::Application(Application::read(&spec)?),
        Kind::Environment => Body::Environment(Environment::read(&spec)?),
        Kind::Service => Body::Service(Box::new(Service::read(&spec)?)),
        Kind::Infrastructure => Body::Infrastructure(Box::new(Infrastructure::read(&spec)?)),
        Kind::Workflow => Body::Workflow(Box::new(Workflow::read(&spec)?)),
    })
}

/// What every spec may hold: words for people.
pub(super) fn description(fields: &Mapping<'_>) -> Option<String> {
    let text = fields.optional("description")?.text()?;
    Some(text.value)
}

/// The name of another document.
pub(super) fn reference(fields: &Mapping<'_>, field: &str) -> Option<super::Located<String>> {
    fields.value::<Words>(field)
}
