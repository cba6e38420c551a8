//! What a run freezes when it starts: later steps read `runs/<run>/plan.json` and nothing else, so that a template
//! edited in the middle changes nothing.

use crate::columns::Column;
use crate::input::{ProcessingMode, RunRequest};
use crate::lane::Lane;
use crate::layout::Layout;
use crate::model::Model;
use crate::prompt::PromptPlan;
use crate::row_error::RowErrorCode;
use crate::run::{RunShape, RunState, Step, StepName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the form of what a run stores. It is counted up when the meaning of stored fields changes; new fields alone
/// do not change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct FormatVersion(u32);

impl FormatVersion {
    /// The version before versions were written: steps without a phase, tasks of joins told apart by booleans.
    pub const FIRST: Self = Self(1);
    /// The version that is written.
    pub const CURRENT: Self = Self(2);
}

/// What has no version was written by the first one.
impl Default for FormatVersion {
    fn default() -> Self {
        Self::FIRST
    }
}

/// A version that this program does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`version` is `{0}`: must be between 1 and {max}; deploy the version that wrote it", max = FormatVersion::CURRENT.0)]
pub struct UnknownVersion(u32);

impl TryFrom<u32> for FormatVersion {
    type Error = UnknownVersion;

    fn try_from(version: u32) -> Result<Self, UnknownVersion> {
        let known = Self::FIRST.0..=Self::CURRENT.0;
        if known.contains(&version) { Ok(Self(version)) } else { Err(UnknownVersion(version)) }
    }
}

impl From<FormatVersion> for u32 {
    fn from(version: FormatVersion) -> Self {
        version.0
    }
}

/// The frozen plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of the run's stored form.
    #[serde(default)]
    pub version: FormatVersion,
    /// The run.
    pub run_id: String,
    /// The execution that it belongs to.
    pub execution_arn: String,
    /// When the execution started, as Step Functions wrote it (RFC 3339).
    pub started_at: String,
    /// The bucket of everything.
    pub bucket: String,
    /// Name of the job table, with which the command line shows the progress of the run.
    #[serde(rename = "task_table")]
    pub job_table: String,
    /// The checked request.
    pub request: RunRequest,
    /// The prompts' whole texts, and how a row comes to its own.
    pub prompts: PromptPlan,
    /// The model with its limits and prices.
    pub model: Model,
    /// How rows are asked on demand, should it come to that.
    pub on_demand: OnDemand,
    /// What was read.
    pub sources: Vec<Source>,
    /// The input's columns, in order, as they are read; `record_id` included where the input has it.
    pub columns: Vec<Column>,
    /// What preprocess counted.
    pub counts: PlanCounts,
    /// How the rows are asked first.
    #[serde(default)]
    pub lane: Lane,
    /// Whether the last chunk is too small for a batch job, and is asked on demand in a pass of its own.
    #[serde(default)]
    pub small_chunk: bool,
}

impl Plan {
    /// Returns the first step of the run: the jobs of its first pass.
    pub fn first_step(&self, execution_arn: &str) -> Step {
        let last_round = self.request.invocation.max_retry_rounds;
        let (state, lane) = RunState::first(&RunShape::from(self), self.lane, last_round);
        let step = state.phase.step(lane);
        Step {
            step,
            run_id: self.run_id.clone(),
            bucket: self.bucket.clone(),
            execution_arn: execution_arn.to_owned(),
            manifest_key: Layout::pass_jobs_key(&self.run_id, state.pass),
            max_concurrency: self.concurrency(step),
            model_id: self.model.id.clone(),
            invocation_type: self.model.family.invocation_type(),
            on_demand_allowed: self.request.invocation.processing_mode == ProcessingMode::Auto,
            state,
        }
    }

    /// Returns the maximum number of items of a step's manifest that are worked on at once.
    pub fn concurrency(&self, step: StepName) -> u32 {
        match step {
            StepName::ProcessJobs | StepName::RetryJobs => self.request.max_concurrent_jobs,
            // One function at a time: so the limits of requests hold for the whole run.
            StepName::AnswerOnDemand | StepName::Finish => 1,
            StepName::JoinChunks => MAX_CONCURRENT_JOINS,
        }
    }
}

/// Maximum number of functions that join chunks at the same time.
const MAX_CONCURRENT_JOINS: u32 = 20;

/// One object that rows were read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `s3://bucket/key`.
    pub uri: String,
    /// Its `ETag` when it was read.
    pub etag: String,
    /// Its size.
    pub bytes: u64,
}

/// What preprocess counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCounts {
    /// Rows in the input; those that are asked several prompts count once for each.
    pub rows: u64,
    /// Rows in the input.
    #[serde(default)]
    pub input_rows: u64,
    /// Records sent to the model.
    pub records: u64,
    /// Rows over a limit that the user set, by the words for the reason; they appear in no output.
    pub skipped: BTreeMap<String, u64>,
    /// The same rows by the code of the reason; none in the plans of versions without codes.
    #[serde(default)]
    pub skipped_codes: BTreeMap<RowErrorCode, u64>,
    /// Rows that could not be sent, by the words for the reason; they come out with `error`.
    pub rejected: BTreeMap<String, u64>,
    /// Things a user may want to know, with how often: empty cells in used columns, ignored objects, …
    pub warnings: BTreeMap<String, u64>,
    /// Chunks, each of which is one job in the first pass.
    pub jobs: u32,
    /// Rows whose whole model input is that of an earlier row: asked once, answered for all.
    #[serde(default)]
    pub duplicates: u64,
    /// Files of such rows.
    #[serde(default)]
    pub duplicate_chunks: u32,
}

/// How rows are asked on demand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OnDemand {
    /// The model; where Bedrock wants one, under the name of an inference profile.
    pub model: Model,
    /// Who is asked when that model is refused as unavailable or not permitted.
    pub fallback: Option<Model>,
}

/// One job, an item of `runs/<run>/jobs.json` and so of the Distributed Map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobItem {
    /// Its number within the run.
    pub index: u32,
    /// Its name at Bedrock and in the job table.
    pub name: String,
    /// Records in its file.
    pub records: u32,
    /// What Bedrock reads.
    pub input_uri: String,
    /// Where Bedrock writes.
    pub output_uri: String,
    /// How often its rows had been asked before.
    #[serde(default)]
    pub round: u32,
    /// How its rows are asked.
    #[serde(default)]
    pub lane: Lane,
    /// If true, its rows are the remainder of the pass before, too few for a batch job: they belong to that pass.
    #[serde(default, rename = "rest")]
    pub is_remainder: bool,
}

/// The rows of a job: chunks in order, with the number of rows of each.
pub type Parts = Vec<(u32, u32)>;
