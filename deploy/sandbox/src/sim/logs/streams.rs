//! Log streams: told in the order of their names or of their last lines.

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, group, invalid, limit, page, text},
    state::Stream,
};
use crate::sim::context::Context;

pub(super) fn describe(input: &Input, context: &mut Context<'_>) -> Answer {
    let size = limit(input, 50, 50)?;
    let by_time = match text(input, "orderBy") {
        None | Some("LogStreamName") => false,
        Some("LastEventTime") => true,
        Some(other) => {
            return Err(invalid(format!(
                "1 validation error detected: Value '{other}' at 'orderBy' failed to satisfy constraint: Member must satisfy enum value \
                 set: [LogStreamName, LastEventTime]"
            )));
        }
    };
    let prefix = text(input, "logStreamNamePrefix");
    if by_time && prefix.is_some() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let arn = context.arn("logs", "log-group:");
    let (name, group) = group(input, context)?;
    let mut streams: Vec<(&String, &Stream)> =
        group.streams.iter().filter(|(name, _)| prefix.is_none_or(|prefix| name.starts_with(prefix))).collect();
    if by_time {
        // One without a line comes as if it had never had one.
        streams.sort_by_key(|(_, stream)| stream.events.back().map(|event| event.at));
    }
    if input.get("descending").and_then(Value::as_bool) == Some(true) {
        streams.reverse();
    }
    let all = streams.into_iter().map(|(stream, kept)| shape(&format!("{arn}{name}"), stream, kept)).collect();
    page(input, all, size, "logStreams")
}

fn shape(group_arn: &str, name: &str, stream: &Stream) -> Value {
    let mut shape = json!({
        "logStreamName": name,
        "creationTime": stream.created_at,
        "arn": format!("{group_arn}:log-stream:{name}"),
        "storedBytes": 0,
    });
    if let (Some(first), Some(last)) = (stream.events.front(), stream.events.back()) {
        shape["firstEventTimestamp"] = first.at.into();
        shape["lastEventTimestamp"] = last.at.into();
        shape["lastIngestionTime"] = last.at.into();
        shape["uploadSequenceToken"] = format!("{:056}", stream.lost + stream.events.len()).into();
    }
    shape
}
