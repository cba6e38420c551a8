//! The error of all use cases.

mod actions;
mod aws;

pub use actions::AwsOperation;
pub use aws::AwsFailure;

use bedrock_batch_domain::error_name::ErrorName;
use bedrock_batch_domain::problem::{Problem, Problems};
use std::error::Error;
use std::fmt;
use std::io;

/// A failed use case: its kind for the state machine, its context for the reader, and its source.
///
/// `{}` prints the context alone, `{:#}` the sources as well: what a reader gets is always the latter.
#[derive(Debug)]
pub struct EngineError {
    kind: ErrorKind,
    context: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Kind of an error, by what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The user's input is invalid.
    InvalidInput(Problems),
    /// Bedrock's quota of jobs is used up.
    QuotaExceeded,
    /// An AWS API asked for fewer requests.
    Throttled,
    /// A transient fault.
    Transient,
    /// AWS denied a call.
    AccessDenied,
    /// Bedrock refused a job or a model, or a job failed, for a permanent reason.
    JobFailed,
    /// The run was stopped, or another execution owns it.
    Superseded,
    /// Something that was stored is missing, or is not as it was written.
    Corrupt,
    /// A bug, or functions that were deployed or configured wrongly.
    Internal,
}

impl ErrorKind {
    /// The name under which errors of this kind leave a Lambda.
    pub fn name(&self) -> ErrorName {
        match self {
            Self::InvalidInput(_) => ErrorName::InvalidInput,
            Self::QuotaExceeded => ErrorName::QuotaExceeded,
            Self::Throttled => ErrorName::Throttled,
            Self::Transient => ErrorName::Transient,
            Self::AccessDenied => ErrorName::AccessDenied,
            Self::JobFailed => ErrorName::JobFailed,
            Self::Superseded => ErrorName::Superseded,
            Self::Corrupt => ErrorName::Corrupt,
            Self::Internal => ErrorName::Internal,
        }
    }
}

impl EngineError {
    fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    /// Bedrock's quota of jobs is used up.
    pub fn quota_exceeded(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::QuotaExceeded, context)
    }

    /// An AWS API asked for fewer requests.
    pub fn throttled(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Throttled, context)
    }

    /// A fault that a later attempt may not meet: of the network, of a service, or of a read that is not consistent yet.
    pub fn transient(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transient, context)
    }

    /// AWS denied a call. `context` names the action, the resource and the remedy.
    pub fn access_denied(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::AccessDenied, context)
    }

    /// A permanent failure of a job, in words for the person who started it.
    pub fn job_failed(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::JobFailed, context)
    }

    /// What this execution does for the run is no longer wanted.
    pub fn superseded(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Superseded, context)
    }

    /// Something that was stored is missing, or is not as it was written. `context` names it, and what is wrong with it.
    pub fn corrupt(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, context)
    }

    /// A state that only a bug, or a wrong deployment, can explain.
    pub fn internal(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, context)
    }

    /// The same error, with its source.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// A task or thread of ours that ended without a result: it panicked, or the runtime is shutting down.
    pub fn died(what: impl fmt::Display, error: tokio::task::JoinError) -> Self {
        Self::internal(format!("{what} died")).caused_by(error)
    }

    /// Its kind.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The name under which it leaves a Lambda.
    pub fn name(&self) -> &'static str {
        self.kind.name().as_str()
    }

    /// What is wrong with the input, if that is what this error says; else the error itself.
    ///
    /// # Errors
    /// Returns an error if this is of another kind than `InvalidInput`.
    pub fn into_problems(self) -> Result<Problems, Self> {
        match self.kind {
            ErrorKind::InvalidInput(problems) => Ok(problems),
            _ => Err(self),
        }
    }

    /// If true, the same call may succeed within moments.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Transient | ErrorKind::Throttled)
    }

    /// If true, this execution's work is no longer wanted: the error explains no failure of the run.
    pub fn is_superseded(&self) -> bool {
        self.kind == ErrorKind::Superseded
    }

    /// Everything that the error says: its context and its sources.
    pub fn message(&self) -> String {
        format!("{self:#}")
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::InvalidInput(problems) => write!(f, "{problems}")?,
            _ => f.write_str(&self.context)?,
        }
        if f.alternate()
            && let Some(source) = self.source()
        {
            write!(f, ": {}", chain(source))?;
        }
        Ok(())
    }
}

