//! The plan that a run freezes when it starts. Later steps read `runs/<run>/plan.json` and no configuration, so that a
//! template that is edited meanwhile has no effect.

use crate::columns::Column;
use crate::format_version::FormatVersion;
use crate::ids::{ExecutionArn, JobName, RunId};
use crate::input::RunRequest;
use crate::job_name_scheme::JobNameScheme;
use crate::lane::Lane;
use crate::layout::Layout;
use crate::model::Model;
use crate::prompt::PromptPlan;
use crate::row_error::RowErrorCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Frozen plan of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of the run's stored format.
    #[serde(default)]
    pub version: FormatVersion,
    /// The run.
    pub run_id: RunId,
    /// The execution that it belongs to.
    pub execution_arn: ExecutionArn,
    /// Time at which the execution started, in the format of Step Functions (RFC 3339).
    pub started_at: String,
    /// Scheme of the names of its jobs.
    #[serde(default, skip_serializing_if = "JobNameScheme::is_default")]
    pub job_names: JobNameScheme,
    /// Bucket of the stack.
    pub bucket: String,
    /// Name of the job table, from which the command line reads the progress of the run.
    #[serde(rename = "task_table")]
    pub job_table: String,
    /// Validated request.
    pub request: RunRequest,
    /// Full texts of the prompts, and their selection for each row.
    pub prompts: PromptPlan,
    /// Model with its limits and prices.
    pub model: Model,
    /// Models for requests on demand, if any are sent.
    pub on_demand: OnDemand,
    /// Objects that the rows were read from.
    pub sources: Vec<Source>,
    /// Commit of the Hugging Face dataset that the rows were read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_commit: Option<String>,
    /// Columns of the input, in order, under the names that the run uses; including `record_id` if the input has it.
    pub columns: Vec<Column>,
    /// Counts of rows and files.
    pub counts: PlanCounts,
    /// Lane of the first pass.
    #[serde(default)]
    pub lane: Lane,
    /// Maximum number of records that may be sent on demand, where the request limits their rows or their cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_on_demand_records: Option<u64>,
    /// If true, the last chunk is too small for a batch job, and is sent on demand in a pass of its own.
    #[serde(default)]
    pub small_chunk: bool,
}

impl Plan {
    /// Returns the keys of the files of answered rows in one format: chunks first, then duplicates.
    pub fn output_keys(&self, extension: &str) -> impl Iterator<Item = String> {
        let layout = Layout::new(&self.request.job_name_prefix, &self.run_id);
        let (files, duplicates) = (layout.clone(), layout);
        let chunks = (0..self.counts.jobs).map(move |chunk| files.output_key(chunk, extension));
        let duplicate_files = 0..self.counts.duplicate_chunks;
        chunks.chain(duplicate_files.map(move |file| duplicates.duplicate_output_key(file, extension)))
    }
}

/// Object, or file of a dataset, that rows were read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `s3://bucket/key`, or `hf://datasets/<id>@<commit>/<path>`.
    pub uri: String,
    /// `ETag` at the time of reading; for a file of a dataset, the identity of its content.
    pub etag: String,
    /// Size of the object.
    pub bytes: u64,
}

/// Counts of rows and files of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCounts {
    /// Rows in the input; those with several prompts count once per prompt.
    pub rows: u64,
    /// Rows in the input.
    #[serde(default)]
    pub input_rows: u64,
    /// Records sent to the model.
    pub records: u64,
    /// Rows over a limit that the user set, by the words for the reason; they are in no output.
    pub skipped: BTreeMap<String, u64>,
    /// The same rows by the code of the reason; empty in plans of versions without codes.
    #[serde(default)]
    pub skipped_codes: BTreeMap<RowErrorCode, u64>,
    /// Rows that could not be sent, by the words for the reason; the output has them with `error`.
    pub rejected: BTreeMap<String, u64>,
    /// Warnings with their number of occurrences: empty cells in used columns, ignored objects, …
    pub warnings: BTreeMap<String, u64>,
    /// Chunks, each of which is one job in the first pass.
    pub jobs: u32,
    /// Rows whose whole model input equals that of an earlier row: sent once, answered for all.
    #[serde(default)]
    pub duplicates: u64,
    /// Files of such rows.
    #[serde(default)]
    pub duplicate_chunks: u32,
}

/// Models for requests on demand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OnDemand {
    /// First model, under the name of an inference profile if Bedrock requires one.
    pub model: Model,
    /// Model that is invoked if the first one is refused as unavailable or not permitted.
    pub fallback: Option<Model>,
}

/// Job: an item of `runs/<run>/jobs.json`, and so of the Distributed Map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobItem {
    /// Number of the job within the run.
    pub index: u32,
    /// Name of the job at Bedrock and in the job table.
    pub name: JobName,
    /// Number of records in its file.
    pub records: u32,
    /// Address of the records that Bedrock reads.
    pub input_uri: String,
    /// Address that Bedrock writes answers to.
    pub output_uri: String,
    /// Number of times that its rows were sent before.
    #[serde(default)]
    pub round: u32,
    /// Lane of the job.
    #[serde(default)]
    pub lane: Lane,
    /// If true, its rows are the remainder of the previous pass, too few for a batch job: they belong to that pass.
    #[serde(default, rename = "rest")]
    pub is_remainder: bool,
}

/// Rows of a job: chunks in order, with the number of rows of each.
pub type Parts = Vec<(u32, u32)>;
