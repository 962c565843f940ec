//! What is not YAML, in words for the person who wrote it.

use serde_saphyr::{Error, Location, MessageFormatter, UserMessageFormatter};

use super::read::position;
use crate::manifest::{diagnostic::Diagnostic, naming::shown, source::Source};

/// The finding for a reader's error.
pub(super) fn of(error: &Error, source: &Source) -> Diagnostic {
    let at = position(error.location().unwrap_or(Location::UNKNOWN));
    let (message, hint) = words(error);
    source.finding_at(at, "", message).maybe_hint(hint)
}

fn words(error: &Error) -> (String, Option<String>) {
    let hint = |text: &str| Some(text.to_owned());
    match error.without_snippet() {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            (format!("{} is there twice", shown(key)), hint("one of the two would be lost"))
        }
        Error::DuplicateMappingKey { key: None, .. } => ("a key is there twice".to_owned(), None),
        Error::UnknownAnchor { .. } => {
            ("an alias of an anchor that does not exist".to_owned(), hint("quote a text that begins with *"))
        }
        Error::NullIntoString { .. } => ("a key is missing before \":\"".to_owned(), None),
        Error::AliasError { error, .. } => words(error),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => (
            "the document is too large, too deep or repeats too much of itself through aliases".to_owned(),
            hint("divide it, or write less of it with anchors"),
        ),
        other => {
            let text = UserMessageFormatter.format_message(other).into_owned();
            // Some messages end with the place, which stands in front of ours already.
            let text = text.split(" at line ").next().unwrap_or_default().trim_end_matches([' ', ',', ':']).to_owned();
            (format!("not YAML: {text}"), hint("a text with \": \", \" #\" or a leading [ { * & ! % @ ` needs quotes"))
        }
    }
}
