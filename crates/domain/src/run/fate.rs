//! The outcome of a job.

/// Outcome of a job, as far as it decides how its rows are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Bedrock did not take it in batch.
    Refused,
    /// It failed for a transient reason.
    Failed,
    /// Anything else.
    Other,
}
