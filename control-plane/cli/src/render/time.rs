//! Times and durations as people read them.

/// A time in UTC.
pub fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// How long something took: `9.5 s`, `3 min 20 s`, `2 h 05 min`.
pub fn seconds(ms: i64) -> String {
    let tenths = (ms.max(0) + 50) / 100;
    let whole = tenths / 10;
    match whole {
        0..60 => format!("{whole}.{} s", tenths % 10),
        60..3_600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3_600, whole / 60 % 60),
    }
}

/// A short time: `7 ms`, from a second on as [`seconds`].
pub fn milliseconds(ms: u64) -> String {
    match i64::try_from(ms) {
        Ok(ms @ 0..1_000) => format!("{ms} ms"),
        ms => seconds(ms.unwrap_or(i64::MAX / 2)),
    }
}

/// The same between two times, empty while one is missing.
pub fn between(from_ms: Option<i64>, to_ms: Option<i64>) -> String {
    from_ms.zip(to_ms).map_or_else(String::new, |(from, to)| seconds(to - from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_fine_as_they_matter() {
        for (ms, shown) in [(0, "0.0 s"), (49, "0.0 s"), (9_460, "9.5 s"), (59_949, "59.9 s"), (59_950, "1 min 00 s")] {
            assert_eq!(seconds(ms), shown, "{ms}");
        }
        assert_eq!(
            (seconds(200_000), seconds(7_500_000), seconds(-1)),
            ("3 min 20 s".into(), "2 h 05 min".into(), "0.0 s".into())
        );
    }

    #[test]
    fn a_time_is_in_utc() {
        assert_eq!(time(crate::render::fixture::START_MS), "2026-11-23 10:00:00Z");
    }
}
