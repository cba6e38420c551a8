//! What runs and stages have in common.

use super::inference::Inference;
use super::prompts::{ExpandedLayout, PromptConfig};
use schemars::JsonSchema;
use std::collections::BTreeMap;

#[derive(JsonSchema)]
pub(super) struct RunFields {
    /// Part of every job name and key; reduced to letters, digits and `-`. Unlike those of other stages.
    #[schemars(length(min = 1))]
    job_name_prefix: String,
    /// Foundation model, inference profile (`us.`, `eu.`, `apac.`, `global.`, …) or ARN of one.
    #[schemars(length(min = 1))]
    model_id: String,
    /// A file of `prompt-templates/`, without `.toml`: the short form of `prompt_config` with mode `single`. Absent for
    /// embedding models, which read the column `input_text`.
    prompt_id: Option<String>,
    /// Which prompts rows are asked.
    prompt_config: Option<PromptConfig>,
    /// With mode `mapped`: prompts by the value of a column; `default` for all other values. Case and outer spaces do
    /// not count.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 10_000))]
    category_to_prompt_mapping: Option<BTreeMap<String, String>>,
    /// With mode `expanded`: one row a prompt (`long`, the default), or one row with columns for each prompt (`wide`).
    expanded_layout: Option<ExpandedLayout>,
    /// Whether rows are asked with an image each. Default: `text`.
    input_type: Option<InputType>,
    /// With `input_type` `image`: the column that names a row's image, as an S3 address or a key of the bucket. Default:
    /// `image_path`.
    image_column: Option<String>,
    /// New names of columns, with their old ones: `{"new": "old"}`.
    column_mappings: Option<BTreeMap<String, String>>,
    /// Whether rows that came out of the run or stage before with `error` are asked as well. Default: false.
    include_failed: Option<bool>,
    /// Rows taken at the most, from the first on.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    max_records_total: Option<u64>,
    /// Jobs of the first pass at the most.
    #[schemars(range(min = 1, max = 100_000))]
    max_num_jobs: Option<u32>,
    /// Records per job at the most. Default: the stack's `maxRecordsPerJob` (1000).
    #[schemars(range(min = 1, max = 100_000))]
    max_records_per_job: Option<u32>,
    /// Batch jobs at once; never above the stack's `maxSubmittedAndInProgressJobs`.
    #[schemars(range(min = 1, max = 10_000))]
    max_concurrent_jobs: Option<u32>,
    /// How the model is to answer.
    inference: Option<Inference>,
    /// Default: `["parquet"]`.
    output_formats: Option<Vec<OutputFormat>>,
    /// Whether numbers and booleans of CSV files get types. Default: false, cells stay the text that was written.
    infer_types: Option<bool>,
    /// `auto` (default): in batch where that is possible, else on demand. `batch`: in batch only. `realtime`: on demand
    /// only, at the full price.
    processing_mode: Option<ProcessingMode>,
    /// With mode `auto`: fewer rows than this go on demand. Default: the model's minimum of records per job (100).
    #[schemars(range(min = 1, max = 1_000_000_000))]
    batch_threshold: Option<u64>,
    /// How often rows without an answer are asked again. Default: 1.
    #[schemars(range(min = 0, max = 10))]
    max_retry_rounds: Option<u32>,
    /// Why rows are asked again; `[]` for never. Default: `["missing", "error"]`.
    retry_on: Option<Vec<RetryOn>>,
    /// On demand: requests at once, of the whole run. Default: 5.
    #[schemars(range(min = 1, max = 100))]
    max_workers: Option<u32>,
    /// On demand: requests a second, of the whole run. Default: 5.
    #[schemars(range(min = 0.1, max = 1000.0))]
    requests_per_second: Option<f64>,
    /// Models (ids, or how they begin) that are asked on demand through the inference profile of the region. Default:
    /// the stack's list.
    inference_profile_required_models: Option<Vec<String>>,
    /// The ARN of the inference profile to ask by.
    inference_profile_arn: Option<String>,
    /// On demand: a model of the same family that is asked once Bedrock refuses the first as unavailable or not
    /// permitted.
    fallback_model_id: Option<String>,
    /// Whether rows with the same model input are asked once. Default: true.
    deduplicate: Option<bool>,
}

/// What is read.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum InputType {
    Text,
    Image,
}

/// A file format of the answered rows.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum OutputFormat {
    Parquet,
    Csv,
}

/// How rows are asked.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum ProcessingMode {
    Auto,
    Batch,
    Realtime,
}

/// Why a row without an answer is asked again.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum RetryOn {
    Missing,
    Error,
    Unparsed,
}
