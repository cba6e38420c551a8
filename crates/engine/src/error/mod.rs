//! Errors of all use cases.

mod actions;
mod aws;
mod collect;

pub use actions::AwsOperation;
pub use aws::AwsFailure;
pub(crate) use collect::collected;

use bedrock_batch_domain::error_name::ErrorName;
use bedrock_batch_domain::printable;
use bedrock_batch_domain::problem::{Problem, Problems};
use std::error::Error;
use std::fmt;
use std::io;

/// Error of a use case: its kind for the state machine, its context for the reader, and its source.
///
/// `{}` formats the context alone, `{:#}` also the sources. Users and logs always get the latter.
#[derive(Debug)]
pub struct EngineError {
    kind: ErrorKind,
    context: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Kind of an error, by the possible reaction to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The user's input is invalid.
    InvalidInput(Problems),
    /// Bedrock's quota of jobs is used up.
    QuotaExceeded,
    /// An AWS API throttled a request.
    Throttled,
    /// A transient fault.
    Transient,
    /// AWS denied a call.
    AccessDenied,
    /// Bedrock refused a job or a model, or a job failed, for a permanent reason.
    JobFailed,
    /// The run was stopped, or another execution owns it.
    Superseded,
    /// An item of the job table, or a job at Bedrock, has the name of this run's job and belongs to something else.
    NameClash,
    /// Stored data is missing, or is not as it was written.
    Corrupt,
    /// A bug, or an incorrect deployment or configuration of the functions.
    Internal,
}

impl ErrorKind {
    /// Returns the name with which errors of this kind leave a Lambda function.
    pub fn name(&self) -> ErrorName {
        match self {
            Self::InvalidInput(_) => ErrorName::InvalidInput,
            Self::QuotaExceeded => ErrorName::QuotaExceeded,
            Self::Throttled => ErrorName::Throttled,
            Self::Transient => ErrorName::Transient,
            Self::AccessDenied => ErrorName::AccessDenied,
            Self::JobFailed => ErrorName::JobFailed,
            Self::Superseded => ErrorName::Superseded,
            Self::NameClash => ErrorName::NameClash,
            Self::Corrupt => ErrorName::Corrupt,
            Self::Internal => ErrorName::Internal,
        }
    }
}

impl EngineError {
    fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    /// Creates an error of Bedrock's exhausted quota of jobs.
    pub fn quota_exceeded(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::QuotaExceeded, context)
    }

    /// Creates an error of a throttled AWS request.
    pub fn throttled(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Throttled, context)
    }

    /// Creates an error that a later attempt may not encounter: a fault of the network or of a service, or a read that is not
    /// consistent yet.
    pub fn transient(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transient, context)
    }

    /// Creates an error of a denied AWS call. `context` names the action, the resource and the remedy.
    pub fn access_denied(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::AccessDenied, context)
    }

    /// Creates an error of a permanent failure of a job. `context` is for the user who started it.
    pub fn job_failed(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::JobFailed, context)
    }

    /// Creates an error for an execution whose work for the run is obsolete.
    pub fn superseded(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Superseded, context)
    }

    /// Creates an error of a name that belongs to something else. `context` names it, both owners and the remedy.
    pub fn name_clash(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::NameClash, context)
    }

    /// Creates an error of stored data that is missing, or not as it was written. `context` names the data and the problem.
    pub fn corrupt(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, context)
    }

    /// Creates an error of a state that only a bug or an incorrect deployment can explain.
    pub fn internal(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, context)
    }

    /// Adds the source.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Creates an error of a task or thread that ended without a result: it panicked, or the runtime is shutting down.
    pub fn died(what: impl fmt::Display, error: tokio::task::JoinError) -> Self {
        Self::internal(format!("{what} died")).caused_by(error)
    }

    /// Returns the kind.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Returns the name with which the error leaves a Lambda function.
    pub fn name(&self) -> &'static str {
        self.kind.name().as_str()
    }

    /// Returns the problems of the input, if this is an error of kind `InvalidInput`.
    ///
    /// # Errors
    /// Returns the error itself if it is of another kind.
    pub fn into_problems(self) -> Result<Problems, Self> {
        match self.kind {
            ErrorKind::InvalidInput(problems) => Ok(problems),
            _ => Err(self),
        }
    }

    /// Returns true if the same call may succeed within moments.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Transient | ErrorKind::Throttled)
    }

    /// Returns true if the execution's work is obsolete, so that the error does not explain a failure of the run.
    pub fn is_superseded(&self) -> bool {
        self.kind == ErrorKind::Superseded
    }

    /// Returns the full message: the context and the sources.
    pub fn message(&self) -> String {
        format!("{self:#}")
    }
}

