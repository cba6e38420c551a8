//! What follows on a part of a run.

use super::remainder::Remainder;
use crate::extract::ColumnType;
use crate::ids::JobName;
use crate::lane::Lane;
use std::collections::{BTreeMap, BTreeSet};

/// The work that follows on a part of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// Join these chunks with all answers that there are.
    Join(BTreeSet<u32>),
    /// Answer the remainder of the latest pass.
    AnswerRemainder(Remainder),
    /// Answer unanswered rows in a new pass.
    NewPass(NewPass),
    /// No row is sent to a model again.
    End(Ending),
}

/// A pass over unanswered rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPass {
    /// Rule by which the rows were selected.
    pub selection: RowSelection,
    /// Number of rows of each chunk.
    pub rows: BTreeMap<u32, u64>,
    /// Lane of the jobs.
    pub lane: Lane,
    /// Round that the pass belongs to.
    pub round: u32,
    /// Names of failed jobs whose rows now go on demand, at the full price: the summary reports them.
    pub failed_jobs: BTreeSet<JobName>,
    /// What follows if the rows do not make a single job (too few, or too large beside each other): they are not sent
    /// again, and keep their reasons.
    pub otherwise: Ending,
}

/// Selection of unanswered rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSelection {
    /// All of them.
    All,
    /// Those of jobs that Bedrock did not take in batch.
    Refused,
    /// Those of jobs that failed for a transient reason.
    Failed,
}

/// What is left to do once no row is sent to a model any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Give duplicates their answers, and columns one type in all files.
    LastJoin {
        /// The types of the fields' columns.
        types: Vec<ColumnType>,
        /// Chunks whose columns have other types.
        chunks: Vec<u32>,
    },
    /// Write wide rows.
    Pivot,
    /// Add up.
    Finish,
}
