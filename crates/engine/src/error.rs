//! How a use case fails, by what the state machine can do about it.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::error_name;
use bedrock_batch_domain::problem::{Problem, Problems};
use std::error::Error;

/// A failed use case. The variants are the error names that Retry and Catch match ([`error_name`]).
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The user's input is wrong.
    #[error("{0}")]
    InvalidInput(Problems),
    /// Bedrock's quota of jobs is used up; to be tried again after a long while.
    #[error("{0}")]
    QuotaExceeded(String),
    /// An AWS API asked us to slow down.
    #[error("{0}")]
    Throttled(String),
    /// A fault that should pass.
    #[error("{0}")]
    Transient(String),
    /// A Bedrock job failed, or was refused, for a reason that stays.
    #[error("{0}")]
    JobFailed(String),
    /// The run was stopped, or is in the hands of another execution: whatever this one still does is of no use. Nobody
    /// waits for it, and it explains no failure.
    #[error("{0}")]
    Superseded(String),
}

impl EngineError {
    /// The contract's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidInput(_) => error_name::INVALID_INPUT,
            Self::QuotaExceeded(_) => error_name::QUOTA_EXCEEDED,
            Self::Throttled(_) => error_name::THROTTLED,
            Self::Transient(_) => error_name::TRANSIENT,
            Self::JobFailed(_) | Self::Superseded(_) => error_name::JOB_FAILED,
        }
    }

    /// An AWS call failed: `Throttled` if it asks us to slow down, else `Transient`. `what` says what was tried, with
    /// the thing's name.
    pub fn from_aws<E: ProvideErrorMetadata + Error>(what: impl AsRef<str>, error: &E) -> Self {
        let code = error.code().unwrap_or_default();
        // The SDK's own text is just "service error" or "dispatch failure": what happened is in its sources.
        let detail = error.message().map_or_else(|| chain(error), str::to_owned);
        let text =
            format!("{}: {}{detail}", what.as_ref(), if code.is_empty() { String::new() } else { format!("{code}: ") });
        let throttled = ["Throttl", "TooManyRequests", "SlowDown", "ProvisionedThroughputExceeded", "RequestLimit"];
        if throttled.iter().any(|word| code.contains(word)) { Self::Throttled(text) } else { Self::Transient(text) }
    }
}

impl From<Problems> for EngineError {
    fn from(problems: Problems) -> Self {
        Self::InvalidInput(problems)
    }
}

impl From<Problem> for EngineError {
    fn from(problem: Problem) -> Self {
        Self::InvalidInput(problem.into())
    }
}

/// Reading and writing of streams; an S3 failure below keeps its kind.
impl From<std::io::Error> for EngineError {
    fn from(error: std::io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(other) => Self::Transient(format!("reading or writing failed: {other}")),
        }
    }
}

impl From<EngineError> for std::io::Error {
    fn from(error: EngineError) -> Self {
        Self::other(error)
    }
}

/// An error and its sources, for a message.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
