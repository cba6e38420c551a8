//! Execution input of the batch orchestrator (docs/execution-input.md lists the fields for users).

use super::references::read_references;
use super::{
    AnswerOptions, Fields, Inference, InputKind, InvocationOptions, MAX_COST_USD, MAX_RECORDS_TOTAL, PromptConfig,
    RowSource, SendingOptions, read_library,
};
use crate::destination::{Destination, OUTPUT_URI};
use crate::ids::JobPrefix;
use crate::problem::Problem;
use crate::prompt::PromptLibrary;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// File format of the answered rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// One Parquet file per job.
    Parquet,
    /// One CSV file per job.
    Csv,
}

impl OutputFormat {
    /// Returns the file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}

/// Limits that the stack was deployed with. A run may set its own, but never more concurrent jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackLimits {
    /// Maximum number of rows of a run without `max_records_total`.
    pub max_total_records: Option<u64>,
    /// Maximum number of records per job of a run without `max_records_per_job`; without both, it follows from the number of records.
    pub max_records_per_job: Option<u32>,
    /// Maximum number of concurrent jobs.
    pub max_concurrent_jobs: u32,
}

/// Validated request, which the remainder of a run works with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRequest {
    /// Cleaned `job_name_prefix`.
    pub job_name_prefix: JobPrefix,
    /// Model, as the user named it.
    pub model_id: String,
    /// Source of the rows.
    #[serde(flatten)]
    pub rows: RowSource,
    /// Selection of the prompts for each row.
    pub prompt_config: PromptConfig,
    /// Prompts and expansion rules that the input contains.
    #[serde(default, skip_serializing_if = "PromptLibrary::is_empty")]
    pub prompts: PromptLibrary,
    /// Digest of all prompts that the input contained, in a plan: see [`Self::for_plan`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts_digest: Option<String>,
    /// Maximum number of rows per request; without it, 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_per_request: Option<u32>,
    /// Maximum number of rows to process, beginning with the first one.
    pub max_records_total: Option<u64>,
    /// Maximum cost in US dollars, by an estimate before anything is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
    /// Maximum number of jobs in the first pass.
    pub max_num_jobs: Option<u32>,
    /// Maximum number of records per job. Without it, [`crate::job_size`] decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_records_per_job: Option<u32>,
    /// Maximum number of concurrent jobs.
    pub max_concurrent_jobs: u32,
    /// Inference parameters.
    pub inference: Inference,
    /// File formats of the answered rows.
    pub output_formats: Vec<OutputFormat>,
    /// If true, CSV columns of numbers and booleans get types.
    pub infer_types: bool,
    /// Folder that the answered rows are copied to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_uri: Option<Destination>,
    /// Validity of links to the answers in days; 7 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presigned_url_expiry_days: Option<u32>,
    /// Options for the invocation of models.
    #[serde(flatten)]
    pub invocation: InvocationOptions,
    /// Addresses of the references, by name.
    #[serde(rename = "reference", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<String, String>,
    /// Options for the answers.
    #[serde(flatten)]
    pub answers: AnswerOptions,
    /// Options to send what is not worth a request by default.
    #[serde(flatten)]
    pub sending: SendingOptions,
}

/// Maximum validity of links to the answers in days.
pub const MAX_LINK_DAYS: u64 = 90;

/// Maximum number of records in one job of Bedrock (adjustable there, but limited by the size of a file).
const MAX_RECORDS_PER_JOB: u64 = 100_000;
/// Maximum number of records per job if `max_num_jobs` is set alone. Then a number of jobs stands for a number of rows, and no other
/// size may make it send, and cost, a hundred times as many.
const RECORDS_WITH_MAX_NUM_JOBS: u32 = 1_000;

/// Maximum number of rows per request: answers get long, and models lose count.
const MAX_ROWS_PER_REQUEST: u64 = 100;

impl RunRequest {
    /// Returns the maximum number of rows per request.
    pub fn rows_per_request(&self) -> u32 {
        self.rows_per_request.unwrap_or(1)
    }

    /// Reads and checks an execution input.
    ///
    /// Returns the request (`None` if a required field is missing) and all problems. Properties that do not depend on the
    /// input alone (existence of prompts, support by the model, content of files) are left to later checks.
    pub fn read(input: &Value, stack: StackLimits) -> (Option<Self>, Vec<Problem>) {
        let Some(object) = input.as_object() else {
            return (None, vec![Problem::without_value("the execution input", "must be a JSON object")]);
        };
        Self::read_at("", object, stack, InputKind::Run)
    }

