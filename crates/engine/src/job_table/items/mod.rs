//! What is stored under one name.

use super::attributes::{Attributes, Item};
use crate::error::EngineError;
use bedrock_batch_domain::contract::job_table::{PARTITION_KEY, RUN_INDEX};
use bedrock_batch_domain::ids::{DuplicatesName, ExecutionArn, ItemName, JobArn, JobName, RunId};
use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::summary::ChunkCounts;

/// An item of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredItem {
    /// A job, and the counts of its chunk if it is of pass 0.
    Job(StoredJob),
    /// A chunk whose job was never begun.
    Chunk(JobName, StoredFile),
    /// A file of duplicates.
    Duplicates(DuplicatesName, StoredFile),
}

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// Name, the key.
    pub name: JobName,
    /// The run.
    pub run_id: RunId,
    /// Number within the run.
    pub index: u32,
    /// Records sent.
    pub records: u64,
    /// Number of times its rows had been sent before.
    pub round: u32,
    /// How its records reach the model.
    pub lane: Lane,
    /// The execution that made it, or that waits for it now.
    pub execution_arn: ExecutionArn,
    /// The state machine's token, if one waits for the job.
    pub task_token: Option<String>,
    /// If true, the token was answered.
    pub answered: bool,
    /// Bedrock's ARN, once it is known.
    pub job_arn: Option<JobArn>,
    /// The latest status.
    pub status: Option<JobStatus>,
    /// Bedrock's message.
    pub message: Option<String>,
    /// Records that Bedrock has processed, as far as it reports them.
    pub processed: Option<u64>,
    /// Until when an invocation may be sending its records on demand, in seconds since 1970.
    pub leased_until: i64,
    /// If true, its rows may go on demand should Bedrock not take it in batch.
    pub on_demand_allowed: bool,
    /// Set if its rows go on demand instead.
    pub fallback: Option<Fallback>,
    /// Error that failed the run.
    pub failure: Option<StoredFailure>,
    /// Counts of the latest join of the chunk of this name.
    pub counts: Option<ChunkCounts>,
}

/// Why the rows of a batch job go on demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// Words for the summary.
    pub reason: String,
    /// If true, Bedrock did not take the job in batch, so that its rows were never sent. Else the job failed.
    pub refused: bool,
}

/// Error that failed a run, as the job or chunk recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFailure {
    /// Name of the error.
    pub error: String,
    /// Message of the error.
    pub cause: String,
}

/// A chunk without a job, or a file of duplicates, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Number among the chunks, or among the files of duplicates.
    pub index: u32,
    /// Error that failed the run.
    pub failure: Option<StoredFailure>,
    /// Counts of the latest join.
    pub counts: Option<ChunkCounts>,
}

impl StoredItem {
    /// The name, which is the key.
    pub fn name(&self) -> ItemName<'_> {
        match self {
            Self::Job(StoredJob { name, .. }) | Self::Chunk(name, _) => name.into(),
            Self::Duplicates(name, _) => name.into(),
        }
    }

    /// The number of the job, chunk or file of duplicates.
    pub fn index(&self) -> u32 {
        match self {
            Self::Job(job) => job.index,
            Self::Chunk(_, file) | Self::Duplicates(_, file) => file.index,
        }
    }

    /// The job, if this is one.
    pub fn job(&self) -> Option<&StoredJob> {
        match self {
            Self::Job(job) => Some(job),
            Self::Chunk(..) | Self::Duplicates(..) => None,
        }
    }

    /// The job, if this is one.
    pub fn into_job(self) -> Option<StoredJob> {
        match self {
            Self::Job(job) => Some(job),
            Self::Chunk(..) | Self::Duplicates(..) => None,
        }
    }

    /// Counts of the latest join of this chunk or file of duplicates.
    pub fn counts(&self) -> Option<&ChunkCounts> {
        match self {
            Self::Job(job) => job.counts.as_ref(),
            Self::Chunk(_, file) | Self::Duplicates(_, file) => file.counts.as_ref(),
        }
    }

    /// Error that failed the run, if this recorded one.
    pub fn failure(&self) -> Option<&StoredFailure> {
        match self {
            Self::Job(job) => job.failure.as_ref(),
            Self::Chunk(_, file) | Self::Duplicates(_, file) => file.failure.as_ref(),
        }
    }

    /// Reads an item of the table. `lane` is what a job has from its beginning on, and no other item.
    pub(super) fn read(item: &Item) -> Result<Self, EngineError> {
        let attributes = Attributes::of(item)?;
        if attributes.text("lane")?.is_some() {
            return StoredJob::read(&attributes).map(Self::Job);
        }
        let file = StoredFile {
            index: attributes.required_number(RUN_INDEX.sort_key)?,
            failure: failure(&attributes)?,
            counts: attributes.json("counts")?,
        };
        if let Ok(name) = DuplicatesName::parse(&attributes.required_text(PARTITION_KEY)?) {
            return Ok(Self::Duplicates(name, file));
        }
        let expected = "the name of a job or of a file of duplicates";
        Ok(Self::Chunk(attributes.required_id(PARTITION_KEY, expected)?, file))
    }
}

impl StoredJob {
    /// The state machine's token, if it still waits for an answer.
    pub fn unanswered_token(&self) -> Option<&str> {
        self.task_token.as_deref().filter(|_| !self.answered)
    }

    /// If true, nothing more will happen to it by itself.
    pub fn is_over(&self) -> bool {
        self.fallback.is_some() || self.status.is_some_and(JobStatus::is_terminal)
    }

    /// If true, its records were sent to the model.
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
            on_demand_allowed: attributes.flag("may_fall_back")?.unwrap_or(false),
            fallback: fallback(attributes)?,
            failure: failure(attributes)?,
            counts: attributes.json("counts")?,
        })
    }
}

/// A status is stored under its own name: a name that Bedrock gave and we did not know was stored as `Unknown`.
fn stored_status(name: &str) -> Option<JobStatus> {
    Some(JobStatus::parse(name)).filter(|status| status.name() == name)
}

fn fallback(attributes: &Attributes<'_>) -> Result<Option<Fallback>, EngineError> {
    let Some(reason) = attributes.text("fell_back")? else { return Ok(None) };
    // Items of earlier versions had no `refused`.
    let refused = attributes.flag("refused")?.unwrap_or(false);
    Ok(Some(Fallback { reason, refused }))
}

/// The two attributes are written and removed together.
fn failure(attributes: &Attributes<'_>) -> Result<Option<StoredFailure>, EngineError> {
    let Some(error) = attributes.text("failure_error")? else { return Ok(None) };
    Ok(Some(StoredFailure { error, cause: attributes.required_text("failure_cause")? }))
}

#[cfg(test)]
mod tests;