/// Every message leaves through here, to the causes of executions, to emails, logs and terminals. It may quote names in S3,
/// cells, and messages of services, so that it is made printable and short enough for all of them.
impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut message = match &self.kind {
            ErrorKind::InvalidInput(problems) => problems.to_string(),
            _ => self.context.clone(),
        };
        if f.alternate()
            && let Some(source) = self.source()
        {
            message.push_str(": ");
            message.push_str(&chain(source));
        }
        f.write_str(&printable::cause(&message))
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

/// Converts errors of streams. An [`EngineError`] from an underlying stream is returned unchanged.
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

/// Returns true for kinds of errors of connections. All others (a full disk, a missing or unreadable file, invalid data)
/// would occur again.
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

/// Formats an error with its sources, for a message.
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
    fn the_alternate_format_appends_the_sources_to_the_context() {
        let error = EngineError::corrupt("s3://b/plan.json is not valid JSON").caused_by("expected `}` at line 3");
        assert_eq!(error.to_string(), "s3://b/plan.json is not valid JSON");
        assert_eq!(error.message(), "s3://b/plan.json is not valid JSON: expected `}` at line 3");
        assert!(error.source().is_some());
    }

    #[test]
    fn a_message_of_any_origin_is_printable_and_fits_a_cause() {
        let hostile = "k\u{1b}]0;t\u{7}\u{9b}\u{202e}".repeat(50_000);
        let of_aws = AwsFailure { code: hostile.clone(), message: format!("{hostile}\nline"), ..AwsFailure::default() };
        for error in [
            EngineError::corrupt(format!("cannot read s3://b/{hostile}")),
            EngineError::transient("cannot read").caused_by(hostile.clone()),
            EngineError::from_aws_failure("s3:GetObject", "cannot read s3://b/k", of_aws.clone()),
            EngineError::from(Problem::new(hostile.clone(), &hostile, hostile.clone()).remedy(hostile.clone())),
        ] {
            let message = error.message();
            assert!(!message.replace('\n', "").contains(printable::is_hidden), "{}", error.name());
            assert!(message.chars().count() <= 32_768 && message.contains("more characters)"), "{}", error.name());
        }
        assert!(!of_aws.to_string().contains('\n'), "a message of AWS adds no line");
    }

    #[test]
    fn the_message_of_invalid_input_lists_all_problems() {
        let error = EngineError::from(Problem::new("top_p", 2, "must be from 0 to 1"));
        assert_eq!((error.name(), error.message().as_str()), ("InvalidInput", "top_p is `2`: must be from 0 to 1"));
    }

    #[test]
    fn an_error_passed_through_a_stream_keeps_its_kind_and_source() {
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
    fn stream_errors_are_transient_if_they_are_of_a_connection(#[case] kind: io::ErrorKind, #[case] expected: &str) {
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
            ErrorKind::NameClash,
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
                | ErrorKind::NameClash
                | ErrorKind::Corrupt
                | ErrorKind::Internal => false,
            };
            assert_eq!(kind.name().is_retried(), retried, "{kind:?}");
        }
    }
}
