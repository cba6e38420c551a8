//! Names of steps, by which the state machine routes.

use serde::{Deserialize, Serialize};

/// State of the state machine that a step leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// Run batch jobs of the first pass, and join each as soon as it is over.
    ProcessJobs,
    /// Run batch jobs of a later pass.
    RetryJobs,
    /// Send the records of jobs one by one.
    AnswerOnDemand,
    /// Join chunks with all their answers.
    JoinChunks,
    /// Write the summary.
    Finish,
}
