//! Where the rows of a request are.

use super::Fields;
use crate::problem::Problem;
use crate::s3_uri::S3Uri;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is read of the input: a table, or pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputType {
    /// Cells of rows.
    #[default]
    Text,
    /// Cells of rows, and a picture each.
    Image,
}

/// The run whose answered rows are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousRun {
    /// The run.
    pub run_id: String,
    /// What its columns are called after where newer ones take their names.
    pub stage_name: String,
}

/// Where rows come from, and what is done to them while they are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RowSource {
    /// An object, or a prefix of several.
    pub s3_uri: Option<String>,
    /// The run whose answered rows are read.
    pub previous_run: Option<PreviousRun>,
    /// Whether rows without an answer in that run are asked as well.
    pub include_failed: bool,
    /// New names of columns, with their old ones.
    pub column_mappings: BTreeMap<String, String>,
    /// Whether rows have pictures.
    pub input_type: InputType,
    /// The column that names a row's picture.
    pub image_column: String,
}

/// The default of `image_column`.
pub const IMAGE_COLUMN: &str = "image_path";

/// Whether an input is that of a run, or a stage of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// It names its rows itself: `s3_uri` or `previous_run`.
    Run,
    /// `input_s3_uri` or `use_previous_output`; whether it needs the one or the other depends on its place.
    Stage,
}

impl InputKind {
    /// The field that names an object or a prefix.
    pub fn uri_field(self) -> &'static str {
        match self {
            Self::Run => "s3_uri",
            Self::Stage => "input_s3_uri",
        }
    }
}

impl RowSource {
    /// Reads its fields. `None`: it is not clear where the rows are.
    pub(super) fn read(fields: &mut Fields<'_>, kind: InputKind) -> Option<Self> {
        let uri_field = kind.uri_field();
        let s3_uri = fields.text(uri_field);
        let previous_run = match kind {
            InputKind::Run => read_previous_run(fields),
            InputKind::Stage => None,
        };
        let takes_previous = match kind {
            InputKind::Run => previous_run.is_some(),
            InputKind::Stage => {
                let _ = fields.text("stage_name");
                fields.boolean("use_previous_output") == Some(true)
            }
        };
        let refused = refuse_datasets(fields);
        let include_failed = fields.boolean("include_failed");
        if include_failed.is_some() && !takes_previous {
            let rule = match kind {
                InputKind::Run => "goes with previous_run only",
                InputKind::Stage => "goes with use_previous_output only",
            };
            fields.note(Problem::without_value(fields.name("include_failed"), rule).remedy("leave it out"));
        }
        let column_mappings = read_mappings(fields);
        let (input_type, image_column) = read_images(fields);
        let sound = match (s3_uri, kind) {
            (Some(uri), _) => check_uri(fields, uri_field, uri),
            (None, InputKind::Stage) => true,
            (None, InputKind::Run) => previous_run.is_some(),
        };
        if kind == InputKind::Run && !refused {
            note_number_of_sources(fields, s3_uri.is_some(), previous_run.is_some());
        }
        (sound && !refused).then(|| Self {
            s3_uri: s3_uri.map(str::to_owned),
            previous_run,
            include_failed: include_failed.unwrap_or(false),
            column_mappings,
            input_type,
            image_column,
        })
    }
}

fn check_uri(fields: &mut Fields<'_>, field: &str, uri: &str) -> bool {
    if uri.contains("YOUR_ACCOUNT_ID") {
        let rule = "still holds the placeholder YOUR_ACCOUNT_ID";
        let remedy = "write the 12 digits of your AWS account in its place";
        fields.note(Problem::new(fields.name(field), uri, rule).remedy(remedy));
        return false;
    }
    let parsed = S3Uri::parse(uri);
    if let Err(rule) = parsed {
        fields.note(Problem::new(fields.name(field), uri, rule));
    }
    parsed.is_ok()
}

fn note_number_of_sources(fields: &mut Fields<'_>, uri: bool, previous: bool) {
    match (uri, previous) {
        (true, true) => fields.note(
            Problem::without_value("s3_uri, previous_run", "both say where the rows are").remedy("give one of them"),
        ),
        (false, false) if fields.value("s3_uri").is_none() && fields.value("previous_run").is_none() => fields.note(
            Problem::without_value("s3_uri", "is required (or previous_run, for the answered rows of an earlier run)")
                .remedy("name a CSV or Parquet object, or a prefix of them or of images: `s3://bucket/path`"),
        ),
        _ => {}
    }
}

fn read_previous_run(fields: &mut Fields<'_>) -> Option<PreviousRun> {
    let object = fields.object("previous_run")?;
    let mut inner = fields.inner("previous_run", object);
    let run_id = inner.required_text("run_id");
    let stage_name = inner.text("stage_name");
    let previous = run_id.map(|run_id| PreviousRun {
        run_id: run_id.to_owned(),
        stage_name: stage_name.unwrap_or("previous").to_owned(),
    });
    if let Some(run_id) = run_id.filter(|run_id| crate::layout::run_id(run_id) != **run_id) {
        let rule = "is no run's id: letters, digits, `-`, `_` and `.`";
        inner.note(Problem::new(inner.name("run_id"), run_id, rule));
    }
    inner.finish().into_iter().for_each(|problem| fields.note(problem));
    previous
}

/// Whether a dataset is asked for, which is refused.
fn refuse_datasets(fields: &mut Fields<'_>) -> bool {
    let dataset_id = fields.text("dataset_id");
    for field in ["split", "config", "revision"] {
        if fields.text(field).is_some() && dataset_id.is_none() {
            fields.note(Problem::without_value(fields.name(field), "goes with dataset_id only").remedy("leave it out"));
        }
    }
    let Some(id) = dataset_id else { return false };
    let rule = "Hugging Face datasets are not supported yet";
    let remedy = "put the rows into S3 as CSV or Parquet and name them in s3_uri";
    fields.note(Problem::new(fields.name("dataset_id"), id, rule).remedy(remedy));
    true
}

fn read_mappings(fields: &mut Fields<'_>) -> BTreeMap<String, String> {
    let mut mappings = BTreeMap::new();
    let Some(object) = fields.object("column_mappings") else { return mappings };
    for (new, old) in object {
        let path = format!("{}.{new}", fields.name("column_mappings"));
        match old.as_str() {
            Some(old) if !old.is_empty() && is_column_name(new) => {
                mappings.insert(new.clone(), old.to_owned());
            }
            Some(_) if !is_column_name(new) => {
                let rule = "is not a valid column name: it is empty, or has surrounding spaces or control characters";
                fields.note(Problem::without_value(path, rule));
            }
            _ => fields.note(Problem::new(path, old, "must be the name of a column: {new: old}")),
        }
    }
    mappings
}

fn is_column_name(name: &str) -> bool {
    !name.is_empty() && name.trim() == name && !name.contains(char::is_control)
}

fn read_images(fields: &mut Fields<'_>) -> (InputType, String) {
    let input_type = match fields.text("input_type") {
        None | Some("text") => InputType::Text,
        Some("image") => InputType::Image,
        Some(other) => {
            fields.note(Problem::new(fields.name("input_type"), other, "must be `text` or `image`"));
            InputType::Text
        }
    };
    let image_column = fields.text("image_column");
    if image_column.is_some() && input_type == InputType::Text {
        let rule = "goes with input_type `image` only";
        fields.note(Problem::without_value(fields.name("image_column"), rule).remedy("leave it out"));
    }
    (input_type, image_column.unwrap_or(IMAGE_COLUMN).to_owned())
}
