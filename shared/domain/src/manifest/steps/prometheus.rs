//! `prometheusCheck`.

use std::collections::BTreeMap;

use super::http_check::headers;
use crate::{
    manifest::{
        fields::{Element, Mapping},
        template::{Template, Written, Wrong},
        written::{Duration, FreeText, Url, Words},
    },
    step::Number,
};

/// *Prometheus Check* as a document says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusDocument {
    /// Where Prometheus is.
    pub url: Template<Url>,
    /// What is asked.
    pub query: Template<FreeText>,
    /// What the answer is held against.
    pub bound: BoundDocument,
    /// For how long without a break. None: a minute.
    pub hold: Option<Template<Duration>>,
    /// Pause between two questions. None: 10 s.
    pub interval: Option<Template<Duration>>,
    /// How long to go on asking. None: five minutes.
    pub within: Option<Template<Duration>>,
    /// Headers that are sent along.
    pub headers: BTreeMap<String, Template<Words>>,
}

/// What the answer is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoundDocument {
    /// `below`.
    Below(Template<Decimal>),
    /// `above`.
    Above(Template<Decimal>),
    /// `between`: two numbers.
    Between(Template<Decimal>, Template<Decimal>),
}

/// A finite number.
pub enum Decimal {}

impl Written for Decimal {
    type Value = Number;

    fn read(text: &str) -> Result<Number, Wrong> {
        Number::parse(text).map_err(|error| Wrong::new(error.to_string()).hint("as 0.01, -3 or 1e6"))
    }
}

impl PrometheusDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&["url", "query", "below", "above", "between", "for", "interval", "within", "headers"])?;
        let (url, query, bound) = (fields.template("url"), fields.template("query"), bound(&fields));
        let hold = fields.optional_template("for");
        let interval = fields.optional_template("interval");
        let within = fields.optional_template("within");
        let headers = headers(&fields);
        // Only now: everything that is wrong was found.
        Some(Self { url: url?, query: query?, bound: bound?, hold, interval, within, headers })
    }
}

fn bound(fields: &Mapping<'_>) -> Option<BoundDocument> {
    const KNOWN: &str = "below: 0.01, above: 10 or between: [1, 5]";
    let given: Vec<_> = ["below", "above", "between"].into_iter().filter_map(|name| fields.optional(name)).collect();
    match &given[..] {
        [_] => {}
        [] => {
            let wrong = Wrong::new("what the answer is held against is missing").hint(KNOWN);
            fields.element().findings().at(&fields.element().key_place(), wrong);
            return None;
        }
        [_, second, ..] => {
            let wrong = Wrong::new("one check holds its answer against one bound").hint(format!("one of {KNOWN}"));
            second.findings().at(&second.key_place(), wrong);
            return None;
        }
    }
    if let Some(below) = fields.optional("below") {
        return Some(BoundDocument::Below(below.template()?));
    }
    if let Some(above) = fields.optional("above") {
        return Some(BoundDocument::Above(above.template()?));
    }
    let between = fields.optional("between")?;
    let numbers: Vec<Option<Template<Decimal>>> = between.list()?.iter().map(Element::template).collect();
    let [least, most] = <[_; 2]>::try_from(numbers)
        .map_err(|_| between.wrong(Wrong::new("\"between\" is a list of two numbers: the least and the most").hint(KNOWN)))
        .ok()?;
    Some(BoundDocument::Between(least?, most?))
}
