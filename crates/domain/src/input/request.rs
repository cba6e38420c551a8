//! The execution input of the batch orchestrator (docs/execution-input.md lists the fields for users).

use super::{Asking, Fields, Inference};
use crate::layout::clean_prefix;
use crate::problem::Problem;
use crate::s3_uri::S3Uri;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A file format of the answered rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// One Parquet file a job.
    Parquet,
    /// One CSV file a job.
    Csv,
}

impl OutputFormat {
    /// The file name's ending, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}

/// What the stack was deployed with; a run may ask for less, never for more jobs at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackLimits {
    /// Rows that a run takes at the most when it does not say `max_records_total`.
    pub max_total_records: Option<u64>,
    /// Records per job when a run does not say `max_records_per_job`.
    pub max_records_per_job: u32,
    /// The most jobs at once.
    pub max_concurrent_jobs: u32,
}

/// A checked request: what the rest of a run works with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRequest {
    /// The cleaned `job_name_prefix`.
    pub job_name_prefix: String,
    /// The model, as the user named it.
    pub model_id: String,
    /// Where the rows are: an object or a prefix.
    pub s3_uri: String,
    /// The prompt template; `None` for embedding models.
    pub prompt_id: Option<String>,
    /// Rows taken at the most, from the first on.
    pub max_records_total: Option<u64>,
    /// Jobs at the most.
    pub max_num_jobs: Option<u32>,
    /// Records per job at the most.
    pub max_records_per_job: u32,
    /// Jobs at once at the most.
    pub max_concurrent_jobs: u32,
    /// How the model is to answer.
    pub inference: Inference,
    /// What to write.
    pub output_formats: Vec<OutputFormat>,
    /// Whether CSV columns of numbers and booleans get types.
    pub infer_types: bool,
    /// How and how often rows are asked.
    #[serde(flatten)]
    pub asking: Asking,
}

/// The most records that Bedrock takes in one job (adjustable there, but never above what a file may hold).
const MOST_RECORDS_PER_JOB: u64 = 100_000;

impl RunRequest {
    /// Reads and checks an execution input.
    ///
    /// Returns what could be read (`None` if a required field is missing) and all problems. What cannot be judged
    /// from the input alone (does the prompt exist, does the model suit it, what is in the file) is for later checks.
    pub fn read(input: &Value, stack: StackLimits) -> (Option<Self>, Vec<Problem>) {
        let Some(object) = input.as_object() else {
            return (None, vec![Problem::without_value("the execution input", "must be a JSON object")]);
        };
        let mut fields = Fields::new("", object);
        let job_name_prefix = read_prefix(&mut fields);
        let model_id = fields.required_text("model_id").map(str::to_owned);
        let s3_uri = read_source(&mut fields);
        let prompt_id = read_prompt(&mut fields);
        refuse_what_is_not_built(&mut fields);
        let max_records_total = fields.integer("max_records_total", 1, 1_000_000_000).or(stack.max_total_records);
        let max_num_jobs = fields.integer("max_num_jobs", 1, 100_000).and_then(as_u32);
        let max_records_per_job = fields.integer("max_records_per_job", 1, MOST_RECORDS_PER_JOB).and_then(as_u32);
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
        let asking = Asking::read(&mut fields);
        let problems = fields.finish();
        let request = job_name_prefix.zip(model_id).zip(s3_uri).map(|((job_name_prefix, model_id), s3_uri)| Self {
            job_name_prefix,
            model_id,
            s3_uri,
            prompt_id,
            max_records_total,
            max_num_jobs,
            max_records_per_job: max_records_per_job.unwrap_or(stack.max_records_per_job),
            max_concurrent_jobs: max_concurrent_jobs.unwrap_or(u32::MAX).min(stack.max_concurrent_jobs),
            inference,
            output_formats,
            infer_types,
            asking,
        });
        (request, problems)
    }
}

fn read_prefix(fields: &mut Fields<'_>) -> Option<String> {
    let raw = fields.required_text("job_name_prefix")?;
    let clean = clean_prefix(raw);
    if clean.is_none() {
        let rule = "must hold at least one of a-z, A-Z, 0-9: Bedrock's job names allow nothing else but hyphens";
        fields.note(Problem::new("job_name_prefix", raw, rule));
    }
    clean
}

