//! The input of a run.

use super::inline_prompts::PromptOrRule;
use super::required_sets::require_any_set;
use super::run_fields::RunFields;
use schemars::{JsonSchema, Schema};
use std::collections::BTreeMap;

/// Input that starts an execution of the batch orchestrator, which sends every row of a table, or every image of a
/// folder, to one model.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "Execution input of the batch orchestrator", transform = require_fields)]
pub(super) struct ExecutionInput {
    /// JSON Schema with which editors complete and validate this file. Otherwise ignored.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// Address of the rows, `s3://bucket/path`: a `.csv`, `.tsv`, `.jsonl` or `.ndjson` (all also as `.gz`, `.zst` or `.bz2`), `.parquet` or `.xlsx` object,
    /// a prefix of several such objects with the same schema, or (with `input_type` `image`) a prefix of images. Excludes `dataset_id` and
    /// `previous_run`.
    s3_uri: Option<String>,
    /// `ETag` that the object at `s3_uri` must have when the run reads it. Uploads set it.
    #[schemars(length(min = 1))]
    s3_etag: Option<String>,
    /// In place of `s3_uri`: the answered rows of an earlier run.
    previous_run: Option<PreviousRun>,
    /// Prompts and expansion rules by name, for this input alone. They take precedence over those of the stack.
    #[schemars(extend("maxProperties" = 1000))]
    prompts: Option<BTreeMap<String, PromptOrRule>>,
    /// Number of days for which links to the answers are valid.
    #[schemars(range(min = 1, max = 90))]
    presigned_url_expiry_days: Option<u32>,
    /// Resumes a run that has ended: submits the rows that it left unsent or unanswered. The only field, or together with
    /// the input that the run was started with.
    resume_run: Option<String>,
    /// Joins the answers that a stopped or failed run has, without sending any requests. The only field, or together with
    /// the input that the run was started with.
    collect_run: Option<String>,
    /// In place of everything else: address of an object that holds the input as JSON (up to 5 MB), for inputs that are
    /// too large to be passed directly (over 200 KiB).
    config_s3_uri: Option<String>,
    /// `ETag` that the object at `config_s3_uri` must have when the execution reads it. Uploads set it.
    #[schemars(length(min = 1))]
    config_s3_etag: Option<String>,
    #[schemars(flatten)]
    run: RunFields,
}

/// Earlier run.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
struct PreviousRun {
    /// Id of the run.
    run_id: String,
    /// Name of the run in error messages, and prefix of those of its columns whose names newer columns take
    /// (`<stage_name>_response`). Default: `previous`.
    stage_name: Option<String>,
}

fn require_fields(schema: &mut Schema) {
    require_any_set(
        schema,
        &[
            &["job_name_prefix", "model_id", "s3_uri"],
            &["job_name_prefix", "model_id", "dataset_id"],
            &["job_name_prefix", "model_id", "previous_run"],
            &["resume_run"],
            &["collect_run"],
            &["config_s3_uri"],
        ],
    );
}
