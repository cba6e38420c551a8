//! The work of postprocess: one task per item of a Distributed Map.

use crate::extract::ColumnType;
use crate::format_version::FormatVersion;
use crate::ids::{DuplicatesName, ItemName, JobName};
use crate::lane::Lane;
use crate::plan::JobItem;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// Task to write one file of answered rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredTask", into = "StoredTask")]
pub enum JoinTask {
    /// Join a chunk with its answers, after a job of the first pass (see [`JoinTask::of_first_job`]) or after a whole pass.
    Chunk {
        /// The chunk.
        chunk: u32,
        /// Name under which its counts are stored.
        name: JobName,
        /// All jobs that had rows of it, in the order in which they ran.
        attempts: Vec<ChunkAttempt>,
        /// Types of the fields' columns; without them, those of the chunk's own values.
        types: Option<Vec<ColumnType>>,
        /// Identity of the join.
        stamp: JoinStamp,
    },
    /// Write a file of duplicates with the answers of the rows that they equal.
    Duplicates {
        /// Number of the file.
        file: u32,
        /// Name under which its counts are stored.
        name: DuplicatesName,
        /// Types of the fields' columns; without them, those of the file's own values.
        types: Option<Vec<ColumnType>>,
        /// Identity of the join.
        stamp: JoinStamp,
    },
    /// Write the rows of a chunk, which are already joined and counted, as wide rows.
    Pivot {
        /// The chunk.
        chunk: u32,
        /// Name under which its counts are stored.
        name: JobName,
    },
}

impl JoinTask {
    /// Returns the task that follows a job of the first pass, whose rows are exactly those of one chunk.
    pub fn of_first_job(job: &JobItem) -> Self {
        let attempt =
            ChunkAttempt { index: job.index, name: job.name.clone(), pass: 0, lane: job.lane, records: job.records };
        let (chunk, name, stamp) = (job.index, job.name.clone(), JoinStamp::FirstJob);
        Self::Chunk { chunk, name, attempts: vec![attempt], types: None, stamp }
    }

    /// Returns the name under which the counts of the file are stored.
    pub fn name(&self) -> ItemName<'_> {
        match self {
            Self::Chunk { name, .. } | Self::Pivot { name, .. } => name.into(),
            Self::Duplicates { name, .. } => name.into(),
        }
    }

    /// Returns the number of the chunk or file of duplicates.
    pub fn index(&self) -> u32 {
        match self {
            Self::Chunk { chunk, .. } | Self::Pivot { chunk, .. } => *chunk,
            Self::Duplicates { file, .. } => *file,
        }
    }

    /// Returns the stamp that is stored with the counts; `None` for a task that counts nothing.
    pub fn stamp(&self) -> Option<&JoinStamp> {
        match self {
            Self::Chunk { stamp, .. } | Self::Duplicates { stamp, .. } => Some(stamp),
            Self::Pivot { .. } => None,
        }
    }
}

/// A job that had rows of a chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkAttempt {
    /// Number of the job within the run.
    pub index: u32,
    /// Name of the job.
    pub name: JobName,
    /// Pass that its rows belong to.
    pub pass: u32,
    /// Lane of the job.
    pub lane: Lane,
    /// Number of the chunk's rows that it had: the next ones, in the order of the chunk, of those that were unanswered when
    /// the pass began.
    pub records: u32,
}

/// Identity of a join. It is stored with the counts, so that those of an earlier join are not taken for those of this one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum JoinStamp {
    /// The join that follows a job of the first pass.
    #[default]
    FirstJob,
    /// A join of many chunks after a pass.
    AfterPass {
        /// Name of the execution that the join belongs to.
        execution: String,
        /// The pass.
        pass: u32,
    },
}

/// Error for a text that is not a stamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a join stamp: must be empty, or the name of an execution, a space and the number of a pass")]
pub struct InvalidJoinStamp(String);

impl TryFrom<String> for JoinStamp {
    type Error = InvalidJoinStamp;

    fn try_from(text: String) -> Result<Self, InvalidJoinStamp> {
        if text.is_empty() {
            return Ok(Self::FirstJob);
        }
        let parts =
            text.rsplit_once(' ').and_then(|(execution, pass)| Some((execution.to_owned(), pass.parse().ok()?)));
        match parts {
            Some((execution, pass)) => Ok(Self::AfterPass { execution, pass }),
            None => Err(InvalidJoinStamp(text)),
        }
    }
}

impl From<JoinStamp> for String {
    fn from(stamp: JoinStamp) -> Self {
        match stamp {
            JoinStamp::FirstJob => Self::new(),
            JoinStamp::AfterPass { execution, pass } => format!("{execution} {pass}"),
        }
    }
}

/// Kind of a stored task.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TaskKind {
    Chunk,
    Duplicates,
    Pivot,
}

/// Task in its stored format. Version 1 distinguished the kinds by two booleans. They are still written: while a deployment
/// replaces functions one by one, a function of version 1 may read a task of this version.
#[derive(Serialize, Deserialize)]
struct StoredTask {
    #[serde(default)]
    version: FormatVersion,
    #[serde(default)]
    task: Option<TaskKind>,
    index: u32,
    name: String,
    #[serde(default)]
    duplicates: bool,
    #[serde(default, rename = "widen")]
    is_pivot: bool,
    #[serde(default)]
    jobs: Vec<ChunkAttempt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    types: Option<Vec<ColumnType>>,
    #[serde(default)]
    stamp: JoinStamp,
}

impl TryFrom<StoredTask> for JoinTask {
    type Error = Problem;

    fn try_from(stored: StoredTask) -> Result<Self, Problem> {
        let kind = stored.task.unwrap_or(match (stored.duplicates, stored.is_pivot) {
            (_, true) => TaskKind::Pivot,
            (true, false) => TaskKind::Duplicates,
            (false, false) => TaskKind::Chunk,
        });
        let StoredTask { index, name, jobs: attempts, types, stamp, .. } = stored;
        Ok(match kind {
            TaskKind::Chunk => Self::Chunk { chunk: index, name: JobName::parse(&name)?, attempts, types, stamp },
            TaskKind::Duplicates => Self::Duplicates { file: index, name: DuplicatesName::parse(&name)?, types, stamp },
            TaskKind::Pivot => Self::Pivot { chunk: index, name: JobName::parse(&name)? },
        })
    }
}

impl From<JoinTask> for StoredTask {
    fn from(task: JoinTask) -> Self {
        let (kind, index, name, jobs, types, stamp): (_, _, String, _, _, _) = match task {
            JoinTask::Chunk { chunk, name, attempts, types, stamp } => {
                (TaskKind::Chunk, chunk, name.into(), attempts, types, stamp)
            }
            JoinTask::Duplicates { file, name, types, stamp } => {
                (TaskKind::Duplicates, file, name.into(), Vec::new(), types, stamp)
            }
            JoinTask::Pivot { chunk, name } => {
                (TaskKind::Pivot, chunk, name.into(), Vec::new(), None, JoinStamp::default())
            }
        };
        Self {
            version: FormatVersion::CURRENT,
            task: Some(kind),
            index,
            name,
            duplicates: matches!(kind, TaskKind::Duplicates),
            is_pivot: matches!(kind, TaskKind::Pivot),
            jobs,
            types,
            stamp,
        }
    }
}