fn read_source(fields: &mut Fields<'_>) -> Option<String> {
    let s3_uri = fields.text("s3_uri");
    let dataset_id = fields.text("dataset_id");
    for field in ["split", "config", "revision"] {
        if fields.text(field).is_some() && dataset_id.is_none() {
            fields.note(Problem::without_value(field, "goes with dataset_id only").remedy("leave it out"));
        }
    }
    match (s3_uri, dataset_id) {
        (Some(uri), None) => match S3Uri::parse(uri) {
            Ok(_) => return Some(uri.to_owned()),
            Err(rule) => fields.note(Problem::new("s3_uri", uri, rule)),
        },
        (None, Some(id)) => fields.note(
            Problem::new("dataset_id", id, "Hugging Face datasets are not supported yet")
                .remedy("put the rows into S3 as CSV or Parquet and name them in s3_uri"),
        ),
        (Some(_), Some(_)) => fields
            .note(Problem::without_value("s3_uri, dataset_id", "exactly one of the two must be given, and both are")),
        (None, None) => fields.note(
            Problem::without_value("s3_uri", "is required (exactly one of s3_uri and dataset_id)")
                .remedy("name a CSV or Parquet object, or a prefix of them: `s3://bucket/path`"),
        ),
    }
    None
}

/// `prompt_id`, or its long form `prompt_config: {"mode": "single", "prompt_id": …}`.
fn read_prompt(fields: &mut Fields<'_>) -> Option<String> {
    let short = fields.text("prompt_id").map(str::to_owned);
    let Some(object) = fields.object("prompt_config") else { return short };
    let mut inner = fields.inner("prompt_config", object);
    let mode = inner.text("mode").unwrap_or("single");
    let long = inner.text("prompt_id").map(str::to_owned);
    match mode {
        "single" => {
            inner.finish().into_iter().for_each(|problem| fields.note(problem));
            if long.is_none() {
                fields.note(Problem::without_value("prompt_config.prompt_id", "is required in mode `single`"));
            }
        }
        "mapped" | "expanded" => fields.note(
            Problem::new("prompt_config.mode", mode, "this mode is not supported yet").remedy("use mode `single`"),
        ),
        other => fields.note(Problem::new("prompt_config.mode", other, "must be `single`, `mapped` or `expanded`")),
    }
    if short.is_some() && long.is_some() && short != long {
        fields.note(
            Problem::without_value("prompt_id, prompt_config", "name two different prompts").remedy("give one of them"),
        );
    }
    short.or(long)
}

/// Fields of the contract whose work is still to come: they are refused plainly, never ignored.
fn refuse_what_is_not_built(fields: &mut Fields<'_>) {
    if let Some(input_type) = fields.text("input_type")
        && input_type != "text"
    {
        let rule = if input_type == "image" { "is not supported yet" } else { "must be `text` or `image`" };
        fields.note(Problem::new("input_type", input_type, rule).remedy("leave it out for `text`"));
    }
    if let Some(column) = fields.text("image_column") {
        fields.note(Problem::new("image_column", column, "is not supported yet").remedy("leave it out"));
    }
}

