//! The statuses of a Bedrock model invocation job (botocore service model, `ModelInvocationJobStatus`).

use serde::{Deserialize, Serialize};
use std::fmt;

/// Status of a job. `Unknown` represents statuses that Bedrock may add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JobStatus {
    /// Queued for validation.
    Submitted,
    /// Input and role are being checked.
    Validating,
    /// Validated, waiting for capacity.
    Scheduled,
    /// Records are being processed.
    InProgress,
    /// A stop was requested.
    Stopping,
    /// All records were processed.
    Completed,
    /// Not all records were processed in time; there is output for the others.
    PartiallyCompleted,
    /// The job did not begin in time.
    Expired,
    /// Stopped by a user; there may be output.
    Stopped,
    /// Failed; the job's message gives the reason.
    Failed,
    /// A status that this version does not know.
    Unknown,
}

impl JobStatus {
    /// All statuses that Bedrock documents, and `Unknown`.
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

    /// Parses Bedrock's name of a status.
    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.name() == name).unwrap_or(Self::Unknown)
    }

    /// Returns Bedrock's name of the status.
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

    /// Returns true if the job is over.
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

    /// Returns the progress of a job, which never goes back. `Unknown` ranks lowest, so that it never replaces a known
    /// status.
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
