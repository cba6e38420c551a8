//! Points in time, as seconds since 1970 and as text.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use std::time::SystemTime;

/// Returns the current time in seconds since 1970.
pub(crate) fn now() -> u64 {
    u64::try_from(DateTime::from(SystemTime::now()).secs()).unwrap_or(0)
}

/// Returns the current time in the format of Step Functions.
pub(crate) fn now_as_text() -> String {
    DateTime::from(SystemTime::now()).fmt(Format::DateTime).unwrap_or_default()
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
        assert_eq!(second("2026-11-20T14:05:07+01:00"), Some(seconds));
        assert_eq!(second("yesterday"), None);
        assert_eq!(minute(u64::MAX), "a distant date");
        assert!(second(&now_as_text()).is_some_and(|then| now().abs_diff(then) < 5));
    }
}
