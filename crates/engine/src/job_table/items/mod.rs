//! Items of the job table.

mod corrupt_item;

use super::attributes::{Attributes, Item};
use crate::error::EngineError;
use bedrock_batch_domain::contract::job_table::{PARTITION_KEY, RUN_INDEX};
use bedrock_batch_domain::ids::{DuplicatesName, ExecutionArn, ItemName, JobArn, JobName, RunId};
use bedrock_batch_domain::job::{FailureKind, JobStatus, classify_failure};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::summary::ChunkCounts;

pub use corrupt_item::CorruptItem;

/// Item of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all items are jobs")]
pub enum StoredItem {
    /// Job, with the counts of its chunk if it is of pass 0.
    Job(StoredJob),
    /// Chunk whose job was never started.
    Chunk(JobName, StoredFile),
    /// File of duplicates.
    Duplicates(DuplicatesName, StoredFile),
}

/// Stored job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// Name, the key.
    pub name: JobName,
    /// The run.
    pub run_id: RunId,
    /// Model, as the run names it.
    pub model_id: String,
    /// Number within the run.
    pub index: u32,
    /// Number of its records.
    pub records: u64,
    /// Number of times its rows had been sent before.
    pub round: u32,
    /// Lane in which its records are sent.
    pub lane: Lane,
    /// Execution that created it, or that waits for it now.
    pub execution_arn: ExecutionArn,
    /// Token of the state machine, if one waits for the job.
    pub task_token: Option<String>,
    /// If true, the token was answered.
    pub answered: bool,
    /// ARN at Bedrock, once it is known.
    pub job_arn: Option<JobArn>,
    /// Latest status.
    pub status: Option<JobStatus>,
    /// Message of Bedrock.
    pub message: Option<String>,
    /// Number of records that Bedrock has processed, if it reports that.
    pub processed: Option<u64>,
    /// Time until which an invocation may be sending its records on demand, in seconds since 1970.
    pub leased_until: i64,
    /// If true, its rows may be sent on demand if Bedrock does not accept it in batch.
    pub on_demand_allowed: bool,
    /// Reason why its rows are sent on demand instead, if they are.
    pub fallback: Option<Fallback>,
    /// Time at which its stop was requested because it did not end within its timeout, in seconds since 1970.
    pub late_stop_at: Option<i64>,
    /// Error that failed the run.
    pub failure: Option<StoredFailure>,
    /// Counts of the latest join of the chunk of this name.
    pub counts: Option<ChunkCounts>,
    /// Number of cells that the pivot after that join has guarded for spreadsheets. `None` before it.
    pub pivot_guarded_cells: Option<u64>,
}

/// Reason why the rows of a batch job are sent on demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// Reason in words, for the summary.
    pub reason: String,
    /// If true, Bedrock did not accept the job in batch, so that its rows were never sent; otherwise the job failed.
    pub refused: bool,
}

/// Error that failed a run, as recorded by a job or chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFailure {
    /// Name of the error.
    pub error: String,
    /// Message of the error.
    pub cause: String,
}

/// Stored chunk without a job, or file of duplicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Number among the chunks, or among the files of duplicates.
    pub index: u32,
    /// Error that failed the run.
    pub failure: Option<StoredFailure>,
    /// Counts of the latest join.
    pub counts: Option<ChunkCounts>,
    /// Number of cells that the pivot after that join has guarded for spreadsheets. `None` before it.
    pub pivot_guarded_cells: Option<u64>,
}

impl StoredItem {
    /// Returns the name, which is the key.
    pub fn name(&self) -> ItemName<'_> {
        match self {
            Self::Job(StoredJob { name, .. }) | Self::Chunk(name, _) => name.into(),
            Self::Duplicates(name, _) => name.into(),
        }
    }

    /// Returns the number of the job, chunk or file of duplicates.
    pub fn index(&self) -> u32 {
        match self {
            Self::Job(job) => job.index,
            Self::Chunk(_, file) | Self::Duplicates(_, file) => file.index,
        }
    }

    /// Returns the job, if this is one.
    pub fn job(&self) -> Option<&StoredJob> {
        match self {
            Self::Job(job) => Some(job),
            Self::Chunk(..) | Self::Duplicates(..) => None,
        }
    }

    /// Returns the job, if this is one.
    pub fn into_job(self) -> Option<StoredJob> {
        match self {
            Self::Job(job) => Some(job),
            Self::Chunk(..) | Self::Duplicates(..) => None,
        }
    }

    /// Returns the counts of the latest join of this chunk or file of duplicates.
    pub fn counts(&self) -> Option<&ChunkCounts> {
        match self {
            Self::Job(job) => job.counts.as_ref(),
            Self::Chunk(_, file) | Self::Duplicates(_, file) => file.counts.as_ref(),
        }
    }

    /// Returns the number of cells that the pivot after the latest join has guarded, or `None` before it.
    pub fn pivot_guarded_cells(&self) -> Option<u64> {
        match self {
            Self::Job(job) => job.pivot_guarded_cells,
            Self::Chunk(_, file) | Self::Duplicates(_, file) => file.pivot_guarded_cells,
        }
    }

    /// Returns the error that failed the run, if this item recorded one.
    pub fn failure(&self) -> Option<&StoredFailure> {
        match self {
            Self::Job(job) => job.failure.as_ref(),
            Self::Chunk(_, file) | Self::Duplicates(_, file) => file.failure.as_ref(),
        }
    }

    /// Reads an item of the table. Every job has the attribute `lane`, and no other item has it.
    pub(super) fn read(item: &Item) -> Result<Self, EngineError> {
        let attributes = Attributes::of(item)?;
        if attributes.text("lane")?.is_some() {
            return StoredJob::read(&attributes).map(Self::Job);
        }
        let file = StoredFile {
            index: attributes.required_number(RUN_INDEX.sort_key)?,
            failure: StoredFailure::read(&attributes)?,
            counts: attributes.json("counts")?,
            pivot_guarded_cells: attributes.number("guarded_cells")?,
        };
        if let Ok(name) = DuplicatesName::parse(&attributes.required_text(PARTITION_KEY)?) {
            return Ok(Self::Duplicates(name, file));
        }
        let expected = "the name of a job or of a file of duplicates";
        Ok(Self::Chunk(attributes.required_id(PARTITION_KEY, expected)?, file))
    }
}

