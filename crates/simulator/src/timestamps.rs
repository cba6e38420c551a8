//! Points in time, in the two ways Bedrock writes them.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// Milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(i64);

impl Timestamp {
    pub(crate) fn now() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
    }

    pub(crate) fn plus_hours(self, hours: i64) -> Self {
        Self(self.0.saturating_add(hours.saturating_mul(3_600_000)))
    }

    pub(crate) fn millis(self) -> i64 {
        self.0
    }

    pub(crate) fn to_smithy(self) -> DateTime {
        DateTime::from_millis(self.0)
    }

    /// `2024-08-28T22:47:53.125Z`, the service model's `iso8601`.
    pub(crate) fn iso8601(self) -> String {
        self.to_smithy().fmt(Format::DateTime).unwrap_or_default()
    }

    /// Reads any ISO 8601 time with an offset or `Z`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let time = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
        time.to_millis().ok().map(Self)
    }

    /// `Aug 28, 2024, 10:47:53 PM`, as in the sample of Bedrock's event.
    pub(crate) fn in_event(self) -> String {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let iso = self.iso8601();
        let field = |range: std::ops::Range<usize>| iso.get(range).and_then(|text| text.parse::<usize>().ok());
        let read = || {
            let (year, month, day) = (field(0..4)?, field(5..7)?, field(8..10)?);
            let (hour, minute, second) = (field(11..13)?, field(14..16)?, field(17..19)?);
            let (half, month) = (if hour < 12 { "AM" } else { "PM" }, MONTHS.get(month.checked_sub(1)?)?);
            let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
            Some(format!("{month} {day}, {year}, {hour}:{minute:02}:{second:02} {half}"))
        };
        read().unwrap_or(iso)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_bedrock_writes_it() {
        let time = Timestamp(1_724_885_273_125);
        assert_eq!(time.iso8601(), "2024-08-28T22:47:53.125Z");
        assert_eq!(time.in_event(), "Aug 28, 2024, 10:47:53 PM");
        assert_eq!(Timestamp(1_724_803_200_000).in_event(), "Aug 28, 2024, 12:00:00 AM");
        assert_eq!(Timestamp(1_724_846_400_000).in_event(), "Aug 28, 2024, 12:00:00 PM");
    }

    #[test]
    fn offsets_are_read() {
        assert_eq!(Timestamp::parse("2024-08-28T22:47:53Z"), Some(Timestamp(1_724_885_273_000)));
        assert_eq!(Timestamp::parse("2024-08-29T00:47:53.125+02:00"), Some(Timestamp(1_724_885_273_125)));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }
}
