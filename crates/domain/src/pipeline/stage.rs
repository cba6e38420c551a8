//! Stage of a pipeline's configuration.

use crate::columns::INPUT;
use crate::input::{DATASET_FIELDS, InputKind, RunRequest, StackLimits};
use crate::problem::{Problem, listed};
use crate::s3_uri::S3Uri;
use serde_json::{Map, Value};

/// Placeholder for the account in the addresses of examples.
const ACCOUNT_PLACEHOLDER: &str = "YOUR_ACCOUNT_ID";
/// Maximum number of characters of the name of a stage, which is part of column names.
const MAX_NAME_CHARS: usize = 60;

/// Source of a stage's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageRows {
    /// S3, or a dataset.
    Own,
    /// Previous stage.
    Previous,
    /// Unclear, which is reported as a problem.
    Unclear,
}

/// Stage as far as it could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRequest {
    /// Name of the stage; empty if missing, which is reported as a problem.
    pub stage_name: String,
    /// Source of its rows.
    pub rows: StageRows,
    /// Request of its run; `None` if it could not be read, which is reported as a problem.
    pub run: Option<RunRequest>,
    /// Fields as the user wrote them.
    pub(super) fields: Map<String, Value>,
}

/// Returns the path of stage `index` in the configuration.
pub(super) fn path(index: usize) -> String {
    format!("stages[{index}]")
}

impl StageRequest {
    /// Reads stage `index`, adding all problems to `problems`.
    pub(super) fn read(
        index: usize,
        fields: &Map<String, Value>,
        stack: StackLimits,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let path = path(index);
        let stage_name = read_name(&path, fields, problems);
        let rows = read_rows(index, fields, problems);
        let (mut run, of_run) = RunRequest::read_at(&path, fields, stack, InputKind::Stage);
        problems.extend(of_run.into_iter().map(|problem| with_remedy_for_stages(&path, problem)));
        if run.is_none() {
            run = with_valid_address(fields)
                .and_then(|filled| RunRequest::read_at(&path, &filled, stack, InputKind::Stage).0);
        }
        Self { stage_name, rows, run, fields: fields.clone() }
    }

    /// Returns true if its rows are a dataset, or at an address that is valid and is not an example with a placeholder.
    pub fn is_addressed(&self) -> bool {
        if self.run.as_ref().is_some_and(|run| run.rows.dataset.is_some()) {
            return true;
        }
        let uri = self.fields.get("input_s3_uri").and_then(Value::as_str);
        uri.is_some_and(|uri| !uri.contains(ACCOUNT_PLACEHOLDER) && S3Uri::parse(uri).is_ok())
    }

    /// Returns the name by which a stage that reads this one's rows refers to it.
    pub(super) fn origin(&self) -> &str {
        if self.stage_name.is_empty() { "previous" } else { &self.stage_name }
    }
}

/// Fields of runs that stages have under another name or not at all, with the remedy.
const RUN_ONLY_FIELDS: [(&str, &str); 5] = [
    ("s3_uri", "in a stage, its name is `input_s3_uri`"),
    ("s3_etag", "in a stage, its name is `input_s3_etag`"),
    ("previous_run", "`use_previous_output: true` reads the previous stage"),
    ("presigned_url_expiry_days", "it belongs next to `stages`"),
    ("prompts", "it belongs next to `stages`"),
];

fn with_remedy_for_stages(path: &str, problem: Problem) -> Problem {
    let of_run = RUN_ONLY_FIELDS.iter().find(|(name, _)| problem.field == format!("{path}.{name}"));
    match of_run {
        Some((_, remedy)) => problem.remedy(*remedy),
        None => problem,
    }
}

fn read_name(path: &str, fields: &Map<String, Value>, problems: &mut Vec<Problem>) -> String {
    let field = format!("{path}.stage_name");
    let name = match fields.get("stage_name") {
        None | Some(Value::Null) => "",
        Some(Value::String(name)) => name.as_str(),
        // Reported with the other fields.
        Some(_) => return String::new(),
    };
    if name.trim().is_empty() {
        problems.push(Problem::without_value(field, "is required and must not be empty"));
        return String::new();
    }
    let braces = name.contains(['{', '}']);
    if name.trim() != name || name.contains(char::is_control) || braces || name.chars().count() > MAX_NAME_CHARS {
        let rule = format!(
            "is part of column names: it must have at most {MAX_NAME_CHARS} characters, without braces, control \
             characters and surrounding spaces"
        );
        problems.push(Problem::new(field, name, rule));
    } else if name == INPUT {
        let rule = "is reserved for the user's own columns";
        problems.push(Problem::new(field, name, rule).remedy("choose another name"));
    }
    name.to_owned()
}

