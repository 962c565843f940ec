//! The lines themselves: of one stream, page by page in both directions, or of a whole group in the order of time.

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, group, invalid, limit, page, text},
    page,
    state::Event,
};
use crate::sim::{context::Context, error::ApiError};

/// Events that an answer holds at most, and unless it is asked for fewer.
const MOST: usize = 10_000;

pub(super) fn get(input: &Input, context: &mut Context<'_>) -> Answer {
    let size = limit(input, MOST, MOST)?;
    let name = text(input, "logStreamName").ok_or_else(|| invalid("logStreamName must not be null"))?;
    let (_, group) = group(input, context)?;
    let stream = group.streams.get(name).ok_or_else(no_stream)?;
    let asked = asked(input);
    // Events come in the order of time: those that are asked for lie together.
    let inside: Vec<usize> = (0..stream.events.len()).filter(|index| asked(&stream.events[*index])).collect();
    let first = inside.first().map_or(stream.lost + stream.events.len(), |index| stream.lost + index);
    let last = inside.last().map_or(first, |index| stream.lost + index + 1);
    let from_head = input.get("startFromHead").and_then(Value::as_bool) == Some(true);
    let page = page::page(text(input, "nextToken"), from_head, size, first, last)
        .ok_or_else(|| invalid("The specified nextToken is invalid."))?;
    let events: Vec<Value> = (page.start..page.end)
        .filter_map(|number| stream.events.get(number - stream.lost))
        .map(|event| json!({"timestamp": event.at, "message": event.message, "ingestionTime": event.at}))
        .collect();
    Ok(json!({"events": events, "nextForwardToken": page.forward(), "nextBackwardToken": page.backward()}))
}

pub(super) fn filter(input: &Input, context: &mut Context<'_>) -> Answer {
    let size = limit(input, MOST, MOST)?;
    let terms = terms(text(input, "filterPattern").unwrap_or_default())?;
    let names: Option<Vec<&str>> =
        input.get("logStreamNames").and_then(Value::as_array).map(|names| names.iter().filter_map(Value::as_str).collect());
    let prefix = text(input, "logStreamNamePrefix");
    if names.is_some() && prefix.is_some() {
        return Err(invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters."));
    }
    let (_, group) = group(input, context)?;
    if names.iter().flatten().any(|name| !group.streams.contains_key(*name)) {
        return Err(no_stream());
    }
    let searched = |name: &str| {
        names.as_ref().is_none_or(|names| names.contains(&name)) && prefix.is_none_or(|prefix| name.starts_with(prefix))
    };
    let asked = asked(input);
    let mut found: Vec<(&Event, &String)> = Vec::new();
    for (name, stream) in group.streams.iter().filter(|(name, _)| searched(name)) {
        let matching = stream.events.iter().filter(|event| asked(event) && terms.iter().all(|term| event.message.contains(term)));
        found.extend(matching.map(|event| (event, name)));
    }
    found.sort_by_key(|(event, _)| (event.at, event.number));
    let events = found.into_iter().map(|(event, name)| {
        json!({
            "logStreamName": name, "timestamp": event.at, "message": event.message, "ingestionTime": event.at,
            "eventId": format!("{:020}{:036}", event.at, event.number),
        })
    });
    let mut answer = page(input, events.collect(), size, "events")?;
    // AWS's answer has had this list, always empty, since 2019.
    answer["searchedLogStreams"] = json!([]);
    Ok(answer)
}

/// Whether an event lies in the time that is asked for: its start belongs to it, its end does not.
fn asked(input: &Input) -> impl Fn(&Event) -> bool + use<> {
    let time = |name: &str| input.get(name).and_then(Value::as_u64);
    let (start, end) = (time("startTime"), time("endTime"));
    move |event| start.is_none_or(|start| event.at >= start) && end.is_none_or(|end| event.at < end)
}

/// The terms of a filter pattern, all of which a line must hold: words, and phrases in quotes.
fn terms(pattern: &str) -> Result<Vec<String>, ApiError> {
    if pattern.contains(['{', '[', '?', '%']) || pattern.split_whitespace().any(|word| word.starts_with('-')) {
        return Err(invalid("Invalid filter pattern: the simulator knows words and \"phrases in quotes\" only."));
    }
    let pieces = pattern.split('"').enumerate();
    let terms = pieces.flat_map(|(index, piece)| {
        // Every second piece stands in quotes.
        if index % 2 == 1 { vec![piece.to_owned()] } else { piece.split_whitespace().map(str::to_owned).collect() }
    });
    Ok(terms.filter(|term| !term.is_empty()).collect())
}

fn no_stream() -> ApiError {
    ApiError::new("ResourceNotFoundException", "The specified log stream does not exist.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_words_and_phrases() {
        assert_eq!(terms("ERROR \"exit code\" 7"), Ok(vec!["ERROR".to_owned(), "exit code".to_owned(), "7".to_owned()]));
        assert_eq!(terms(""), Ok(Vec::new()));
        for other in ["{ $.a = 1 }", "?a ?b", "-INFO"] {
            assert!(terms(other).is_err(), "{other}");
        }
    }
}
