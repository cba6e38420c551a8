//! Outcomes of jobs.

/// Outcome of a job, as far as it determines how its rows are sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Bedrock did not accept it in batch.
    Refused,
    /// It failed for a transient reason.
    Failed,
    /// It failed for a reason that is not known. Its rows are sent again while rounds are left, and never on demand for that.
    FailedUnknown,
    /// Anything else.
    Other,
}
