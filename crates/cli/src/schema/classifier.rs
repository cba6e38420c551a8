//! The payload of the classifier.

use schemars::JsonSchema;

/// Payload of the function `bedrock-batch-classifier`, which codes medical device reports by a reference.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "Payload of the classifier")]
pub(super) struct ClassifierPayload {
    /// JSON Schema with which editors complete and validate this file. Otherwise ignored.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// Bucket of the reports: the stack's, or one of its `inputBuckets`.
    #[schemars(length(min = 3, max = 63))]
    input_bucket: String,
    /// Key of the reports: CSV or Parquet with the columns `id` and `mdr_text`.
    #[schemars(length(min = 1, max = 1024))]
    input_key: String,
    /// Bucket of the answers: the stack's, or one of its `outputBuckets`.
    #[schemars(length(min = 3, max = 63))]
    output_bucket: String,
    /// Folder of the answers. Each run has a folder of its own in it. Default: the bucket itself.
    output_prefix: Option<String>,
    /// Model, as in an execution input. Default: the stack's `defaultModelId`.
    #[schemars(length(min = 1))]
    model_id: Option<String>,
    /// Kind of problem that reports are classified by.
    problem_type: ProblemType,
    /// Number of reports per file of answers. Smaller files than a batch job (100) are answered on demand. Default: the
    /// stack's `defaultBatchSize`.
    #[schemars(range(min = 1, max = 100_000))]
    batch_size: Option<u32>,
    /// On demand: maximum number of concurrent requests. Default: the stack's `defaultMaxWorkers`.
    #[schemars(range(min = 1, max = 100))]
    max_workers: Option<u32>,
    /// On demand: maximum number of requests per second. Default: the stack's `defaultRateLimit`.
    #[schemars(range(min = 0.1, max = 1000.0))]
    rate_limit: Option<f64>,
    /// Bucket of the codes: the stack's, or one of its `inputBuckets`. Default: `input_bucket`.
    #[schemars(length(min = 3, max = 63))]
    imdrf_bucket: Option<String>,
    /// Key of the codes: CSV with a column `code`, or a JSON list of objects with a member `code`.
    #[schemars(length(min = 1, max = 1024))]
    imdrf_key: String,
    /// `auto`: in batch if possible. `realtime`: on demand, at the full price. Default: by `batch_size`.
    processing_mode: Option<ProcessingMode>,
    /// If true, texts in the answers that spreadsheets would take for formulas get an apostrophe in front. Default: false.
    csv_safe_cells: Option<bool>,
    /// If true, CSV files begin with a byte order mark, so that Excel opens them as UTF-8. Default: false.
    csv_byte_order_mark: Option<bool>,
    /// Text that identifies an invocation: one that is repeated with the same payload starts no second run. Default: the id
    /// of the request.
    #[schemars(length(min = 1, max = 200))]
    client_token: Option<String>,
}

/// Kind of problem.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum ProblemType {
    Product,
    Patient,
}

/// Lanes in which reports may be sent.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum ProcessingMode {
    Auto,
    Realtime,
}
