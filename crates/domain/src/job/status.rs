//! The statuses of a Bedrock model invocation job (botocore service model, `ModelInvocationJobStatus`).

use serde::{Deserialize, Serialize};
use std::fmt;

/// A job's status. `Unknown` stands for what Bedrock may add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JobStatus {
    /// Queued for validation.
    Submitted,
    /// Input and role are being checked.
    Validating,
    /// Validated, waiting for capacity.
    Scheduled,
    /// Records are being answered.
    InProgress,
    /// A stop was asked for.
    Stopping,
    /// All records were processed.
    Completed,
    /// Not all records were processed in time; there is output.
    PartiallyCompleted,
    /// It did not begin in time.
    Expired,
    /// Stopped by a user; there may be output.
    Stopped,
    /// Failed; the job's message says why.
    Failed,
    /// A status that this version does not know.
    Unknown,
}

impl JobStatus {
    /// All that Bedrock documents, and `Unknown`.
    pub const ALL: [Self; 11] = [
        Self::Submitted,
        Self::Validating,
        Self::Scheduled,
        Self::InProgress,
        Self::Stopping,
        Self::Completed,
        Self::PartiallyCompleted,
        Self::Expired,
        Self::Stopped,
        Self::Failed,
        Self::Unknown,
    ];

    /// The status of Bedrock's name.
    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.name() == name).unwrap_or(Self::Unknown)
    }

    /// Bedrock's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Submitted => "Submitted",
            Self::Validating => "Validating",
            Self::Scheduled => "Scheduled",
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Completed => "Completed",
            Self::PartiallyCompleted => "PartiallyCompleted",
            Self::Expired => "Expired",
            Self::Stopped => "Stopped",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        }
    }

    /// Whether the job is over.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::PartiallyCompleted | Self::Expired | Self::Stopped | Self::Failed => true,
            Self::Submitted
            | Self::Validating
            | Self::Scheduled
            | Self::InProgress
            | Self::Stopping
            | Self::Unknown => false,
        }
    }

    /// How far along a job is: it never goes back. `Unknown` ranks lowest, so that it never hides what is known.
    pub fn rank(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Submitted => 1,
            Self::Validating => 2,
            Self::Scheduled => 3,
            Self::InProgress => 4,
            Self::Stopping => 5,
            Self::Completed | Self::PartiallyCompleted | Self::Expired | Self::Stopped | Self::Failed => 6,
        }
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
