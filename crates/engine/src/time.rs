//! Points in time, as seconds since 1970 and as text.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use std::time::{Duration, SystemTime};

/// Returns the current time in seconds since 1970.
pub(crate) fn now() -> u64 {
    #[expect(clippy::expect_used, reason = "with a time of 0, links would never expire")]
    u64::try_from(DateTime::from(SystemTime::now()).secs()).expect("the clock is past 1970")
}

/// Returns the number of seconds since a point in time; 0 if it is to come.
pub(crate) fn seconds_since(second: u64) -> f64 {
    Duration::from_secs(now().saturating_sub(second)).as_secs_f64()
}

/// Returns the current time in the format of Step Functions.
pub(crate) fn now_as_text() -> String {
    #[expect(clippy::expect_used, reason = "a clock that is off by millennia cannot be worked with")]
    DateTime::from(SystemTime::now()).fmt(Format::DateTime).expect("the clock is within the years 1 to 9999")
}

/// Parses a time in the format of Step Functions; returns `None` for other texts.
pub(crate) fn second(text: &str) -> Option<u64> {
    let time = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
    u64::try_from(time.secs()).ok()
}

/// Formats a time in the format of Step Functions.
pub(crate) fn text(second: u64) -> String {
    let time = i64::try_from(second).ok().and_then(|second| DateTime::from_secs(second).fmt(Format::DateTime).ok());
    time.unwrap_or_default()
}

/// Formats the day of a time: `2026-11-20`, in UTC. Days are in the order of their texts.
pub(crate) fn day(second: u64) -> String {
    text(second).chars().take("2026-11-20".len()).collect()
}

/// Formats a time for humans: `2026-11-20 13:05 UTC`.
pub(crate) fn minute(second: u64) -> String {
    let text = text(second);
    text.get(..16).map_or_else(|| "a distant date".to_owned(), |minute| format!("{} UTC", minute.replace('T', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_parsed_and_formatted() {
        let seconds = second("2026-11-20T13:05:07.123Z").unwrap();
        assert_eq!(minute(seconds), "2026-11-20 13:05 UTC");
        assert_eq!(day(seconds), "2026-11-20");
        assert_eq!(second("2026-11-20T14:05:07+01:00"), Some(seconds));
        assert_eq!(second("yesterday"), None);
        assert_eq!(minute(u64::MAX), "a distant date");
        assert!(second(&now_as_text()).is_some_and(|then| now().abs_diff(then) < 5));
    }
}
