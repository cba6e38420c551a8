//! The name of a job.

use super::{JobPrefix, name_of_text};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// Maximum length of a job name at Bedrock.
const MAX_LENGTH: usize = 63;

/// Name of a job: letters, digits, `-`, `.` and `+`, at most 63, beginning with a letter or digit.
///
/// That is the pattern of `jobName` of `CreateModelInvocationJob` (Bedrock API Reference), so that the names of the account's
/// other jobs, which come in events as well, are read too. Names that we make have neither `.` nor `+`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobName(String);

name_of_text!(JobName);

impl JobName {
    /// Name of job `number` of a run with this prefix; `hash` tells it from all others of that prefix and number. It fits:
    /// a prefix has 40 characters at most, a number 10 and a hash 8.
    pub(crate) fn of_job(prefix: &JobPrefix, number: &str, hash: &str) -> Self {
        Self(format!("{prefix}-{number}-{hash}"))
    }

    /// Reads the name of a job.
    ///
    /// # Errors
    /// Returns a problem if Bedrock takes no such name.
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
    fn names_are_those_that_bedrock_takes(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(JobName::parse(text).is_ok(), valid);
        assert!(JobName::parse(&"x".repeat(64)).is_err());
    }
}
