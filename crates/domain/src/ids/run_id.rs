//! Ids of runs.

use super::cleaned_text::joined_by_hyphens;
use super::name_of_text;
use crate::problem::Problem;
use crate::short_hash::short_hash;
use serde::{Deserialize, Serialize};

/// Id of a run: letters, digits, `-`, `_` and `.`, beginning with a letter or digit. It is part of keys in the bucket
/// and of the S3 addresses of Bedrock jobs, whose pattern (`s3Uri`, Bedrock API Reference) allows all these characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

name_of_text!(RunId);

impl RunId {
    /// Returns the id of the run that the execution with this name starts: its name if S3 addresses of Bedrock jobs allow
    /// all of its characters, else the cleaned name and a short hash of the original, so that executions never share files.
    pub fn of_execution(execution_name: &str) -> Self {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-';
        let cleaned = joined_by_hyphens(execution_name, fits);
        if cleaned == execution_name && cleaned.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Self(cleaned);
        }
        let kept = cleaned.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let hash = short_hash(&[execution_name]);
        Self(if kept.is_empty() { format!("run-{hash}") } else { format!("{kept}-{hash}") })
    }

    /// Parses the id of a run.
    ///
    /// # Errors
    /// Returns a problem if no run can have this id.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let id = Self::of_execution(text);
        if id.0 == text {
            return Ok(id);
        }
        let rule = "is not a valid run id: it may contain only letters, digits, `-`, `_` and `.`, and begins with a letter or digit";
        Err(Problem::new("the run id", text, rule)
            .remedy("copy it from the run's email, or from its keys in the bucket"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_that_fits_is_kept_and_others_never_collide() {
        let id = |name| RunId::of_execution(name).to_string();
        assert_eq!(id("0f9a-11_x.y"), "0f9a-11_x.y");
        assert_ne!(id("a=b"), id("a+b"));
        assert_ne!(id("a=b"), id("a-b"));
    }

    #[test]
    fn an_invalid_id_is_refused_with_value_rule_and_remedy() {
        let problem = serde_json::from_str::<RunId>(r#""a b""#).unwrap_err().to_string();
        assert!(problem.starts_with("the run id is `a b`: is not a valid run id: it may contain only"), "{problem}");
        assert!(problem.contains("; copy it from"), "{problem}");
        assert!(RunId::parse("").is_err() && RunId::parse(".a").is_err());
    }

    proptest! {
        #[test]
        fn every_execution_has_a_valid_run_id(name in "\\PC{0,80}") {
            let id = RunId::of_execution(&name);
            prop_assert_eq!(RunId::parse(id.as_str()), Ok(id));
        }
    }
}
