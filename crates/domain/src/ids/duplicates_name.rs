//! The name of a file of duplicates.

use super::{RunId, name_of_text};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// First part of these names. The name of a job has no slash.
const FIRST_PART: &str = "duplicates/";

/// Name of a file of duplicates in the job table: `duplicates/<run>/<number>`, the number with four digits or more. No job
/// can have such a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DuplicatesName(String);

name_of_text!(DuplicatesName);

impl DuplicatesName {
    /// Name of file `index` of a run.
    pub fn new(run: &RunId, index: u32) -> Self {
        Self(format!("{FIRST_PART}{run}/{index:04}"))
    }

    /// Reads the name of a file of duplicates.
    ///
    /// # Errors
    /// Returns a problem if the text has another form.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let parts = text.strip_prefix(FIRST_PART).and_then(|rest| rest.split_once('/'));
        let is_number = |text: &str| text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        if parts.is_some_and(|(run, number)| RunId::parse(run).is_ok() && is_number(number)) {
            return Ok(Self(text.to_owned()));
        }
        let rule = "is not the name of a file of duplicates: `duplicates/<run>/<number>`";
        Err(Problem::new("the name", text, rule).remedy("copy it from the manifest of the run's last join"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("tickets-1", 0, "duplicates/tickets-1/0000")]
    #[case("r", 12_345, "duplicates/r/12345")]
    fn a_name_that_was_made_is_valid(#[case] run: &str, #[case] index: u32, #[case] expected: &str) {
        let name = DuplicatesName::new(&RunId::of_execution(run), index);
        assert_eq!(name.as_str(), expected);
        assert_eq!(DuplicatesName::parse(expected), Ok(name));
    }

    #[rstest]
    #[case("p-0000-0123abcd")]
    #[case("duplicates/r")]
    #[case("duplicates/r/1")]
    #[case("duplicates//0001")]
    #[case("duplicates/r/0001/0002")]
    #[case("run/r")]
    fn other_texts_are_refused(#[case] text: &str) {
        let problem = DuplicatesName::parse(text).unwrap_err().to_string();
        assert!(problem.contains(": is not the name of a file of duplicates: "), "{problem}");
    }
}
