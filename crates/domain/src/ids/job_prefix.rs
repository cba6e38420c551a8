//! Prefixes of job names and keys.

use super::cleaned_text::joined_by_hyphens;
use super::name_of_text;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// Maximum length of a prefix: leaves room for `-<index>-<hash>` in a job name, with 11 characters of the hash or more.
const MAX_LENGTH: usize = 40;

/// The `job_name_prefix` of a request as used in keys and job names: at most 40 ASCII letters, digits and `-`, the first
/// and the last a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobPrefix(String);

name_of_text!(JobPrefix);

impl JobPrefix {
    /// Converts a user's text to a prefix: each sequence of other characters becomes one hyphen. Returns `None` if nothing
    /// remains.
    pub fn cleaned(text: &str) -> Option<Self> {
        let cleaned = joined_by_hyphens(text, |c| c.is_ascii_alphanumeric());
        let short: String = cleaned.chars().take(MAX_LENGTH).collect();
        let trimmed = short.trim_matches('-');
        (!trimmed.is_empty()).then(|| Self(trimmed.to_owned()))
    }

    /// Parses a prefix that is already cleaned.
    ///
    /// # Errors
    /// Returns a problem if the text is not a cleaned prefix.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::cleaned(text).filter(|prefix| prefix.0 == text).ok_or_else(|| {
            let rule = format!("must be letters, digits and single `-` between them, at most {MAX_LENGTH}");
            Problem::new("the job name prefix", text, rule).remedy("use the prefix that the plan of the run has")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("test-joke-job1", Some("test-joke-job1"))]
    #[case("my_prefix v2", Some("my-prefix-v2"))]
    #[case("--über//cool--", Some("ber-cool"))]
    #[case("日本", None)]
    #[case("", None)]
    #[case("___", None)]
    fn prefixes_are_cleaned(#[case] raw: &str, #[case] clean: Option<&str>) {
        assert_eq!(JobPrefix::cleaned(raw).as_ref().map(JobPrefix::as_str), clean);
    }

    proptest! {
        #[test]
        fn a_cleaned_prefix_is_valid(raw in "\\PC{0,80}") {
            if let Some(prefix) = JobPrefix::cleaned(&raw) {
                prop_assert_eq!(JobPrefix::parse(prefix.as_str()), Ok(prefix));
            }
        }
    }
}
