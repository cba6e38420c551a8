//! Time of a generation.

/// Time of a generation, in UTC. The caller passes it, since only the time differs between two generations of one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationTime {
    /// As in `2026-11-30T08:31:09`.
    date_time: String,
}

impl Default for GenerationTime {
    fn default() -> Self {
        Self::from_utc("1970-01-01T00:00:00Z")
    }
}

impl GenerationTime {
    /// Creates a time from its text in RFC 3339, in UTC and without fractions of seconds: `2026-11-30T08:31:09Z`.
    pub fn from_utc(text: &str) -> Self {
        Self { date_time: text.trim_end_matches('Z').to_owned() }
    }

    /// Returns it as in `2026-11-30T08:31:09+00:00`.
    pub fn iso(&self) -> String {
        format!("{}+00:00", self.date_time)
    }

    /// Returns it as in names of files: `20261130_083109`. The order of such names is that of the times.
    pub fn compact(&self) -> String {
        self.date_time.replace(['-', ':'], "").replace('T', "_")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_both_forms() {
        let time = GenerationTime::from_utc("2026-11-30T08:31:09Z");
        assert_eq!((time.iso().as_str(), time.compact().as_str()), ("2026-11-30T08:31:09+00:00", "20261130_083109"));
        assert_eq!(GenerationTime::default().compact(), "19700101_000000");
    }
}
