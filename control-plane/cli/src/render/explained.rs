//! Who could take what a deployment wants now, and why the others could not.

use domain::console::visible;
use serde::Serialize;

use super::{Look, table::table};

/// The explanation, as it is printed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    /// Name of the step that is worked on or wanted; empty while only time or a person is waited for.
    pub step: String,
    /// How each delegate stands towards it.
    pub delegates: Vec<Verdict>,
}

/// How one delegate stands.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// `dlg_...`
    pub id: String,
    /// Its name.
    pub name: String,
    /// It works on the step now.
    pub holds: bool,
    /// Whether it may take it.
    pub eligible: bool,
    /// Why not; empty if it may.
    pub objection: String,
    /// How many tasks it holds.
    pub tasks: u32,
}

impl From<proto::api::WhyResponse> for Explained {
    fn from(wire: proto::api::WhyResponse) -> Self {
        let delegates = wire.delegates.into_iter().map(|verdict| Verdict {
            id: verdict.id,
            name: verdict.name,
            holds: verdict.holds,
            eligible: verdict.objection.is_empty(),
            objection: verdict.objection,
            tasks: verdict.tasks,
        });
        Self { step: wire.step, delegates: delegates.collect() }
    }
}

/// The explanation as a table under a sentence.
pub fn explained(explained: &Explained, look: Look) -> String {
    let sentence = match explained.step.as_str() {
        "" => "No delegate is wanted now: the deployment waits for its turn, for time, or for a person.\n".to_owned(),
        step => format!("Step {}:\n", visible(step)),
    };
    if explained.delegates.is_empty() {
        return sentence + "\nNo delegate has joined yet.\n\nLet one join: segue delegate token create\n";
    }
    let rows = explained.delegates.iter().map(|verdict| {
        let verdict_word = match (verdict.holds, verdict.eligible) {
            (true, _) => "works on it".to_owned(),
            (false, true) => "could take it".to_owned(),
            (false, false) => verdict.objection.clone(),
        };
        vec![verdict.name.clone(), verdict_word, verdict.tasks.to_string(), verdict.id.clone()]
    });
    sentence + "\n" + &table(&["NAME", "VERDICT", "TASKS", "ID"], rows, look.width)
}
