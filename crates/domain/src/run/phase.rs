//! The parts of a run, one after the other.

use super::step_name::StepName;
use crate::lane::Lane;
use serde::{Deserialize, Serialize};

/// Part of a run. After each of them, [`advance`](super::advance) says which one follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The batch jobs of the first pass run, and the chunk of each is joined as soon as the job is over.
    AnswerAndJoin,
    /// The jobs of any other pass run.
    Answer,
    /// The chunks whose rows the pass had are joined.
    Join,
    /// Files that need all answers are written: duplicates, and chunks whose columns have other types than the rest.
    LastJoin,
    /// Rows with several answers become one wide row each.
    Pivot,
    /// Nothing is left to do but to add up.
    Finished,
}

impl Phase {
    /// Returns the state of the state machine that does the work of this phase. `lane` is that of the pass; only a phase with
    /// jobs depends on it.
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
    /// Prompt and join until every row has its answer or its reason.
    #[default]
    Run,
    /// Only join the answers that are there.
    Collect,
}
