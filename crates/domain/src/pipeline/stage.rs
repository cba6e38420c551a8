//! One stage of a pipeline's configuration.

use crate::columns::INPUT;
use crate::input::{InputKind, RunRequest, StackLimits};
use crate::problem::{Problem, listed};
use crate::s3_uri::S3Uri;
use serde_json::{Map, Value};

/// What stands for the account in the addresses of examples.
const ACCOUNT_PLACEHOLDER: &str = "YOUR_ACCOUNT_ID";
/// The longest name of a stage, in characters: it stands in names of columns.
const LONGEST_NAME: usize = 60;

/// Where a stage's rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageRows {
    /// From S3.
    Own,
    /// From the stage before.
    Previous,
    /// That is not clear, which is a problem.
    Unclear,
}

/// A stage as far as it could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRequest {
    /// Its name; empty where it has none, which is a problem.
    pub stage_name: String,
    /// Where its rows come from.
    pub rows: StageRows,
    /// Its run; `None` if it could not be read, which is a problem.
    pub run: Option<RunRequest>,
    /// What the user wrote.
    pub(super) fields: Map<String, Value>,
}

/// Where stage `index` lies in the configuration.
pub(super) fn path(index: usize) -> String {
    format!("stages[{index}]")
}

impl StageRequest {
    /// Reads stage `index`, noting all problems.
    pub(super) fn read(index: usize, fields: &Map<String, Value>, stack: StackLimits, note: &mut Vec<Problem>) -> Self {
        let path = path(index);
        let stage_name = read_name(&path, fields, note);
        let rows = read_rows(index, fields, note);
        let (mut run, problems) = RunRequest::read_at(&path, fields, stack, InputKind::Stage);
        note.extend(problems.into_iter().map(|problem| with_the_field_of_a_stage(&path, problem)));
        if run.is_none() {
            run = with_an_address(fields)
                .and_then(|filled| RunRequest::read_at(&path, &filled, stack, InputKind::Stage).0);
        }
        Self { stage_name, rows, run, fields: fields.clone() }
    }

    /// Whether the address of its rows is one, rather than an example's that still holds a placeholder, or none at all.
    pub fn is_addressed(&self) -> bool {
        let uri = self.fields.get("input_s3_uri").and_then(Value::as_str);
        uri.is_some_and(|uri| !uri.contains(ACCOUNT_PLACEHOLDER) && S3Uri::parse(uri).is_ok())
    }

    /// What a stage that reads this one's rows calls it.
    pub(super) fn origin(&self) -> &str {
        if self.stage_name.is_empty() { "previous" } else { &self.stage_name }
    }
}

/// Fields that stages have under another name, or not at all, and what to write.
const OF_RUNS: [(&str, &str); 3] = [
    ("s3_uri", "a stage calls it `input_s3_uri`"),
    ("previous_run", "`use_previous_output: true` reads the stage before"),
    ("presigned_url_expiry_days", "it stands beside `stages`"),
];

fn with_the_field_of_a_stage(path: &str, problem: Problem) -> Problem {
    let of_run = OF_RUNS.iter().find(|(name, _)| problem.field == format!("{path}.{name}"));
    match of_run {
        Some((_, remedy)) => problem.remedy(*remedy),
        None => problem,
    }
}

fn read_name(path: &str, fields: &Map<String, Value>, note: &mut Vec<Problem>) -> String {
    let field = format!("{path}.stage_name");
    let name = match fields.get("stage_name") {
        None | Some(Value::Null) => "",
        Some(Value::String(name)) => name.as_str(),
        // Noted with the other fields.
        Some(_) => return String::new(),
    };
    if name.trim().is_empty() {
        note.push(Problem::without_value(field, "is required and must not be empty"));
        return String::new();
    }
    let braces = name.contains(['{', '}']);
    if name.trim() != name || name.contains(char::is_control) || braces || name.chars().count() > LONGEST_NAME {
        let rule = format!(
            "stands in names of columns: at most {LONGEST_NAME} characters, without braces, control characters and \
             space around it"
        );
        note.push(Problem::new(field, name, rule));
    } else if name == INPUT {
        let rule = "is what columns of the user's own are called after";
        note.push(Problem::new(field, name, rule).remedy("choose another name"));
    }
    name.to_owned()
}

/// Whether the stage takes its rows from where its place demands.
fn read_rows(index: usize, fields: &Map<String, Value>, note: &mut Vec<Problem>) -> StageRows {
    let path = path(index);
    let own = fields.get("input_s3_uri").is_some_and(|value| !value.is_null());
    let previous = fields.get("use_previous_output") == Some(&Value::Bool(true));
    let (field, rule, remedy) = match (index, own, previous) {
        (_, true, false) => return StageRows::Own,
        (1.., false, true) => return StageRows::Previous,
        (0, _, true) => ("use_previous_output", "there is no stage before the first", "give it an input_s3_uri alone"),
        (0, false, false) => (
            "input_s3_uri",
            "is required: the first stage reads it",
            "name a CSV or Parquet object, or a prefix of them or of images: `s3://bucket/path`",
        ),
        (_, true, true) => (
            "input_s3_uri",
            "and use_previous_output both say where the rows are, and exactly one of them may",
            "leave one of them out",
        ),
        (_, false, false) => (
            "input_s3_uri",
            "is required, or `use_previous_output: true`: exactly one of them says where the rows are",
            "give one of them",
        ),
    };
    note.push(Problem::without_value(format!("{path}.{field}"), rule).remedy(remedy));
    StageRows::Unclear
}

/// The same stage with an account in place of the placeholder, or some address in place of what is none, so that the rest
/// of it can be looked at.
fn with_an_address(fields: &Map<String, Value>) -> Option<Map<String, Value>> {
    let uri = fields.get("input_s3_uri")?.as_str()?;
    let filled = uri.replace(ACCOUNT_PLACEHOLDER, "000000000000");
    let name = uri.rsplit('/').next().unwrap_or_default();
    let filled = if S3Uri::parse(&filled).is_ok() { filled } else { format!("s3://bucket/{name}") };
    let filled = Value::String(filled);
    let mut fields = fields.clone();
    fields.insert("input_s3_uri".to_owned(), filled);
    Some(fields)
}

/// Names of stages and job name prefixes that an earlier stage has too.
pub(super) fn repeated_names(stages: &[StageRequest]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        let place = path(index);
        let earlier = |same: &dyn Fn(&StageRequest) -> bool| stages[..index].iter().position(same).map(path);
        if let Some(first) = earlier(&|other| !other.stage_name.is_empty() && other.stage_name == stage.stage_name) {
            let rule = format!("is the name of {first} already, and each stage has one of its own");
            problems.push(Problem::new(format!("{place}.stage_name"), &stage.stage_name, rule));
        }
        let prefix = |stage: &StageRequest| stage.run.as_ref().map(|run| run.job_name_prefix.clone());
        let own = prefix(stage);
        if let Some(first) = earlier(&|other| own.is_some() && prefix(other) == own) {
            let cleaned = own.unwrap_or_default();
            let rule = format!(
                "comes to {} once it is cleaned, as that of {first} does, and each stage has one of its own",
                listed(&[cleaned.as_str()])
            );
            let written = stage.fields.get("job_name_prefix").and_then(Value::as_str).unwrap_or_default();
            problems.push(Problem::new(format!("{place}.job_name_prefix"), written, rule));
        }
    }
    problems
}