impl StoredJob {
    /// Returns the token of the state machine, if it has not been answered.
    pub fn unanswered_token(&self) -> Option<&str> {
        self.task_token.as_deref().filter(|_| !self.answered)
    }

    /// Returns true if the job is over.
    pub fn is_over(&self) -> bool {
        self.fallback.is_some() || self.status.is_some_and(JobStatus::is_terminal)
    }

    /// Returns Bedrock's message if the job failed for a reason that is not known.
    pub fn unknown_failure(&self) -> Option<&str> {
        let has_failed = self.lane == Lane::Batch && self.fallback.is_none() && self.status == Some(JobStatus::Failed);
        let message = self.message.as_deref().unwrap_or_default();
        (has_failed && classify_failure(message) == FailureKind::Unknown).then_some(message)
    }

    /// Returns true if its records were sent to the model.
    pub fn was_sent(&self) -> bool {
        match self.lane {
            Lane::OnDemand => self.status.is_some(),
            Lane::Batch => self.job_arn.is_some() && !self.fallback.as_ref().is_some_and(|fallback| fallback.refused),
        }
    }

    fn read(attributes: &Attributes<'_>) -> Result<Self, EngineError> {
        Ok(Self {
            name: attributes.required_id(PARTITION_KEY, "the name of a job")?,
            run_id: attributes.required_id(RUN_INDEX.partition_key, "the id of a run")?,
            model_id: attributes.required_text("model_id")?,
            index: attributes.required_number(RUN_INDEX.sort_key)?,
            records: attributes.required_number("records")?,
            round: attributes.required_number("round")?,
            lane: attributes.required_parsed("lane", "`batch` or `on_demand`", Lane::parse)?,
            execution_arn: attributes.required_id("execution_arn", "the ARN of an execution")?,
            task_token: attributes.text("task_token")?,
            answered: attributes.flag("answered")?.unwrap_or(false),
            job_arn: attributes.id("job_arn", "the ARN of a batch job")?,
            status: attributes.parsed("status", "the status of a job", stored_status)?,
            message: attributes.text("message")?,
            processed: attributes.number("processed_records")?,
            leased_until: attributes.number("asking_until")?.unwrap_or(0),
            on_demand_allowed: attributes.required_flag("may_fall_back")?,
            fallback: fallback(attributes)?,
            late_stop_at: attributes.number("late_stop_at")?,
            failure: StoredFailure::read(attributes)?,
            counts: attributes.json("counts")?,
            pivot_guarded_cells: attributes.number("guarded_cells")?,
        })
    }
}

/// Parses a stored status. Statuses of Bedrock that were not known were stored as `Unknown`, so all stored names are known.
fn stored_status(name: &str) -> Option<JobStatus> {
    Some(JobStatus::parse(name)).filter(|status| status.name() == name)
}

fn fallback(attributes: &Attributes<'_>) -> Result<Option<Fallback>, EngineError> {
    let Some(reason) = attributes.text("fell_back")? else { return Ok(None) };
    // Items of earlier versions have no `refused`.
    let refused = attributes.flag("refused")?.unwrap_or(false);
    Ok(Some(Fallback { reason, refused }))
}

impl StoredFailure {
    /// Reads the two attributes, which are written and removed together.
    pub(super) fn read(attributes: &Attributes<'_>) -> Result<Option<Self>, EngineError> {
        let Some(error) = attributes.text("failure_error")? else { return Ok(None) };
        Ok(Some(Self { error, cause: attributes.required_text("failure_cause")? }))
    }
}

#[cfg(test)]
mod tests;
