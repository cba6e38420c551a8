//! Transitions between the phases of a run.

use super::remainder::Remainder;
use crate::extract::ColumnType;
use crate::ids::JobName;
use crate::lane::Lane;
use std::collections::{BTreeMap, BTreeSet};

/// Work that follows a phase of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// Join these chunks with all existing answers.
    Join(BTreeSet<u32>),
    /// Send the remainder of the latest pass.
    AnswerRemainder(Remainder),
    /// Send unanswered rows in a new pass.
    NewPass(NewPass),
    /// End the run as failed: no job has returned anything, and no round is left.
    Fail,
    /// Complete the run: no more rows are sent.
    End(Ending),
}

/// Pass over unanswered rows.
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
    /// Names of failed jobs whose rows are now sent on demand, at full price, which the summary reports.
    pub failed_jobs: BTreeSet<JobName>,
    /// Remaining work if the rows do not form a single job (because they are too few, or too large to fit together): they
    /// are not sent again, and keep their reasons.
    pub otherwise: Ending,
}

/// Selection of unanswered rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSelection {
    /// All unanswered rows.
    All,
    /// Rows of jobs that Bedrock did not accept in batch.
    Refused,
    /// Rows of jobs that failed for a transient reason.
    Failed,
}

/// Remaining work once no more rows are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Write the answers of duplicates, and rewrite files so that columns have one type in all of them.
    LastJoin {
        /// Types of the fields' columns.
        types: Vec<ColumnType>,
        /// Chunks whose columns have other types.
        chunks: Vec<u32>,
    },
    /// Write wide rows.
    Pivot,
    /// Write the summary.
    Finish,
}