fn read_formats(fields: &mut Fields<'_>) -> Vec<OutputFormat> {
    let mut formats = Vec::new();
    for name in fields.texts("output_formats").unwrap_or_default() {
        match name {
            "parquet" if !formats.contains(&OutputFormat::Parquet) => formats.push(OutputFormat::Parquet),
            "csv" if !formats.contains(&OutputFormat::Csv) => formats.push(OutputFormat::Csv),
            "parquet" | "csv" => {}
            other => fields.note(Problem::new("output_formats", other, "may hold `parquet` and `csv` only")),
        }
    }
    if formats.is_empty() { vec![OutputFormat::Parquet] } else { formats }
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
        StackLimits { max_total_records: None, max_records_per_job: 1000, max_concurrent_jobs: 5 };

    #[rstest]
    #[case::jokes(json!({"s3_uri": "s3://batch-inference-bucket-1/inputs/jokes/topics.csv",
        "job_name_prefix": "test-joke-job1", "model_id": "anthropic.claude-3-haiku-20240307-v1:0",
        "prompt_id": "joke_about_topic"}))]
    #[case::embeddings(json!({"s3_uri": "s3://batch-inference-bucket-1/e.csv", "prompt_id": null,
        "job_name_prefix": "test-embeddings-job1", "model_id": "amazon.titan-embed-text-v2:0"}))]
    #[case::long_form(json!({"s3_uri": "s3://batch-inference-bucket-1/e.csv", "max_num_jobs": 1,
        "job_name_prefix": "x", "model_id": "m", "input_type": "text", "max_records_per_job": 100,
        "prompt_config": {"mode": "single", "prompt_id": "p"}}))]
    fn inputs_of_the_python_samples_are_taken_unchanged(#[case] input: Value) {
        let (request, problems) = RunRequest::read(&input, STACK);
        assert_eq!(problems, []);
        assert!(request.is_some());
    }

    fn base() -> Value {
        json!({"s3_uri": "s3://bucket/a.csv", "job_name_prefix": "p", "model_id": "m", "prompt_id": "q"})
    }

    #[rstest]
    #[case("model_id", json!(7), "model_id is `7`: must be a text")]
    #[case("job_name_prefix", json!("___"), "job_name_prefix is `___`: must hold at least one of")]
    #[case("s3_uri", json!("a.csv"), "s3_uri is `a.csv`: must look like `s3://bucket/path`")]
    #[case("s3_uri", json!(null), "s3_uri: is required (exactly one of s3_uri and dataset_id)")]
    #[case("dataset_id", json!("stanfordnlp/imdb"), "exactly one of the two must be given, and both are")]
    #[case("max_records_total", json!(0), "max_records_total is `0`: must be a whole number from 1 to")]
    #[case("max_num_jobs", json!(1.5), "max_num_jobs is `1.5`: must be a whole number")]
    #[case("max_records_per_job", json!(100_001), "max_records_per_job is `100001`: must be a whole number")]
    #[case("max_concurrent_jobs", json!("5"), "max_concurrent_jobs is `5`: must be a whole number")]
    #[case("output_formats", json!(["json"]), "output_formats is `json`: may hold `parquet` and `csv` only")]
    #[case("infer_types", json!("yes"), "infer_types is `yes`: must be true or false")]
    #[case("inference", json!({"top_p": 3}), "inference.top_p is `3`: must be a number from 0 to 1")]
    #[case("inference", json!({"max_token": 3}), "inference.max_token: is not a field of this input; did you mean `max_tokens`")]
    #[case("modle_id", json!("x"), "modle_id: is not a field of this input; did you mean `model_id`?")]
    #[case("input_type", json!("image"), "input_type is `image`: is not supported yet")]
    #[case("split", json!("test"), "split: goes with dataset_id only")]
    fn each_bad_field_says_what_is_wrong(#[case] field: &str, #[case] value: Value, #[case] expected: &str) {
        let mut input = base();
        input[field] = value;
        let (_, problems) = RunRequest::read(&input, STACK);
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(texts.iter().any(|text| text.contains(expected)), "{texts:?}");
    }

    #[test]
    fn a_dataset_alone_is_plainly_not_supported_yet() {
        let input = json!({"dataset_id": "d", "job_name_prefix": "p", "model_id": "m", "prompt_id": "q"});
        let (_, problems) = RunRequest::read(&input, STACK);
        assert!(problems[0].to_string().contains("not supported yet"), "{problems:?}");
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let (request, problems) = RunRequest::read(&json!({"max_num_jobs": -1, "foo": 1}), STACK);
        assert!(request.is_none());
        assert_eq!(problems.len(), 5, "{problems:?}");
    }

    #[test]
    fn a_run_never_gets_more_jobs_at_once_than_the_stack_allows() {
        let mut input = base();
        input["max_concurrent_jobs"] = json!(50);
        assert_eq!(RunRequest::read(&input, STACK).0.map(|r| r.max_concurrent_jobs), Some(5));
    }
}
