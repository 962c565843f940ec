//! Which of the lines that a delegate sends are new. The number decides: nothing is taken twice, nothing is left out silently.

use domain::log::{LogLevel, LogLine};

use super::error::LogError;

/// The longest line, in bytes. What comes over the wire was cut far below this.
const LINE_BYTES: usize = 256 * 1024;

/// What to append to the log of an attempt that expects number `next`. Nothing if the lines were taken before, or if some in front
/// of them are missing that the delegate still has.
pub(super) fn accept(next: u64, lines: Vec<LogLine>, dropped: u64) -> Result<Vec<LogLine>, LogError> {
    check(&lines)?;
    let Some(first) = lines.first() else { return Ok(lines) };
    let missing = first.number.saturating_sub(next);
    if missing > dropped {
        return Ok(Vec::new());
    }
    let gap = (missing > 0).then(|| lost(next, missing, first.at_ms));
    let new = lines.into_iter().filter(|line| line.number >= next);
    Ok(gap.into_iter().chain(new).collect())
}

/// The number expected after `lines`, if `next` was before.
pub(super) fn next_after(next: u64, lines: &[LogLine]) -> u64 {
    lines.last().map_or(next, |line| line.number + 1)
}

fn check(lines: &[LogLine]) -> Result<(), LogError> {
    let malformed = |what| Err(LogError::Malformed { what });
    if lines.windows(2).any(|pair| pair[0].number.checked_add(1) != Some(pair[1].number)) {
        return malformed("their numbers have holes");
    }
    if lines.iter().any(|line| line.number == u64::MAX) {
        return malformed("their numbers have no end");
    }
    if lines.iter().any(|line| line.text.len() > LINE_BYTES) {
        return malformed("one is too long");
    }
    Ok(())
}

/// Stands for lines that the delegate could not keep. Has the number of the first of them.
fn lost(number: u64, count: u64, at_ms: i64) -> LogLine {
    let lines = if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
    let text = format!("[{lines} lost here: the delegate's memory for logs was full]");
    LogLine { number, at_ms, level: LogLevel::Warn, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(numbers: impl IntoIterator<Item = u64>) -> Vec<LogLine> {
        let line = |number| LogLine { number, at_ms: 7, level: LogLevel::Info, text: format!("line {number}") };
        numbers.into_iter().map(line).collect()
    }

    #[test]
    fn only_new_lines_are_taken() {
        assert_eq!(accept(0, lines(0..3), 0), Ok(lines(0..3)));
        assert_eq!(accept(2, lines(0..4), 0), Ok(lines(2..4)));
        assert_eq!(accept(5, lines(0..4), 0), Ok(vec![]));
        assert_eq!(accept(5, vec![], 3), Ok(vec![]));
        assert_eq!((next_after(5, &[]), next_after(5, &lines(5..8))), (5, 8));
    }

    #[test]
    fn a_hole_is_taken_only_if_the_delegate_says_so_and_then_told() {
        assert_eq!(accept(2, lines(3..5), 0), Ok(vec![]));
        assert_eq!(accept(2, lines(7..9), 4), Ok(vec![]));
        // What was dropped may have been taken before in part.
        for dropped in [5, 6] {
            let taken = accept(2, lines(7..9), dropped).expect("are taken");
            assert_eq!((taken[0].number, taken[0].level, taken[0].at_ms), (2, LogLevel::Warn, 7));
            assert_eq!(taken[0].text, "[5 lines lost here: the delegate's memory for logs was full]");
            assert_eq!(taken[1..], lines(7..9));
        }
        assert_eq!(accept(9, lines(7..10), 4), Ok(lines(9..10)));
        assert!(accept(6, lines(7..9), 1).expect("are taken")[0].text.starts_with("[1 line lost"));
    }

    #[test]
    fn what_is_no_log_is_refused() {
        assert!(accept(0, lines([0, 2]), 9).is_err());
        assert!(accept(0, lines([1, 0]), 9).is_err());
        assert!(accept(0, lines([u64::MAX - 1, u64::MAX]), u64::MAX).is_err());
        let long = LogLine { text: "x".repeat(LINE_BYTES + 1), ..lines([0]).remove(0) };
        assert!(accept(0, vec![long], 0).is_err());
    }
}
