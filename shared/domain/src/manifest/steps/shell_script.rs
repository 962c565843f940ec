//! `shellScript`.

use std::collections::BTreeMap;

use crate::manifest::{
    fields::{Element, Mapping},
    naming::shown,
    source::Located,
    template::{Template, Wrong},
    written::{Duration, FreeText, YesNo},
};

/// The longest script, in bytes: it is part of the plan.
const SCRIPT_BYTES: usize = 32 * 1024;
/// Variables that begin so are Segue's own.
const OWN: &str = "SEGUE_";

/// *Shell Script* as a document says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptDocument {
    /// The script, as it is written: the shell's `${...}` are no expressions. What it needs to know comes in by `env`.
    pub script: Located<String>,
    /// How long it may run. None: ten minutes.
    pub timeout: Option<Template<Duration>>,
    /// Variables of its environment.
    pub env: BTreeMap<String, Template<FreeText>>,
    /// Whether it may be run again after it was cut off. None: no.
    pub idempotent: Option<Template<YesNo>>,
}

impl ScriptDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&["script", "timeout", "env", "idempotent"])?;
        let script = fields.required("script").and_then(|script| {
            let text = script.text()?;
            let wrong = if text.value.trim().is_empty() {
                "the script is empty".to_owned()
            } else if text.value.len() > SCRIPT_BYTES {
                format!("the script has {} bytes; at most {SCRIPT_BYTES}", text.value.len())
            } else if text.value.contains('\0') {
                "the script holds a byte of 0".to_owned()
            } else {
                return Some(text);
            };
            script.wrong(Wrong::new(wrong));
            None
        });
        let timeout = fields.optional_template("timeout");
        let env = variables(&fields);
        let idempotent = fields.optional_template("idempotent");
        // Only now: everything that is wrong was found.
        Some(Self { script: script?, timeout, env, idempotent })
    }
}

fn variables(fields: &Mapping<'_>) -> BTreeMap<String, Template<FreeText>> {
    let mut variables = BTreeMap::new();
    for (name, value) in fields.optional("env").and_then(|env| env.entries()).unwrap_or_default() {
        let first = name.value.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        let wrong = if !first || !name.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            Wrong::new(format!("{} is not the name of an environment variable", shown(&name.value)))
        } else if name.value.starts_with(OWN) {
            Wrong::new(format!("variables that begin with {OWN} are set by Segue")).hint("choose another name")
        } else {
            variables.extend(value.template().map(|text| (name.value, text)));
            continue;
        };
        value.findings().at(&name.place, wrong);
    }
    variables
}
