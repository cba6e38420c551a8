//! What a run freezes when it starts: later steps read `runs/<run>/plan.json` and nothing else, so that a template
//! edited in the middle changes nothing.

use crate::columns::Column;
use crate::format_version::FormatVersion;
use crate::ids::{ExecutionArn, JobName, RunId};
use crate::input::RunRequest;
use crate::lane::Lane;
use crate::layout::Layout;
use crate::model::Model;
use crate::prompt::PromptPlan;
use crate::row_error::RowErrorCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The frozen plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of the run's stored form.
    #[serde(default)]
    pub version: FormatVersion,
    /// The run.
    pub run_id: RunId,
    /// The execution that it belongs to.
    pub execution_arn: ExecutionArn,
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
    /// Keys of the files of answered rows of one format: chunks first, then duplicates.
    pub fn output_keys(&self, extension: &str) -> impl Iterator<Item = String> {
        let layout = Layout::new(&self.request.job_name_prefix, &self.run_id);
        let (files, duplicates) = (layout.clone(), layout);
        let chunks = (0..self.counts.jobs).map(move |chunk| files.output_key(chunk, extension));
        let duplicate_files = 0..self.counts.duplicate_chunks;
        chunks.chain(duplicate_files.map(move |file| duplicates.duplicate_output_key(file, extension)))
    }
}

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
    pub name: JobName,
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
