//! `failureStrategies`: what is done when a step fails, for a step, a phase or the whole workflow.
//!
//! ```yaml
//! failureStrategies:
//!   - on: [verification, timeout]        # left away: every kind of failure
//!     action: retry
//!     retry: {count: 2, intervals: [10s]}
//!     then: {action: manualIntervention, timeout: 30m, then: abort}
//! ```

use super::{
    fields::{Element, Mapping},
    naming::shown,
    steps::RetryDocument,
    template::{Wrong, meant_or_known},
    written::{Duration, FreeText},
};
use crate::{
    failure::FailureKind,
    retry::RetryPolicy,
    step::StepKind,
    strategy::{FailureAction, FailureStrategy},
};

/// How long a person is waited for when the document does not say, in seconds: a day.
const ANSWER_SECONDS: u64 = 24 * 60 * 60;

const ACTIONS: [&str; 6] = ["rollback", "retry", "ignore", "manualIntervention", "abort", "fail"];

/// Where an action stands, which decides what it may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    AfterRetries,
    AfterWaiting,
}

/// The strategies of a step, a phase or a workflow; `of` is the step's kind. What is wrong is noted.
pub(super) fn failure_strategies(fields: &Mapping<'_>, of: Option<StepKind>) -> Vec<FailureStrategy> {
    let list = fields.optional("failureStrategies").and_then(|element| element.list()).unwrap_or_default();
    let mut read: Vec<FailureStrategy> = Vec::with_capacity(list.len());
    for element in &list {
        if read.last().is_some_and(|before| before.on.is_empty()) {
            element.wrong(Wrong::new("this strategy is never reached: the one before it speaks of every kind of failure"));
        }
        read.extend(strategy(element, of));
    }
    read
}

fn strategy(element: &Element<'_>, of: Option<StepKind>) -> Option<FailureStrategy> {
    let fields = element.mapping(&["on", "action", "retry", "timeout", "then"])?;
    let on = fields.optional("on").map(|on| kinds(&on));
    if of == Some(StepKind::Wait) {
        element.wrong(Wrong::new("a wait does not fail, so a failure strategy is never used"));
    }
    let action = action(&fields, Place::First, of)?;
    Some(FailureStrategy { on: on.unwrap_or_default(), action })
}

fn kinds(element: &Element<'_>) -> Vec<FailureKind> {
    let Some(list) = element.list() else { return Vec::new() };
    if list.is_empty() {
        element.wrong(Wrong::new("the list is empty, so no failure is meant").hint("leave \"on\" away for every kind"));
    }
    list.iter().filter_map(kind).collect()
}

fn kind(element: &Element<'_>) -> Option<FailureKind> {
    let text = element.value::<FreeText>()?;
    let found = FailureKind::ALL.into_iter().find(|kind| kind.as_str() == text.value);
    if found.is_none() {
        let wrong = Wrong::new(format!("{} is no kind of failure", shown(&text.value)));
        let known = FailureKind::ALL.map(FailureKind::as_str);
        element.findings().at(&text.place, wrong.hint(meant_or_known(&text.value, &known)));
    }
    found
}

fn action(fields: &Mapping<'_>, place: Place, of: Option<StepKind>) -> Option<FailureAction> {
    let word = fields.value::<FreeText>("action")?;
    let read = of_word(&word.value, fields, place, of);
    if let Err(wrong) = &read {
        fields.element().findings().at(&word.place, wrong.clone());
    }
    unused(fields, &word.value);
    read.ok()
}

/// `then`: a word, or a mapping of its own where the word needs more.
fn then(fields: &Mapping<'_>, place: Place, of: Option<StepKind>) -> Box<FailureAction> {
    let read = fields.optional("then").and_then(|then| {
        if then.is_mapping() {
            return action(&then.mapping(&["action", "timeout", "then"])?, place, of);
        }
        let word = then.value::<FreeText>()?;
        let plain = plain(&word.value, place, of);
        match plain {
            Ok(action) => Some(action),
            Err(wrong) => {
                then.findings().at(&word.place, wrong);
                None
            }
        }
    });
    Box::new(read.unwrap_or(FailureAction::RollBack))
}

fn of_word(word: &str, fields: &Mapping<'_>, place: Place, of: Option<StepKind>) -> Result<FailureAction, Wrong> {
    match word {
        "retry" if place == Place::First => {
            let policy = fields.optional("retry").and_then(|retry| RetryDocument::read(&retry));
            let policy = policy.map_or_else(RetryPolicy::transient, |retry| RetryPolicy { delays_ms: retry.delays_ms });
            Ok(FailureAction::Retry { policy, then: then(fields, Place::AfterRetries, of) })
        }
        "manualIntervention" if place != Place::AfterWaiting => {
            let timeout = fields.optional_value::<Duration>("timeout");
            let timeout_seconds = timeout.map_or(ANSWER_SECONDS, |timeout| timeout.value.div_ceil(1_000));
            Ok(FailureAction::ManualIntervention { timeout_seconds, then: then(fields, Place::AfterWaiting, of) })
        }
        word => plain(word, place, of),
    }
}

/// An action that needs nothing but its word.
fn plain(word: &str, place: Place, of: Option<StepKind>) -> Result<FailureAction, Wrong> {
    match word {
        "rollback" => Ok(FailureAction::RollBack),
        "abort" => Ok(FailureAction::Abort),
        "fail" => Ok(FailureAction::Fail),
        "ignore" if of.is_some_and(|kind| kind.undo_title().is_some()) => {
            Err(Wrong::new("a step that changes something can't be passed over: later steps build on it")
                .hint("rollback, retry, manualIntervention, abort or fail"))
        }
        "ignore" => Ok(FailureAction::Ignore),
        "manualIntervention" if place == Place::AfterRetries => {
            Ok(FailureAction::ManualIntervention { timeout_seconds: ANSWER_SECONDS, then: Box::new(FailureAction::RollBack) })
        }
        "retry" => Err(Wrong::new("retries can't follow retries or a wait for a person").hint("raise \"count\" instead")),
        "manualIntervention" => Err(Wrong::new("a wait for a person can't follow another one").hint("raise \"timeout\" instead")),
        other => {
            let wrong = Wrong::new(format!("{} is nothing that can be done about a failure", shown(other)));
            Err(wrong.hint(meant_or_known(other, &ACTIONS)))
        }
    }
}

/// Fields that the action has no use for: whoever wrote them expects something that does not happen.
fn unused(fields: &Mapping<'_>, word: &str) {
    for (field, used) in [
        ("retry", word == "retry"),
        ("timeout", word == "manualIntervention"),
        ("then", matches!(word, "retry" | "manualIntervention")),
    ] {
        if let Some(element) = fields.optional(field).filter(|_| !used && ACTIONS.contains(&word)) {
            element.wrong(Wrong::new(format!("{word} has no use for {field:?}")));
        }
    }
}
