//! What a run freezes when it starts: later steps read `runs/<run>/plan.json` and nothing else, so that a template
//! edited in the middle changes nothing.

use crate::input::RunRequest;
use crate::model::{InvocationType, Model};
use crate::prompt::Prompt;
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
    /// The prompt's whole text; `None` for embeddings.
    pub prompt: Option<Prompt>,
    /// The model with its limits and price.
    pub model: Model,
    /// What was read.
    pub sources: Vec<Source>,
    /// The input's columns, in order.
    pub columns: Vec<String>,
    /// What preprocess counted.
    pub counts: PlanCounts,
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
    /// Rows in the input.
    pub rows: u64,
    /// Records sent to the model.
    pub records: u64,
    /// Rows not sent, by reason; those over a limit that the user set appear in no output.
    pub skipped: BTreeMap<String, u64>,
    /// Rows that could not be sent, by reason; they come out with `error`.
    pub rejected: BTreeMap<String, u64>,
    /// Things a user may want to know, with how often: empty cells in used columns, ignored objects, …
    pub warnings: BTreeMap<String, u64>,
    /// Jobs.
    pub jobs: u32,
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
}

/// What preprocess hands to the state machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// The run.
    pub run_id: String,
    /// The bucket of everything.
    pub bucket: String,
    /// The key of the job manifest.
    pub jobs_key: String,
    /// The key of the plan.
    pub plan_key: String,
    /// The model, for the jobs.
    pub model_id: String,
    /// How Bedrock is to read the records.
    pub invocation_type: InvocationType,
    /// The Distributed Map's concurrency.
    pub max_concurrent_jobs: u32,
    /// Jobs.
    pub jobs: u32,
}
