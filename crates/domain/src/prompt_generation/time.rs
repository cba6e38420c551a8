//! Time of a generation.

/// The last second of the year 9999, the maximum that both forms can show.
const MAX_SECONDS: u64 = 253_402_300_799;

/// Time of a generation, in UTC. The caller passes it, since only the time differs between two generations of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerationTime {
    seconds: u64,
}

impl GenerationTime {
    /// Creates a time from the seconds since 1970.
    pub fn from_unix_seconds(seconds: u64) -> Self {
        Self { seconds: seconds.min(MAX_SECONDS) }
    }

    /// Returns it as in `2026-11-30T08:31:09+00:00`.
    pub fn iso(self) -> String {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.time_of_day();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+00:00")
    }

    /// Returns it as in names of files: `20261130_083109`. The order of such names is that of the times.
    pub fn compact(self) -> String {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.time_of_day();
        format!("{year:04}{month:02}{day:02}_{hour:02}{minute:02}{second:02}")
    }

    fn time_of_day(self) -> (u64, u64, u64) {
        let second = self.seconds % 86_400;
        (second / 3_600, second / 60 % 60, second % 60)
    }

    /// Returns year, month and day. Years are counted from March, so that the day that leap years add is the last one.
    fn date(self) -> (u64, u64, u64) {
        // Days since March 1 of the year 0.
        let days = self.seconds / 86_400 + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        (year, month, day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "1970-01-01T00:00:00+00:00", "19700101_000000")]
    #[case(951_782_400, "2000-02-29T00:00:00+00:00", "20000229_000000")]
    #[case(1_709_164_799, "2024-02-28T23:59:59+00:00", "20240228_235959")]
    #[case(1_796_027_469, "2026-11-30T08:31:09+00:00", "20261130_083109")]
    #[case(4_107_542_400, "2100-03-01T00:00:00+00:00", "21000301_000000")]
    #[case(u64::MAX, "9999-12-31T23:59:59+00:00", "99991231_235959")]
    fn times_are_shown_in_both_forms(#[case] seconds: u64, #[case] iso: &str, #[case] compact: &str) {
        let time = GenerationTime::from_unix_seconds(seconds);
        assert_eq!((time.iso().as_str(), time.compact().as_str()), (iso, compact));
    }
}
