//! Names of jobs.

use super::{JobPrefix, name_of_text};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// Maximum length of a job name at Bedrock.
const MAX_LENGTH: usize = 63;

/// Name of a job that matches Bedrock's pattern: at most 63 letters, digits, `-`, `.` and `+`, the first a letter or digit.
///
/// The pattern is that of `jobName` of `CreateModelInvocationJob` (Bedrock API Reference), so that the names of other jobs of
/// the account, which occur in events, can be parsed too. Names that a run generates contain neither `.` nor `+`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobName(String);

name_of_text!(JobName);

impl JobName {
    /// Returns the name of job `number` of a run with this prefix. `hash` distinguishes it from all others with that prefix and
    /// number; as many of its characters are used as fit. These are at least 11: a prefix has at most 40 characters, and a
    /// number 10.
    pub(crate) fn of_job(prefix: &JobPrefix, number: &str, hash: &str) -> Self {
        let name = format!("{prefix}-{number}-{hash}");
        Self(name.chars().take(MAX_LENGTH).collect())
    }

    /// Parses the name of a job.
    ///
    /// # Errors
    /// Returns a problem if Bedrock does not accept the name.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-.+".contains(c);
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins_well && text.len() <= MAX_LENGTH && text.chars().all(fits) {
            return Ok(Self(text.to_owned()));
        }
        let rule = format!(
            "must be letters, digits, `-`, `.` and `+`, at most {MAX_LENGTH}, beginning with a letter or digit"
        );
        Err(Problem::new("the job name", text, rule).remedy("copy it from the manifest of the run's jobs"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("p-0000-0123abcd", true)]
    #[case("Other.job+1", true)]
    #[case("run/r", false)]
    #[case("duplicates/r/0000", false)]
    #[case("-a", false)]
    #[case("", false)]
    fn valid_names_are_those_that_bedrock_accepts(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(JobName::parse(text).is_ok(), valid);
        assert!(JobName::parse(&"x".repeat(64)).is_err());
    }
}
