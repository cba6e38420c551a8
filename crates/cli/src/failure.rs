//! How a command fails.

use bedrock_batch_engine::{EngineError, ErrorKind};
use std::fmt;

/// A failed command, by whose turn it is.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked cannot be done: exit code 2.
    Usage(String),
    /// The run failed, or AWS did: exit code 1.
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
