//! Fields that runs and stages have in common.

use super::csv::CsvOptions;
use super::inference::Inference;
use super::inline_prompts::InlinePrompt;
use super::prompts::{ExpandedLayout, PromptConfig};
use schemars::JsonSchema;
use std::collections::BTreeMap;

#[derive(JsonSchema)]
pub(super) struct RunFields {
    /// Part of every job name and S3 key; reduced to letters, digits and `-`. Unique among the stages of a pipeline.
    #[schemars(length(min = 1))]
    job_name_prefix: String,
    /// Id of a foundation model or an inference profile (`us.`, `eu.`, `apac.`, `global.`, …), or the ARN of one.
    #[schemars(length(min = 1))]
    model_id: String,
    /// Hugging Face dataset whose rows are read, `owner/name`. In place of an address.
    #[schemars(length(min = 1))]
    dataset_id: Option<String>,
    /// With `dataset_id`: split to read. Default: `train`.
    #[schemars(length(min = 1))]
    split: Option<String>,
    /// With `dataset_id`: configuration (subset) to read. Required if the dataset has several.
    #[schemars(length(min = 1))]
    config: Option<String>,
    /// With `dataset_id`: branch, tag or commit whose own Parquet files are read. Default: the files that Hugging Face has
    /// converted from the latest one.
    #[schemars(length(min = 1))]
    revision: Option<String>,
    /// With `dataset_id`: if true, the first part of a split is read where Hugging Face has converted no more. Default: false.
    allow_partial: Option<bool>,
    /// Name of a prompt in `prompts`, or of a file in `prompt-templates/`, without `.toml`: the short form of `prompt_config`
    /// with mode `single`. Absent for embedding models, which read the column `input_text`.
    prompt_id: Option<String>,
    /// The prompt itself, in place of its name.
    prompt: Option<InlinePrompt>,
    /// A generated prompt, in place of a prompt: address of its `prompts.json`, or of the folder of it.
    #[schemars(length(min = 1))]
    prompt_templates: Option<String>,
    /// With `prompt_templates`: address of the schema of the answers, whose properties become columns, or of a folder with
    /// `validation_schema_<time>.json`, of which the newest counts.
    #[schemars(length(min = 1))]
    validation_schema: Option<String>,
    /// With `prompt_templates`: column that `{input_data}` shows. Default: `input_text`.
    #[schemars(length(min = 1))]
    input_data_column: Option<String>,
    /// Selection of the prompts for each row.
    prompt_config: Option<PromptConfig>,
    /// With mode `mapped`: prompts by the value of a column; `default` applies to all other values. Case and surrounding
    /// spaces are ignored.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 10_000))]
    category_to_prompt_mapping: Option<BTreeMap<String, String>>,
    /// With mode `expanded`: one row per prompt (`long`, the default), or one row with columns for each prompt (`wide`).
    expanded_layout: Option<ExpandedLayout>,
    /// Kind of input: with `image`, each row is sent with an image. Default: `text`.
    input_type: Option<InputType>,
    /// With `input_type` `image`: column that names a row's image, as an S3 address or as a key in the bucket, or that holds
    /// the image itself (`bytes` and `path`). Default: `image_path`.
    image_column: Option<String>,
    /// New column names with their old ones: `{"new": "old"}`.
    column_mappings: Option<BTreeMap<String, String>>,
    /// If true, rows that have an `error` from the previous run or stage are sent as well. Default: false.
    include_failed: Option<bool>,
    /// Maximum number of rows that are sent in one request, with a prompt that has `rows`. Default: 1.
    #[schemars(range(min = 1, max = 100))]
    rows_per_request: Option<u32>,
    /// Maximum number of rows to process, beginning with the first one.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    max_records_total: Option<u64>,
    /// Maximum cost in US dollars: a run whose estimate is higher is refused before anything is sent.
    #[schemars(range(min = 0.01, max = 1_000_000.0))]
    max_cost_usd: Option<f64>,
    /// Maximum number of jobs in the first pass.
    #[schemars(range(min = 1, max = 100_000))]
    max_num_jobs: Option<u32>,
    /// Maximum number of records per job. Default: the stack's `maxRecordsPerJob`; if there is none, as few jobs as may run at once, of
    /// 1000 records or more.
    #[schemars(range(min = 1, max = 100_000))]
    max_records_per_job: Option<u32>,
    /// Maximum number of concurrent batch jobs; limited by the stack's `maxSubmittedAndInProgressJobs`.
    #[schemars(range(min = 1, max = 10_000))]
    max_concurrent_jobs: Option<u32>,
    /// Inference parameters.
    inference: Option<Inference>,
    /// File formats of the answered rows. Default: `["parquet"]`.
    output_formats: Option<Vec<OutputFormat>>,
    /// Form of the CSV files of the input, where it is not found from the files.
    csv: Option<CsvOptions>,
    /// Name of the sheet of the workbooks of the input. Default: the first one that is not hidden.
    #[schemars(length(min = 1, max = 255))]
    sheet: Option<String>,
    /// If true, numbers and booleans in CSV files and workbooks get types. Default: false, all cells remain text.
    infer_types: Option<bool>,
    /// Columns that some files of a prefix or a dataset lack: `null` (default) in their rows, with a warning, or an `error`.
    on_missing_columns: Option<OnMissingColumns>,
    /// If true, folders below the prefix such as `country=DE` are columns. Default: true.
    hive_columns: Option<bool>,
    /// Folder that the answered rows and the summary are copied to when the run is over, `s3://bucket/prefix/`; each run has a
    /// folder of its own in it. In the stack's bucket, or one of its `outputBuckets`.
    output_uri: Option<String>,
    /// `auto` (default): in batch if possible, else on demand. `batch`: only in batch. `realtime`: only on demand, at the
    /// full price.
    processing_mode: Option<ProcessingMode>,
    /// With mode `auto`: number of requests below which rows are sent on demand. Default: the model's minimum number of records
    /// per job (100).
    #[schemars(range(min = 1, max = 1_000_000_000))]
    batch_threshold: Option<u64>,
    /// With mode `auto`: maximum number of rows that may be sent on demand.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    max_on_demand_rows: Option<u64>,
    /// With mode `auto`: maximum cost of the rows that may be sent on demand, in US dollars, by an upper estimate.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    max_on_demand_usd: Option<f64>,
    /// Maximum number of retries for rows without an answer. Default: 1.
    #[schemars(range(min = 0, max = 10))]
    max_retry_rounds: Option<u32>,
    /// Reasons for which rows are retried; `[]` for never. Default: `["missing", "error"]`.
    retry_on: Option<Vec<RetryOn>>,
    /// On demand: maximum number of concurrent requests of the whole run. Default: 5.
    #[schemars(range(min = 1, max = 100))]
    max_workers: Option<u32>,
    /// On demand: maximum number of requests per second of the whole run. Default: 5.
    #[schemars(range(min = 0.1, max = 1000.0))]
    requests_per_second: Option<f64>,
    /// Models (ids or prefixes of ids) that are invoked on demand through the inference profile of the region. Default:
    /// the stack's list.
    inference_profile_required_models: Option<Vec<String>>,
    /// ARN of the inference profile to invoke the model through.
    inference_profile_arn: Option<String>,
    /// If true, rows may be sent to any commercial region, through a global inference profile, where the geography of the
    /// stack's region has no profile of the model. Default: false.
    allow_global: Option<bool>,
    /// On demand: model of the same family that is invoked once Bedrock refuses the first one as unavailable or not
    /// permitted.
    fallback_model_id: Option<String>,
    /// If true, rows with the same model input are sent once. Default: true.
    deduplicate: Option<bool>,
    /// On demand: if true, Bedrock caches what all requests with a prompt have in common, where the model does that. Default: true.
    prompt_caching: Option<bool>,
    /// Reference data by name, which prompts insert as `{reference.name}` and hold fields to: the address of a `.csv`, `.json` or
    /// `.txt` object each.
    #[schemars(extend("maxProperties" = 10))]
    reference: Option<BTreeMap<String, String>>,
    /// `text`: no schema is applied, and there are no columns of fields. `json`: every answer must contain JSON.
    /// `structured`: every prompt must define fields. Default: the format of each prompt.
    response_format: Option<ResponseFormat>,
    /// Prefix of all columns that the run adds, such as `llm_`. With it, the columns `status`, `validation_passed` and
    /// `parse_status` are added too.
    #[schemars(length(min = 1, max = 60))]
    output_column_prefix: Option<String>,
    /// If true, the `response_schema` of each prompt is sent as structured output, so that the model cannot answer in
    /// another form. Only for models that have it. Default: false.
    enforce_schema: Option<bool>,
    /// If true, texts in CSV files that spreadsheets would take for formulas get an apostrophe in front. Default: false.
    csv_safe_cells: Option<bool>,
    /// If true, CSV files begin with a byte order mark, so that Excel opens them as UTF-8. Default: false.
    csv_byte_order_mark: Option<bool>,
    /// If true, a prompt may show no column, so that all rows send the same request. Default: false.
    allow_constant_prompt: Option<bool>,
    /// If true, rows are sent although all cells that their prompt shows are blank. Default: false.
    ask_blank_rows: Option<bool>,
}

/// Rule for columns that some files lack.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum OnMissingColumns {
    Null,
    Error,
}

/// Format that answers must have.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum ResponseFormat {
    Text,
    Json,
    Structured,
}

/// Kind of input.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum InputType {
    Text,
    Image,
}

/// File format of the answered rows.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum OutputFormat {
    Parquet,
    Csv,
}

/// Lanes in which rows may be sent.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum ProcessingMode {
    Auto,
    Batch,
    Realtime,
}

/// Reason for which a row without an answer is retried.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum RetryOn {
    Missing,
    Error,
    Unparsed,
}
