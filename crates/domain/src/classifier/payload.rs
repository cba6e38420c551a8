//! The payload of the function, checked completely before anything is started.

use super::{ClassifierDefaults, ProblemType};
use crate::destination::Destination;
use crate::ids::RunId;
use crate::input::{Fields, ProcessingMode};
use crate::problem::Problem;
use crate::s3_uri::S3Uri;
use crate::short_hash::digest;
use serde_json::{Map, Value};

/// Formats of the reference whose codes answers can be held to.
const REFERENCE_EXTENSIONS: [&str; 2] = [".csv", ".json"];
/// Maximum number of characters of a client token.
const MAX_TOKEN_CHARS: usize = 200;
/// Number of hex digits in the name of an execution that distinguish payloads.
const NAME_DIGITS: usize = 16;

/// Buckets that a stack can reach.
#[derive(Debug, Clone, Copy)]
pub struct ReachableBuckets<'a> {
    /// Bucket of the stack, which it reads and writes.
    pub own: &'a str,
    /// Other buckets that runs may read.
    pub input: &'a [String],
    /// Other buckets that runs may copy their answered rows to.
    pub output: &'a [String],
}

impl ReachableBuckets<'_> {
    /// Returns the problem of a bucket, the value of `field`, that runs may not read.
    fn unreadable(&self, field: &str, bucket: &str) -> Option<Problem> {
        if bucket == self.own || self.input.iter().any(|other| other == bucket) {
            return None;
        }
        let readable: Vec<&str> = std::iter::once(self.own).chain(self.input.iter().map(String::as_str)).collect();
        let rule = format!("the stack may read the buckets {} only", readable.join(", "));
        let remedy = "copy the data, or add the bucket to the context key `inputBuckets` and deploy";
        Some(Problem::new(field, bucket, rule).remedy(remedy))
    }
}

/// Valid payload.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// Reports, as CSV or Parquet with the columns `id` and `mdr_text`.
    pub reports: S3Uri,
    /// Folder of the answers.
    pub output: Destination,
    /// Codes and terms.
    pub reference: S3Uri,
    /// Kind of problem.
    pub problem_type: ProblemType,
    /// Model.
    pub model_id: String,
    /// Number of reports per file of answered rows.
    pub batch_size: u32,
    /// Maximum number of concurrent requests on demand.
    pub max_workers: u32,
    /// Maximum number of requests on demand per second.
    pub rate_limit: f64,
    /// Lanes, if the payload names one: `auto` or `realtime`.
    pub processing_mode: Option<ProcessingMode>,
    /// If true, cells that spreadsheets would take for formulas are guarded.
    pub csv_safe_cells: bool,
    /// If true, CSV files begin with a byte order mark.
    pub csv_byte_order_mark: bool,
    /// Name of the execution.
    pub execution_name: String,
}

impl Classification {
    /// Reads a payload. `request_id` identifies the invocation: Lambda repeats a failed one under the same id. Without
    /// `buckets`, the names of buckets are checked alone.
    ///
    /// # Errors
    /// Returns all problems.
    pub fn read(
        payload: &Value,
        request_id: &str,
        defaults: &ClassifierDefaults,
        buckets: Option<ReachableBuckets<'_>>,
    ) -> Result<Self, Vec<Problem>> {
        let Some(object) = payload.as_object() else {
            return Err(vec![Problem::without_value("the payload", "must be a JSON object")]);
        };
        let mut fields = Fields::new("", object);
        let problem_type = read_problem_type(&mut fields);
        let input_key = read_key(&mut fields, "input_key");
        let input_bucket = read_readable(&mut fields, "input_bucket", buckets);
        let reports = input_bucket.zip(input_key).map(|(bucket, key)| S3Uri::new(bucket, key));
        let imdrf_key = read_key(&mut fields, "imdrf_key");
        // Without a bucket of its own, the reference is in that of the reports.
        let imdrf_bucket = match fields.value("imdrf_bucket") {
            None => input_bucket,
            Some(_) => read_readable(&mut fields, "imdrf_bucket", buckets),
        };
        let reference = imdrf_bucket.zip(imdrf_key).map(|(bucket, key)| S3Uri::new(bucket, key));
        let output = read_output(&mut fields, buckets);
        note_reference_format(&mut fields);
        let as_u32 = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let model_id = fields.value("model_id").and_then(|_| fields.required_text("model_id"));
        let batch_size = fields.integer("batch_size", 1, 100_000).map_or(defaults.batch_size, as_u32);
        let max_workers = fields.integer("max_workers", 1, 100).map_or(defaults.max_workers, as_u32);
        let rate_limit = fields.number("rate_limit", 0.1, 1000.0).unwrap_or(defaults.rate_limit);
        let processing_mode = read_mode(&mut fields);
        let csv_safe_cells = fields.boolean("csv_safe_cells").unwrap_or(false);
        let csv_byte_order_mark = fields.boolean("csv_byte_order_mark").unwrap_or(false);
        let token = read_token(&mut fields);
        let problems = fields.finish();
        match (problem_type, reports, output, reference) {
            (Some(problem_type), Some(reports), Some(output), Some(reference)) if problems.is_empty() => Ok(Self {
                reports,
                output,
                reference,
                problem_type,
                model_id: model_id.unwrap_or(&defaults.model_id).to_owned(),
                batch_size,
                max_workers,
                rate_limit,
                processing_mode,
                csv_safe_cells,
                csv_byte_order_mark,
                execution_name: execution_name(problem_type, object, token.unwrap_or(request_id)),
            }),
            _ => Err(problems),
        }
    }

