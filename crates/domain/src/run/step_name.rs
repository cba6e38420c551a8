//! The names of steps, by which the state machine routes.

use serde::{Deserialize, Serialize};

/// The states of the state machine that a step can lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// Batch jobs of the first pass, each joined as soon as it is over.
    ProcessJobs,
    /// Batch jobs of a later pass.
    RetryJobs,
    /// Jobs whose records are sent one by one.
    AnswerOnDemand,
    /// Join chunks with all their answers.
    JoinChunks,
    /// Add up.
    Finish,
}
