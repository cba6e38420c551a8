//! Failures of commands and their exit codes.

use bedrock_batch_engine::{EngineError, ErrorKind};
use std::fmt;

/// Failure of a command, by who has to act on it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The request cannot be carried out as given: exit code 2.
    Usage(String),
    /// The run or AWS failed: exit code 1.
    Failed(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error.kind() {
            ErrorKind::InvalidInput(problems) => Self::Usage(problems.to_string()),
            _ => Self::Failed(error.message()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        EngineError::from(error).into()
    }
}
