//! Phases of a run.

use super::step_name::StepName;
use crate::lane::Lane;
use serde::{Deserialize, Serialize};

/// Phase of a run. After each of them, [`advance`](super::advance) determines the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Batch jobs of the first pass are running, and the chunk of each is joined as soon as the job is over.
    AnswerAndJoin,
    /// Jobs of any other pass are running.
    Answer,
    /// The chunks whose rows the pass had are being joined.
    Join,
    /// Files that need all answers are being written: duplicates, and chunks whose columns have other types than the others.
    LastJoin,
    /// Rows with several answers are being combined to wide rows.
    Pivot,
    /// Only the summary is left to be written.
    Finished,
}

impl Phase {
    /// Returns the state of the state machine that performs this phase. `lane` is that of the pass; only phases with jobs
    /// depend on it.
    pub fn step(self, lane: Lane) -> StepName {
        match (self, lane) {
            (Self::AnswerAndJoin, _) => StepName::ProcessJobs,
            (Self::Answer, Lane::Batch) => StepName::RetryJobs,
            (Self::Answer, Lane::OnDemand) => StepName::AnswerOnDemand,
            (Self::Join | Self::LastJoin | Self::Pivot, _) => StepName::JoinChunks,
            (Self::Finished, _) => StepName::Finish,
        }
    }
}

/// Purpose of an execution.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Send rows and join answers until every row has its answer or its reason.
    #[default]
    Run,
    /// Only join the existing answers.
    Collect,
}