impl Error for EngineError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<Problems> for EngineError {
    fn from(problems: Problems) -> Self {
        Self::new(ErrorKind::InvalidInput(problems), "")
    }
}

impl From<Problem> for EngineError {
    fn from(problem: Problem) -> Self {
        Problems::from(problem).into()
    }
}

/// Reading and writing of streams. An error of ours, from a stream below, stays what it was.
impl From<io::Error> for EngineError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(other) if is_of_the_network(other.kind()) => {
                Self::transient("reading or writing failed").caused_by(other)
            }
            Err(other) => Self::internal("reading or writing failed").caused_by(other),
        }
    }
}

impl From<EngineError> for io::Error {
    fn from(error: EngineError) -> Self {
        Self::other(error)
    }
}

/// Kinds that a connection gives. All others (a full disk, a file that is not there or may not be read, bytes that are not
/// what they should be) stay as they are however often they are met.
fn is_of_the_network(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        kind,
        Kind::ConnectionRefused
            | Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::NotConnected
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::BrokenPipe
            | Kind::TimedOut
            | Kind::WouldBlock
            | Kind::Interrupted
            | Kind::UnexpectedEof
    )
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn the_context_comes_first_and_the_sources_follow_where_all_is_asked_for() {
        let error = EngineError::corrupt("s3://b/plan.json is not valid JSON").caused_by("expected `}` at line 3");
        assert_eq!(error.to_string(), "s3://b/plan.json is not valid JSON");
        assert_eq!(error.message(), "s3://b/plan.json is not valid JSON: expected `}` at line 3");
        assert!(error.source().is_some());
    }

    #[test]
    fn all_problems_of_an_input_are_its_message() {
        let error = EngineError::from(Problem::new("top_p", 2, "must be from 0 to 1"));
        assert_eq!((error.name(), error.message().as_str()), ("InvalidInput", "top_p is `2`: must be from 0 to 1"));
    }

    #[test]
    fn an_error_that_went_through_a_stream_keeps_its_kind_and_source() {
        let io: io::Error = EngineError::access_denied("no").caused_by("why").into();
        let back = EngineError::from(io);
        assert_eq!((back.name(), back.message().as_str()), ("AccessDenied", "no: why"));
    }

    #[rstest]
    #[case(io::ErrorKind::ConnectionReset, "Transient")]
    #[case(io::ErrorKind::TimedOut, "Transient")]
    #[case(io::ErrorKind::UnexpectedEof, "Transient")]
    #[case(io::ErrorKind::NotFound, "Internal")]
    #[case(io::ErrorKind::StorageFull, "Internal")]
    #[case(io::ErrorKind::InvalidData, "Internal")]
    #[case(io::ErrorKind::Other, "Internal")]
    fn an_error_of_a_stream_is_transient_if_a_connection_gives_it(#[case] kind: io::ErrorKind, #[case] expected: &str) {
        assert_eq!(EngineError::from(io::Error::from(kind)).name(), expected);
    }

    /// No wildcard: a new kind does not compile here until it is decided whether the state machines repeat it.
    #[test]
    fn each_kind_is_retried_or_not_as_decided() {
        let problems = Problems::from(Problem::without_value("s3_uri", "is required"));
        let kinds = [
            ErrorKind::InvalidInput(problems),
            ErrorKind::QuotaExceeded,
            ErrorKind::Throttled,
            ErrorKind::Transient,
            ErrorKind::AccessDenied,
            ErrorKind::JobFailed,
            ErrorKind::Superseded,
            ErrorKind::Corrupt,
            ErrorKind::Internal,
        ];
        let names: Vec<ErrorName> = kinds.iter().map(ErrorKind::name).collect();
        assert_eq!(names, ErrorName::ALL, "each kind has a name of its own, and each name has a kind");
        for kind in kinds {
            let retried = match kind {
                ErrorKind::QuotaExceeded | ErrorKind::Throttled | ErrorKind::Transient => true,
                ErrorKind::InvalidInput(_)
                | ErrorKind::AccessDenied
                | ErrorKind::JobFailed
                | ErrorKind::Superseded
                | ErrorKind::Corrupt
                | ErrorKind::Internal => false,
            };
            assert_eq!(kind.name().is_retried(), retried, "{kind:?}");
        }
    }
}