    /// Returns the id of the run that the execution starts.
    pub fn run_id(&self) -> RunId {
        RunId::of_execution(&self.execution_name)
    }
}

/// Returns a name that is the same for each attempt of one invocation, and different for all others.
fn execution_name(problem_type: ProblemType, payload: &Map<String, Value>, token: &str) -> String {
    let mut parts: Vec<String> = vec![token.to_owned()];
    for (field, value) in payload.iter().filter(|(_, value)| !value.is_null()) {
        parts.extend([field.clone(), value.to_string()]);
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    format!("imdrf-{}-{}", problem_type.name(), &digest(&parts)[..NAME_DIGITS])
}

fn read_problem_type(fields: &mut Fields<'_>) -> Option<ProblemType> {
    let name = fields.required_text("problem_type")?;
    let found = ProblemType::parse(name);
    if found.is_none() {
        fields.note(Problem::new("problem_type", name, "must be `product` or `patient`"));
    }
    found
}

/// Reads the name of a bucket that the stack must be able to read.
fn read_readable<'a>(
    fields: &mut Fields<'a>,
    field: &'static str,
    buckets: Option<ReachableBuckets<'_>>,
) -> Option<&'a str> {
    let bucket = read_bucket(fields, field)?;
    let problem = buckets.and_then(|buckets| buckets.unreadable(field, bucket));
    if let Some(problem) = problem {
        fields.note(problem);
        return None;
    }
    Some(bucket)
}

/// Reads the key of an object.
fn read_key<'a>(fields: &mut Fields<'a>, field: &'static str) -> Option<&'a str> {
    let key = fields.required_text(field)?;
    if key.ends_with('/') || key.len() > 1024 || key.contains(char::is_control) {
        let rule =
            "must be the key of one object: at most 1,024 bytes, without control characters and a slash at the end";
        fields.note(Problem::new(field, key, rule));
        return None;
    }
    Some(key)
}

/// Reads the name of a bucket.
fn read_bucket<'a>(fields: &mut Fields<'a>, field: &'static str) -> Option<&'a str> {
    let bucket = fields.required_text(field)?;
    if bucket.contains("YOUR_ACCOUNT_ID") {
        let rule = "still contains the placeholder YOUR_ACCOUNT_ID";
        fields.note(Problem::new(field, bucket, rule).remedy("replace it by the 12 digits of your AWS account"));
        return None;
    }
    if S3Uri::parse(&format!("s3://{bucket}/")).is_ok_and(|uri| uri.bucket == bucket) {
        return Some(bucket);
    }
    let rule = "must be the name of a bucket, without `s3://` and path: 3 to 63 characters a-z, 0-9, `.` and `-`";
    fields.note(Problem::new(field, bucket, rule));
    None
}

fn read_output(fields: &mut Fields<'_>, buckets: Option<ReachableBuckets<'_>>) -> Option<Destination> {
    let prefix = fields.text("output_prefix").unwrap_or_default();
    let bucket = read_bucket(fields, "output_bucket")?;
    let destination = match Destination::parse(&format!("s3://{bucket}/{prefix}")) {
        Ok(destination) => destination,
        Err(rule) => {
            fields.note(Problem::new("output_prefix", prefix, rule));
            return None;
        }
    };
    if let Some((own, problem)) = buckets.and_then(|b| Some((b.own, destination.problem(b.own, b.output)?))) {
        let (field, value) = if bucket == own { ("output_prefix", prefix) } else { ("output_bucket", bucket) };
        fields.note(Problem::new(field, value, problem.rule).remedy(problem.remedy));
        return None;
    }
    Some(destination)
}

fn note_reference_format(fields: &mut Fields<'_>) {
    let Some(key) = fields.value("imdrf_key").and_then(Value::as_str) else { return };
    let lower = key.to_ascii_lowercase();
    if !lower.trim().is_empty() && !REFERENCE_EXTENSIONS.iter().any(|extension| lower.ends_with(extension)) {
        let rule = "must end in `.csv` or `.json`: codes are read from the column or the members `code`";
        fields.note(Problem::new("imdrf_key", key, rule).remedy("convert the reference"));
    }
}

fn read_mode(fields: &mut Fields<'_>) -> Option<ProcessingMode> {
    match fields.text("processing_mode")? {
        "auto" => Some(ProcessingMode::Auto),
        "realtime" => Some(ProcessingMode::Realtime),
        other => {
            fields.note(Problem::new("processing_mode", other, "must be `auto` or `realtime`"));
            None
        }
    }
}

fn read_token<'a>(fields: &mut Fields<'a>) -> Option<&'a str> {
    let token = fields.value("client_token").and_then(|_| fields.required_text("client_token"))?;
    if token.chars().count() > MAX_TOKEN_CHARS {
        let rule = format!("must have at most {MAX_TOKEN_CHARS} characters");
        fields.note(Problem::new("client_token", token, rule));
    }
    Some(token)
}

#[cfg(test)]
mod tests;