    /// Reads and checks the input at `path` (empty for the whole input) of a larger one.
    pub fn read_at(
        path: &str,
        object: &Map<String, Value>,
        stack: StackLimits,
        kind: InputKind,
    ) -> (Option<Self>, Vec<Problem>) {
        let mut fields = Fields::new(path, object);
        let job_name_prefix = read_prefix(&mut fields);
        let model_id = fields.required_text("model_id").map(str::to_owned);
        let rows = RowSource::read(&mut fields, kind);
        let prompt_config = PromptConfig::read(&mut fields);
        let prompts = match kind {
            InputKind::Run => read_library(&mut fields),
            // Those of a pipeline are next to its stages.
            InputKind::Stage => PromptLibrary::default(),
        };
        let rows_per_request = fields.integer("rows_per_request", 1, MAX_ROWS_PER_REQUEST).and_then(as_u32);
        let max_records_total = fields.integer(MAX_RECORDS_TOTAL, 1, 1_000_000_000).or(stack.max_total_records);
        let max_cost_usd = fields.number(MAX_COST_USD, 0.01, 1_000_000.0);
        let max_num_jobs = fields.integer("max_num_jobs", 1, 100_000).and_then(as_u32);
        let max_records_per_job = fields.integer("max_records_per_job", 1, MAX_RECORDS_PER_JOB).and_then(as_u32);
        let max_concurrent_jobs = fields.integer("max_concurrent_jobs", 1, 10_000).and_then(as_u32);
        let inference = match fields.object("inference") {
            Some(object) => {
                let mut inner = fields.inner("inference", object);
                let inference = Inference::read(&mut inner);
                inner.finish().into_iter().for_each(|problem| fields.note(problem));
                inference
            }
            None => Inference::default(),
        };
        let output_formats = read_formats(&mut fields);
        let infer_types = fields.boolean("infer_types").unwrap_or(false);
        let output_uri = read_destination(&mut fields, rows.as_ref());
        let presigned_url_expiry_days = match kind {
            InputKind::Run => fields.integer("presigned_url_expiry_days", 1, MAX_LINK_DAYS).and_then(as_u32),
            InputKind::Stage => None,
        };
        let invocation = InvocationOptions::read(&mut fields);
        let references = read_references(&mut fields);
        let answers = AnswerOptions::read(&mut fields);
        let sending = SendingOptions::read(&mut fields);
        let of_csv = [("csv_safe_cells", answers.csv_safe_cells), ("csv_byte_order_mark", answers.csv_byte_order_mark)];
        for (name, _) in
            of_csv.into_iter().filter(|(_, is_set)| *is_set && !output_formats.contains(&OutputFormat::Csv))
        {
            let rule = "concerns CSV files, and output_formats does not contain `csv`";
            fields.note(Problem::without_value(fields.name(name), rule).remedy("add it, or leave this out"));
        }
        let problems = fields.finish();
        let request = job_name_prefix.zip(model_id).zip(rows).map(|((job_name_prefix, model_id), rows)| Self {
            job_name_prefix,
            model_id,
            rows,
            prompt_config,
            prompts,
            prompts_digest: None,
            rows_per_request,
            max_records_total,
            max_cost_usd,
            max_num_jobs,
            max_records_per_job: max_records_per_job
                .or(stack.max_records_per_job)
                .or_else(|| max_num_jobs.map(|_| RECORDS_WITH_MAX_NUM_JOBS)),
            max_concurrent_jobs: max_concurrent_jobs.unwrap_or(u32::MAX).min(stack.max_concurrent_jobs),
            inference,
            output_formats,
            infer_types,
            output_uri,
            presigned_url_expiry_days,
            invocation,
            references,
            answers,
            sending,
        });
        (request, problems)
    }
}

fn read_prefix(fields: &mut Fields<'_>) -> Option<JobPrefix> {
    let raw = fields.required_text("job_name_prefix")?;
    let clean = JobPrefix::cleaned(raw);
    if clean.is_none() {
        let rule = "must contain at least one of a-z, A-Z, 0-9: Bedrock's job names allow nothing else except hyphens";
        fields.note(Problem::new(fields.name("job_name_prefix"), raw, rule));
    }
    clean
}

fn read_formats(fields: &mut Fields<'_>) -> Vec<OutputFormat> {
    let mut formats = Vec::new();
    for name in fields.texts("output_formats").unwrap_or_default() {
        match name {
            "parquet" if !formats.contains(&OutputFormat::Parquet) => formats.push(OutputFormat::Parquet),
            "csv" if !formats.contains(&OutputFormat::Csv) => formats.push(OutputFormat::Csv),
            "parquet" | "csv" => {}
            other => {
                fields.note(Problem::new(fields.name("output_formats"), other, "may contain only `parquet` and `csv`"));
            }
        }
    }
    if formats.is_empty() { vec![OutputFormat::Parquet] } else { formats }
}

