//! Result of one check.

use bedrock_batch_engine::{AwsFailure, EngineError, ErrorKind};
use std::fmt;

/// State of what a check looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// As a run needs it.
    Fine,
    /// A run works today, and not for long.
    Warning,
    /// A run would fail, or miss something that was wanted.
    Wrong,
    /// It could not be looked at.
    Unknown,
}

/// Result of one check.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Part of the account that was looked at.
    subject: &'static str,
    pub(super) state: State,
    /// Description of what was found; of a warning, with what to do.
    found: String,
    /// Advice, unless all is well.
    remedy: Option<String>,
}

impl Finding {
    pub(super) fn fine(subject: &'static str, found: impl Into<String>) -> Self {
        Self { subject, state: State::Fine, found: found.into(), remedy: None }
    }

    pub(super) fn warning(subject: &'static str, found: impl Into<String>) -> Self {
        Self { subject, state: State::Warning, found: found.into(), remedy: None }
    }

    pub(super) fn wrong(subject: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { subject, state: State::Wrong, found: found.into(), remedy: Some(remedy.into()) }
    }

    pub(super) fn unknown(subject: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { subject, state: State::Unknown, found: found.into(), remedy: Some(remedy.into()) }
    }

    /// Result of a call of this IAM action that failed: the caller's rights say nothing about those of the functions.
    pub(super) fn of_failed_call(subject: &'static str, action: &str, context: &str, failure: AwsFailure) -> Self {
        let found = format!("{context}: {failure}");
        let error = EngineError::from_aws_failure(action, context, failure);
        let remedy = if matches!(error.kind(), ErrorKind::AccessDenied) {
            format!("with `{action}` you can have it checked")
        } else {
            "try again; if it stays, look at the network and at the AWS Health Dashboard".to_owned()
        };
        Self::unknown(subject, found, remedy)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.state {
            State::Fine => "ok",
            State::Warning => "WARN",
            State::Wrong => "FIX",
            State::Unknown => "?",
        };
        write!(f, "{mark:4}  {}: {}", self.subject, self.found)?;
        self.remedy.iter().try_for_each(|remedy| write!(f, "; {remedy}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_found_and_what_to_do() {
        assert_eq!(Finding::fine("region", "eu-west-1").to_string(), "ok    region: eu-west-1");
        let wrong = Finding::wrong("region", "none is set", "`export AWS_REGION=…`");
        assert_eq!(wrong.to_string(), "FIX   region: none is set; `export AWS_REGION=…`");
        assert_eq!(Finding::warning("model", "a; use `b`").to_string(), "WARN  model: a; use `b`");
        assert_eq!(Finding::unknown("quota", "a", "b").to_string(), "?     quota: a; b");
    }
}
