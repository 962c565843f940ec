//! `httpCheck`.

use std::collections::BTreeMap;

use crate::manifest::{
    fields::{Element, Mapping},
    naming::shown,
    template::{Template, Wrong},
    written::{Duration, FreeText, HttpStatus, Url, UrlPath, Whole, Words},
};

/// *HTTP Check* as a document says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCheckDocument {
    /// What is asked.
    pub target: HttpTargetDocument,
    /// Statuses that count as good. Empty: 200 to 299.
    pub status: Vec<Template<HttpStatus>>,
    /// A text that the body must contain.
    pub body_contains: Option<Template<FreeText>>,
    /// Headers that the answer must have.
    pub headers: BTreeMap<String, Template<Words>>,
    /// The longest an answer may take. None: 5 s.
    pub max_latency: Option<Template<Duration>>,
    /// Good answers wanted in a row. None: 3.
    pub consecutive: Option<Template<Whole>>,
    /// Pause between two questions. None: 1 s.
    pub interval: Option<Template<Duration>>,
    /// How long to go on asking. None: 60 s.
    pub within: Option<Template<Duration>>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpTargetDocument {
    /// A path, through the setup's stage listener.
    Stage(Template<UrlPath>),
    /// A path, through the setup's production listener.
    Production(Template<UrlPath>),
    /// A URL.
    Url(Template<Url>),
}

impl HttpCheckDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&[
            "stage",
            "production",
            "url",
            "status",
            "bodyContains",
            "headers",
            "maxLatency",
            "consecutive",
            "interval",
            "within",
        ])?;
        let target = target(&fields);
        let status = match fields.optional("status") {
            Some(one) if !one.is_list() => one.template().into_iter().collect(),
            list => list.map(|list| list.templates()).unwrap_or_default(),
        };
        let read = Self {
            status,
            body_contains: fields.optional_template("bodyContains"),
            headers: headers(&fields),
            max_latency: fields.optional_template("maxLatency"),
            consecutive: fields.optional_template("consecutive"),
            interval: fields.optional_template("interval"),
            within: fields.optional_template("within"),
            target: target?,
        };
        Some(read)
    }
}

fn target(fields: &Mapping<'_>) -> Option<HttpTargetDocument> {
    const KNOWN: &str = "stage: /path, production: /path or url: http://...";
    let given: Vec<_> = ["stage", "production", "url"].into_iter().filter_map(|name| fields.optional(name)).collect();
    match &given[..] {
        [_] => {}
        [] => {
            let wrong = Wrong::new("what to ask is missing").hint(KNOWN);
            fields.element().findings().at(&fields.element().key_place(), wrong);
            return None;
        }
        [_, second, ..] => {
            let wrong = Wrong::new("one check asks one thing").hint(format!("one of {KNOWN}"));
            second.findings().at(&second.key_place(), wrong);
            return None;
        }
    }
    if let Some(stage) = fields.optional("stage") {
        return Some(HttpTargetDocument::Stage(stage.template()?));
    }
    if let Some(production) = fields.optional("production") {
        return Some(HttpTargetDocument::Production(production.template()?));
    }
    Some(HttpTargetDocument::Url(fields.optional("url")?.template()?))
}

pub(super) fn headers(fields: &Mapping<'_>) -> BTreeMap<String, Template<Words>> {
    let mut headers = BTreeMap::new();
    for (name, value) in fields.optional("headers").and_then(|headers| headers.entries()).unwrap_or_default() {
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.value.is_empty() || !name.value.chars().all(token) {
            let wrong = Wrong::new(format!("{} is not the name of a header", shown(&name.value)));
            value.findings().at(&name.place, wrong);
        } else if let Some(text) = value.template() {
            headers.insert(name.value, text);
        }
    }
    headers
}
