//! Log lines, on their way up from a delegate and out to a reader.

use domain::log::{LogLevel, LogLine};

use super::Malformed;
use crate::delegate;

/// A line as a delegate ships it.
pub fn line_to_wire(line: &LogLine) -> delegate::LogLine {
    let level = match line.level {
        LogLevel::Info => delegate::LogLevel::Info,
        LogLevel::Warn => delegate::LogLevel::Warn,
        LogLevel::Error => delegate::LogLevel::Error,
    };
    delegate::LogLine { at_ms: line.at_ms, level: level.into(), text: line.text.clone() }
}

/// The lines of a chunk, numbered. A text that is too long is cut, a line break in it becomes a space: a line is a line.
///
/// # Errors
/// When there are more lines than a chunk may have, or their numbers overflow.
pub fn lines_from_wire(chunk: delegate::LogChunk) -> Result<Vec<LogLine>, Malformed> {
    if chunk.lines.len() > domain::limits::LOG_CHUNK_LINES {
        return Err(Malformed::new("lines", format!("{} lines; at most {}", chunk.lines.len(), domain::limits::LOG_CHUNK_LINES)));
    }
    let mut lines = Vec::with_capacity(chunk.lines.len());
    for (number, line) in (chunk.first..).zip(chunk.lines) {
        let level = match line.level() {
            delegate::LogLevel::Error => LogLevel::Error,
            delegate::LogLevel::Warn => LogLevel::Warn,
            delegate::LogLevel::Info | delegate::LogLevel::Unspecified => LogLevel::Info,
        };
        lines.push(LogLine { number, at_ms: line.at_ms, level, text: one_line(line.text) });
    }
    Ok(lines)
}

fn one_line(mut text: String) -> String {
    if text.len() > domain::limits::LOG_LINE_BYTES {
        let mut end = domain::limits::LOG_LINE_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(" [cut]");
    }
    if text.contains(['\n', '\r']) { text.replace(['\n', '\r'], " ") } else { text }
}

/// The name of a level in the API.
pub fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

/// The level of that name; unknown ones count as information.
pub fn level_of(name: &str) -> LogLevel {
    match name {
        "warn" => LogLevel::Warn,
        "error" => LogLevel::Error,
        _ => LogLevel::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_cut_and_kept_on_one_line() {
        let chunk = delegate::LogChunk {
            task: String::new(),
            first: 5,
            dropped: 0,
            lines: vec![
                line_to_wire(&LogLine { number: 5, at_ms: 1, level: LogLevel::Warn, text: "a\r\nb".into() }),
                line_to_wire(&LogLine { number: 6, at_ms: 2, level: LogLevel::Info, text: "ü".repeat(10_000) }),
            ],
        };
        let lines = lines_from_wire(chunk).expect("two lines");
        assert_eq!((lines[0].number, lines[0].text.as_str(), lines[0].level), (5, "a  b", LogLevel::Warn));
        assert_eq!(lines[1].number, 6);
        assert!(lines[1].text.ends_with("ü [cut]") && lines[1].text.len() <= domain::limits::LOG_LINE_BYTES + 6);
    }
}