/// Returns the source of the stage's rows, and adds a problem if its position does not allow that source.
fn read_rows(index: usize, fields: &Map<String, Value>, problems: &mut Vec<Problem>) -> StageRows {
    let path = path(index);
    let present = |field: &str| fields.get(field).is_some_and(|value| !value.is_null());
    let (uri, dataset) = (present("input_s3_uri"), present("dataset_id"));
    let own = uri || dataset;
    let previous = fields.get("use_previous_output") == Some(&Value::Bool(true));
    let (field, rule, remedy) = match (index, own, previous) {
        (_, true, false) if uri && dataset => {
            ("input_s3_uri", "cannot be combined with dataset_id", "leave one of them out")
        }
        (_, true, false) => return StageRows::Own,
        (1.., false, true) => return StageRows::Previous,
        (0, _, true) => {
            ("use_previous_output", "the first stage has no previous stage", "give it only an input_s3_uri")
        }
        (0, false, false) => (
            "input_s3_uri",
            "is required: the first stage reads it",
            "name a table (CSV, JSON lines, Excel or Parquet), or a prefix of files of one or of images: `s3://bucket/path`; or a Hugging Face dataset \
             in dataset_id",
        ),
        (_, true, true) => {
            let field = if uri { "input_s3_uri" } else { "dataset_id" };
            (field, "cannot be combined with use_previous_output", "leave one of them out")
        }
        (_, false, false) => {
            ("input_s3_uri", "exactly one of this and `use_previous_output: true` is required", "give one of them")
        }
    };
    problems.push(Problem::without_value(format!("{path}.{field}"), rule).remedy(remedy));
    StageRows::Unclear
}

/// Returns the stage with an account in place of the placeholder, or with a valid address in place of an invalid one or of an
/// invalid dataset, so that its other fields can be checked.
fn with_valid_address(fields: &Map<String, Value>) -> Option<Map<String, Value>> {
    if fields.contains_key("dataset_id") {
        let mut fields = fields.clone();
        fields.retain(|name, _| !DATASET_FIELDS.contains(&name.as_str()));
        fields.insert("input_s3_uri".to_owned(), "s3://bucket/rows.parquet".into());
        return Some(fields);
    }
    let uri = fields.get("input_s3_uri")?.as_str()?;
    let filled = uri.replace(ACCOUNT_PLACEHOLDER, "000000000000");
    let name = uri.rsplit('/').next().unwrap_or_default();
    let filled = if S3Uri::parse(&filled).is_ok() { filled } else { format!("s3://bucket/{name}") };
    let filled = Value::String(filled);
    let mut fields = fields.clone();
    fields.insert("input_s3_uri".to_owned(), filled);
    Some(fields)
}

/// Returns a problem for each stage name and job name prefix that an earlier stage also has.
pub(super) fn repeated_names(stages: &[StageRequest]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        let path_of_stage = path(index);
        let earlier = |same: &dyn Fn(&StageRequest) -> bool| stages[..index].iter().position(same).map(path);
        if let Some(first) = earlier(&|other| !other.stage_name.is_empty() && other.stage_name == stage.stage_name) {
            let rule = format!("is already the name of {first}, but names of stages must be unique");
            problems.push(Problem::new(format!("{path_of_stage}.stage_name"), &stage.stage_name, rule));
        }
        if let Some(run) = &stage.run
            && let Some(first) =
                earlier(&|other| other.run.as_ref().is_some_and(|other| other.job_name_prefix == run.job_name_prefix))
        {
            let rule = format!(
                "becomes {} after cleaning, like that of {first}, but prefixes of stages must be unique",
                listed(&[run.job_name_prefix.as_str()])
            );
            let written = stage.fields.get("job_name_prefix").and_then(Value::as_str).unwrap_or_default();
            problems.push(Problem::new(format!("{path_of_stage}.job_name_prefix"), written, rule));
        }
    }
    problems
}
