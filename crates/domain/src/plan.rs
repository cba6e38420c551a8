//! What a run freezes when it starts: later steps read `runs/<run>/plan.json` and nothing else, so that a template
//! edited in the middle changes nothing.

use crate::columns::Column;
use crate::extract::ColumnType;
use crate::input::{ProcessingMode, RunRequest};
use crate::lane::Lane;
use crate::layout::Layout;
use crate::model::{InvocationType, Model};
use crate::prompt::PromptPlan;
use crate::rounds::{Mode, StepName};
use crate::row_error::RowErrorCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The frozen plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The run.
    pub run_id: String,
    /// The execution that it belongs to.
    pub execution_arn: String,
    /// When the execution started, as Step Functions wrote it (RFC 3339).
    pub started_at: String,
    /// The bucket of everything.
    pub bucket: String,
    /// The job table, for whoever wants to see how the run stands.
    pub task_table: String,
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
    /// Keys of the files of answered rows of one format: chunks first, then duplicates.
    pub fn output_keys(&self, extension: &str) -> impl Iterator<Item = String> {
        let layout = Layout::new(&self.request.job_name_prefix, &self.run_id);
        let (files, duplicates) = (layout.clone(), layout);
        let chunks = (0..self.counts.jobs).map(move |chunk| files.output_key(chunk, extension));
        let duplicate_files = 0..self.counts.duplicate_chunks;
        chunks.chain(duplicate_files.map(move |file| duplicates.duplicate_output_key(file, extension)))
    }

    /// The first step of the run: the jobs of its first pass.
    pub fn first_step(&self, execution_arn: &str) -> Step {
        // Only the small chunk: there is nothing for a batch pass.
        let only_small = self.small_chunk && self.counts.jobs == 1;
        let (step, pass) = match self.lane {
            Lane::Batch if !only_small => (StepName::ProcessJobs, 0),
            Lane::Batch => (StepName::AnswerOnDemand, 1),
            Lane::OnDemand => (StepName::AnswerOnDemand, 0),
        };
        Step {
            step,
            run_id: self.run_id.clone(),
            bucket: self.bucket.clone(),
            execution_arn: execution_arn.to_owned(),
            manifest_key: Layout::pass_jobs_key(&self.run_id, pass),
            max_concurrency: self.concurrency(step),
            model_id: self.model.id.clone(),
            invocation_type: self.model.family.invocation_type(),
            falls_back: self.request.invocation.processing_mode == ProcessingMode::Auto,
            pass,
            round: 0,
            last_round: self.request.invocation.max_retry_rounds,
            mode: Mode::Run,
            rest: self.small_chunk && pass == 0,
        }
    }

    /// How many items of a step's manifest are worked on at once.
    pub fn concurrency(&self, step: StepName) -> u32 {
        match step {
            StepName::ProcessJobs | StepName::RetryJobs => self.request.max_concurrent_jobs,
            // One function at a time: so the limits of requests hold for the whole run.
            StepName::AnswerOnDemand | StepName::Finish => 1,
            StepName::JoinChunks => JOINS_AT_ONCE,
        }
    }
}

/// Functions that join chunks at the same time.
const JOINS_AT_ONCE: u32 = 20;

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
    /// Whether its rows are what was left over of the pass before, too few for a batch job: they belong to that pass.
    #[serde(default)]
    pub rest: bool,
}

/// One chunk to be joined with its answers, an item of a Distributed Map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkItem {
    /// Its number: of the chunk, or of the file of duplicates.
    pub index: u32,
    /// Under which name its counts are stored.
    pub name: String,
    /// Whether its rows are duplicates of rows of other chunks.
    #[serde(default)]
    pub duplicates: bool,
    /// Whether it is joined already, and its rows are to be written as wide ones.
    #[serde(default)]
    pub widen: bool,
    /// All jobs that had rows of it, in the order in which they were asked.
    pub jobs: Vec<ChunkJob>,
    /// The types of the fields' columns; those of the chunk's own values where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<ColumnType>>,
    /// Which join this is: stored with the counts, so that those of an earlier one are known as such.
    #[serde(default)]
    pub stamp: String,
}

/// A job that had rows of a chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkJob {
    /// Its number within the run.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The pass that its rows belong to.
    pub pass: u32,
    /// How its rows were asked.
    pub lane: Lane,
    /// How many of the chunk's unanswered rows it had: the next ones in the order of the chunk.
    pub records: u32,
}

impl ChunkItem {
    /// The chunk of a job of the first pass, whose rows are exactly the job's.
    pub fn of_job(job: &JobItem) -> Self {
        let own = ChunkJob { index: job.index, name: job.name.clone(), pass: 0, lane: job.lane, records: job.records };
        Self {
            index: job.index,
            name: job.name.clone(),
            duplicates: false,
            widen: false,
            jobs: vec![own],
            types: None,
            stamp: String::new(),
        }
    }
}

/// How many rows of which chunks a job has, in order.
pub type Parts = Vec<(u32, u32)>;

/// What the state machine is to do next: the output of preprocess and of every `NextStep`, handed on from state to
/// state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The state to go to.
    pub step: StepName,
    /// The run.
    pub run_id: String,
    /// The bucket of everything.
    pub bucket: String,
    /// The running execution: that of the run, or of the one that resumes or collects it.
    pub execution_arn: String,
    /// The key of the manifest that the state reads.
    pub manifest_key: String,
    /// How many of its items at once.
    pub max_concurrency: u32,
    /// The model, for batch jobs.
    pub model_id: String,
    /// How Bedrock is to read the records.
    pub invocation_type: InvocationType,
    /// Whether jobs that Bedrock does not take in batch are asked on demand.
    pub falls_back: bool,
    /// The latest pass: a trip over jobs of one lane.
    pub pass: u32,
    /// The latest round: how often rows were asked again.
    pub round: u32,
    /// The last round that may be.
    pub last_round: u32,
    /// What is done with the run.
    pub mode: Mode,
    /// Whether the next pass is written down already: rows left over of this one, too few for a batch job, to be asked on
    /// demand.
    #[serde(default)]
    pub rest: bool,
}