fn read_destination(fields: &mut Fields<'_>, rows: Option<&RowSource>) -> Option<Destination> {
    let text = fields.text(OUTPUT_URI)?;
    let name = fields.name(OUTPUT_URI);
    let destination = match Destination::parse(text) {
        Ok(destination) => destination,
        Err(rule) => {
            fields.note(Problem::new(name, text, rule));
            return None;
        }
    };
    let of_input = rows.and_then(|rows| destination.problem_of_input(rows.s3_uri.as_deref()?));
    fields.note_all(of_input.map(|problem| problem.of_field(name)).into_iter().collect());
    Some(destination)
}

fn as_u32(number: u64) -> Option<u32> {
    u32::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    const STACK: StackLimits =
        StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 };

    #[rstest]
    #[case::jokes(json!({"s3_uri": "s3://batch-inference-bucket-1/inputs/jokes/topics.csv",
        "job_name_prefix": "test-joke-job1", "model_id": "anthropic.claude-3-haiku-20240307-v1:0",
        "prompt_id": "joke_about_topic"}))]
    #[case::embeddings(json!({"s3_uri": "s3://batch-inference-bucket-1/e.csv", "prompt_id": null,
        "job_name_prefix": "test-embeddings-job1", "model_id": "amazon.titan-embed-text-v2:0"}))]
    #[case::long_form(json!({"s3_uri": "s3://batch-inference-bucket-1/e.csv", "max_num_jobs": 1,
        "job_name_prefix": "x", "model_id": "m", "input_type": "text", "max_records_per_job": 100,
        "prompt_config": {"mode": "single", "prompt_id": "p"}}))]
    #[case::dataset(json!({"dataset_id": "w601sxs/simpleCoT", "split": "train", "job_name_prefix": "test-qa-job1",
        "model_id": "anthropic.claude-3-haiku-20240307-v1:0", "prompt_id": "question_answering", "max_num_jobs": 1,
        "max_records_total": 100}))]
    fn inputs_of_the_python_samples_are_accepted_unchanged(#[case] input: Value) {
        let (request, problems) = RunRequest::read(&input, STACK);
        assert_eq!(problems, []);
        assert!(request.is_some());
    }

    fn base() -> Value {
        json!({"s3_uri": "s3://bucket/a.csv", "job_name_prefix": "p", "model_id": "m", "prompt_id": "q"})
    }

    #[rstest]
    #[case("model_id", json!(7), "model_id is `7`: must be a text")]
    #[case("job_name_prefix", json!("___"), "job_name_prefix is `___`: must contain at least one of")]
    #[case("s3_uri", json!("a.csv"), "s3_uri is `a.csv`: must look like `s3://bucket/path`")]
    #[case("s3_uri", json!(null), "s3_uri: is required (or dataset_id, for a Hugging Face dataset; or previous_run, for")]
    #[case("s3_uri", json!("s3://batch-inference-bucket-YOUR_ACCOUNT_ID/a"), "still contains the placeholder YOUR_ACCOUNT_ID")]
    #[case("s3_etag", json!(7), "s3_etag is `7`: must be a text")]
    #[case("s3_etag", json!("\"\""), "s3_etag: must not be empty; leave it out")]
    #[case("dataset_id", json!("stanfordnlp/imdb"), "s3_uri, dataset_id: only one of them may name the rows")]
    #[case("dataset_id", json!("a/b/c"), "dataset_id is `a/b/c`: is not a valid dataset id")]
    #[case("dataset_id", json!(7), "dataset_id is `7`: must be a text")]
    #[case("allow_partial", json!(true), "allow_partial: is only allowed with dataset_id; leave it out")]
    #[case("allow_partial", json!("yes"), "allow_partial is `\"yes\"`: must be true or false")]
    #[case("previous_run", json!({"run_id": "r"}), "s3_uri, previous_run: only one of them may name the rows")]
    #[case("previous_run", json!({"run_id": "a b"}), "previous_run.run_id is `a b`: is not a valid run id")]
    #[case("previous_run", json!({}), "previous_run.run_id: is required")]
    #[case("include_failed", json!(true), "include_failed: is only allowed with previous_run")]
    #[case("column_mappings", json!({"a": 7}), "column_mappings.a is `7`: must be the name of a column")]
    #[case("column_mappings", json!({" a": "b"}), "column_mappings. a: is not a valid column name")]
    #[case("image_column", json!("photo"), "image_column: is only allowed with input_type `image`")]
    #[case("presigned_url_expiry_days", json!(91), "must be a whole number from 1 to 90")]
    #[case("max_records_total", json!(0), "max_records_total is `0`: must be a whole number from 1 to")]
    #[case("max_cost_usd", json!(0), "max_cost_usd is `0`: must be a number from 0.01 to 1000000")]
    #[case("rows_per_request", json!(101), "rows_per_request is `101`: must be a whole number from 1 to 100")]
    #[case("rows_per_request", json!(0), "rows_per_request is `0`: must be a whole number from 1 to 100")]
    #[case("max_num_jobs", json!(1.5), "max_num_jobs is `1.5`: must be a whole number")]
    #[case("max_records_per_job", json!(100_001), "max_records_per_job is `100001`: must be a whole number")]
    #[case("max_concurrent_jobs", json!("5"), "max_concurrent_jobs is `\"5\"`: must be a whole number")]
    #[case("output_formats", json!(["json"]), "output_formats is `json`: may contain only `parquet` and `csv`")]
    #[case("infer_types", json!("yes"), "infer_types is `\"yes\"`: must be true or false")]
    #[case("sheet", json!(""), "sheet: must have 1 to 255 characters; write the name of the sheet's tab")]
    #[case("sheet", json!(1), "sheet is `1`: must be a text")]
    #[case("output_uri", json!("answers/"), "output_uri is `answers/`: must look like `s3://bucket/path`")]
    #[case("output_uri", json!(7), "output_uri is `7`: must be a text")]
    #[case("inference", json!({"top_p": 3}), "inference.top_p is `3`: must be a number from 0 to 1")]
    #[case("inference", json!({"max_token": 3}), "inference.max_token: is not a field of this input; did you mean `max_tokens`")]
    #[case("modle_id", json!("x"), "modle_id: is not a field of this input; did you mean `model_id`?")]
    #[case("input_type", json!("video"), "input_type is `video`: must be `text` or `image`")]
    #[case("split", json!("test"), "split: is only allowed with dataset_id")]
    fn each_invalid_field_is_reported_with_its_rule(#[case] field: &str, #[case] value: Value, #[case] expected: &str) {
        let mut input = base();
        input[field] = value;
        let (_, problems) = RunRequest::read(&input, STACK);
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(texts.iter().any(|text| text.contains(expected)), "{texts:?}");
    }

    #[test]
    fn a_dataset_beside_other_rows_is_not_looked_up() {
        let input = json!({"s3_uri": "s3://rows/b.csv", "dataset_id": "d/e", "job_name_prefix": "p", "model_id": "m"});
        let (request, problems) = RunRequest::read(&input, STACK);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(serde_json::to_value(request.unwrap()).unwrap().get("dataset"), None);
    }

    #[test]
    fn a_dataset_is_read_with_its_defaults_and_stored_without_absent_fields() {
        let input = json!({"dataset_id": "d/e", "job_name_prefix": "p", "model_id": "m", "prompt_id": "q"});
        let (request, problems) = RunRequest::read(&input, STACK);
        assert_eq!(problems, []);
        let stored = serde_json::to_value(request.unwrap()).unwrap();
        assert_eq!(stored["dataset"], json!({"dataset_id": "d/e", "split": "train"}));
        let (other, _) = RunRequest::read(&base(), STACK);
        assert_eq!(serde_json::to_value(other.unwrap()).unwrap().get("dataset"), None);
    }

    #[test]
    fn answers_are_not_copied_into_the_prefix_of_the_rows() {
        let read = |input: &Value| RunRequest::read(input, STACK).1.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut input = base();
        input["output_uri"] = json!("s3://bucket/rows/answers/");
        assert_eq!(read(&input), Vec::<String>::new());
        input["s3_uri"] = json!("s3://bucket/rows/");
        let problems = read(&input);
        assert!(
            problems[0].starts_with("output_uri is `s3://bucket/rows/answers/`: is inside the prefix"),
            "{problems:?}"
        );
    }

    #[test]
    fn a_run_without_copies_is_stored_as_before() {
        let stored = |input: &Value| serde_json::to_value(RunRequest::read(input, STACK).0.unwrap()).unwrap();
        assert_eq!(stored(&base()).get("output_uri"), None);
        let mut input = base();
        input["output_uri"] = json!("s3://lake/answers");
        assert_eq!(stored(&input)["output_uri"], "s3://lake/answers/");
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let (request, problems) = RunRequest::read(&json!({"max_num_jobs": -1, "foo": 1}), STACK);
        assert!(request.is_none());
        assert_eq!(problems.len(), 5, "{problems:?}");
        let (_, problems) = RunRequest::read_at(
            "stages[1]",
            json!({"max_num_jobs": -1, "foo": 1, "use_previous_output": true, "stage_name": "s"}).as_object().unwrap(),
            STACK,
            InputKind::Stage,
        );
        assert!(problems.iter().all(|problem| problem.field.starts_with("stages[1].")), "{problems:?}");
        assert_eq!(problems.len(), 4, "{problems:?}");
    }

    #[test]
    fn concurrent_jobs_are_limited_by_the_stack() {
        let mut input = base();
        input["max_concurrent_jobs"] = json!(50);
        assert_eq!(RunRequest::read(&input, STACK).0.map(|r| r.max_concurrent_jobs), Some(5));
    }
}
