//! Input of a pipeline.

use super::inline_prompts::PromptOrRule;
use super::required_sets::require_any_set;
use super::run_fields::RunFields;
use schemars::{JsonSchema, Schema};
use std::collections::BTreeMap;

/// Input that starts an execution of the pipeline orchestrator: stages in order, each of them a run that may read the
/// answered rows of the previous stage.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "Pipeline", transform = require_fields)]
pub(super) struct PipelineInput {
    /// JSON Schema with which editors complete and validate this file. Otherwise ignored.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// Name of the pipeline, as shown in emails.
    #[schemars(length(min = 1, max = 100))]
    pipeline_name: String,
    /// Number of days for which the links of the email are valid: up to 90 with download links, else up to 7. Default: 7.
    #[schemars(range(min = 1, max = 90))]
    presigned_url_expiry_days: Option<u32>,
    /// Prompts and expansion rules by name, for all stages of this pipeline. They take precedence over those of the stack.
    #[schemars(extend("maxProperties" = 1000))]
    prompts: Option<BTreeMap<String, PromptOrRule>>,
    /// Stages, in order.
    #[schemars(length(min = 1, max = 20))]
    stages: Vec<StageInput>,
    /// In place of everything else: address of an object that holds the pipeline as JSON (up to 5 MB), for pipelines that
    /// are too large to be passed directly (over 200 KiB).
    config_s3_uri: Option<String>,
    /// `ETag` that the object at `config_s3_uri` must have when the execution reads it. Uploads set it.
    #[schemars(length(min = 1))]
    config_s3_etag: Option<String>,
}

/// Stage: a run that reads from S3, reads a dataset, or reads the answered rows of the previous stage. Every stage has exactly
/// one of `input_s3_uri`, `dataset_id` and (except the first) `use_previous_output`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Stage", transform = sources)]
struct StageInput {
    /// Name of the stage, unique within the pipeline. An older column whose name a newer one takes is renamed to
    /// `<stage_name>_<column>`.
    #[schemars(length(min = 1, max = 60))]
    stage_name: String,
    /// Address of the rows, `s3://bucket/path`: a `.csv`, `.tsv`, `.jsonl` or `.ndjson` (all also as `.gz`, `.zst` or `.bz2`), `.parquet` or `.xlsx` object,
    /// a prefix of several such objects with the same schema, or (with `input_type` `image`) a prefix of images.
    input_s3_uri: Option<String>,
    /// `ETag` that the object at `input_s3_uri` must have when the stage reads it. Uploads set it.
    #[schemars(length(min = 1))]
    input_s3_etag: Option<String>,
    /// If true, the stage reads the answered rows of the previous stage.
    use_previous_output: Option<bool>,
    #[schemars(flatten)]
    run: RunFields,
}

fn require_fields(schema: &mut Schema) {
    require_any_set(schema, &[&["pipeline_name", "stages"], &["config_s3_uri"]]);
}

fn sources(schema: &mut Schema) {
    let sources = ["input_s3_uri", "dataset_id", "use_previous_output"];
    let sources = sources.map(|field| serde_json::json!({"required": [field]})).to_vec();
    let sources = serde_json::Value::Array(sources);
    schema.insert("anyOf".to_owned(), sources);
}
