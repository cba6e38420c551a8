//! Source of the rows of a request.

use super::Fields;
use super::dataset::read_dataset;
use super::{CSV, CsvOptions, TableOptions};
use crate::hub::DatasetSource;
use crate::ids::RunId;
use crate::problem::Problem;
use crate::s3_uri::S3Uri;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Kind of input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputType {
    /// Cells of rows.
    #[default]
    Text,
    /// Cells of rows, and an image per row.
    Image,
}

/// Run whose answered rows are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousRun {
    /// Id of the run.
    pub run_id: RunId,
    /// Prefix of those of its columns whose names newer columns take.
    pub stage_name: String,
}

/// Source of the rows, and changes made to them while they are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RowSource {
    /// Address of an object, or a prefix of several.
    pub s3_uri: Option<String>,
    /// `ETag` that the object at this address must have, so that the rows are those that the run was started for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_etag: Option<String>,
    /// Run whose answered rows are read.
    pub previous_run: Option<PreviousRun>,
    /// Dataset of the Hugging Face Hub that is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetSource>,
    /// Form of its CSV files.
    #[serde(skip_serializing_if = "CsvOptions::is_default")]
    pub csv: Box<CsvOptions>,
    /// Sheet of its workbooks; by default the first one that is not hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Options for its files, which are one table.
    #[serde(flatten)]
    pub table: TableOptions,
    /// If true, rows without an answer in that run are sent as well.
    pub include_failed: bool,
    /// New column names with their old ones.
    pub column_mappings: BTreeMap<String, String>,
    /// Kind of input.
    pub input_type: InputType,
    /// Column that names a row's image.
    pub image_column: String,
}

/// Field that names the sheet of workbooks.
pub const SHEET: &str = "sheet";

/// Maximum length of the name of a sheet. Excel allows 31 characters, other programs more.
const MAX_SHEET_CHARS: usize = 255;

/// Returns the problem of the name of a sheet with an input that has no workbooks but `found`.
pub fn sheet_beside(found: &str) -> Problem {
    let rule = format!("concerns Excel workbooks, and the input is {found}");
    Problem::without_value(SHEET, rule).remedy("leave it out")
}

/// Default of `image_column`.
pub const IMAGE_COLUMN: &str = "image_path";

/// Kind of execution input, which determines the fields that name the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// Input of a run, with `s3_uri`, `dataset_id` or `previous_run`.
    Run,
    /// Stage of a pipeline, with `input_s3_uri`, `dataset_id` or `use_previous_output`, depending on its position.
    Stage,
}

impl InputKind {
    /// Returns the name of the field that contains an address.
    pub fn uri_field(self) -> &'static str {
        match self {
            Self::Run => "s3_uri",
            Self::Stage => "input_s3_uri",
        }
    }

    /// Returns the name of the field that contains the `ETag` of the object at the address.
    pub fn etag_field(self) -> &'static str {
        match self {
            Self::Run => "s3_etag",
            Self::Stage => "input_s3_etag",
        }
    }
}

impl RowSource {
    /// Reads the source from the fields of an input. Returns `None` if the source is unclear.
    pub(super) fn read(fields: &mut Fields<'_>, kind: InputKind) -> Option<Self> {
        let uri_field = kind.uri_field();
        let s3_uri = fields.text(uri_field);
        let s3_etag = read_etag(fields, kind.etag_field(), uri_field, s3_uri);
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
        let names_dataset = fields.value("dataset_id").is_some();
        let dataset = read_dataset(fields);
        let include_failed = fields.boolean("include_failed");
        if include_failed.is_some() && !takes_previous {
            let rule = match kind {
                InputKind::Run => "is only allowed with previous_run",
                InputKind::Stage => "is only allowed with use_previous_output",
            };
            fields.note(Problem::without_value(fields.name("include_failed"), rule).remedy("leave it out"));
        }
        let csv = CsvOptions::read(fields);
        if !csv.is_default() && s3_uri.is_none() && fields.value(uri_field).is_none() {
            let rule = format!("is only allowed with {uri_field}");
            fields.note(Problem::without_value(fields.name(CSV), rule).remedy("leave it out"));
        }
        let names_objects = fields.value(uri_field).is_some();
        let sheet = read_sheet(fields, uri_field, names_objects);
        let table = TableOptions::read(fields, names_objects, names_dataset, uri_field);
        let column_mappings = read_mappings(fields);
        let (input_type, image_column) = read_images(fields);
        let is_valid = match (s3_uri, kind) {
            (Some(uri), _) => is_valid_uri(fields, uri_field, uri),
            (None, _) if names_dataset => dataset.is_some(),
            (None, InputKind::Stage) => true,
            (None, InputKind::Run) => previous_run.is_some(),
        };
        if kind == InputKind::Run {
            note_number_of_sources(fields, s3_uri.is_some(), names_dataset, previous_run.is_some());
        }
        // Beside another source, which is a problem, the dataset is not looked up: that may take minutes.
        let dataset = dataset.filter(|_| s3_uri.is_none() && previous_run.is_none());
        is_valid.then(|| Self {
            s3_uri: s3_uri.map(str::to_owned),
            s3_etag,
            previous_run,
            dataset,
            csv: Box::new(csv),
            sheet,
            table,
            include_failed: include_failed.unwrap_or(false),
            column_mappings,
            input_type,
            image_column,
        })
    }
}

/// Reads the name of a sheet. `has_uri` is true if `uri_field` is there.
fn read_sheet(fields: &mut Fields<'_>, uri_field: &str, has_uri: bool) -> Option<String> {
    let sheet = fields.text(SHEET)?;
    let problem = if !has_uri {
        let rule = format!("is only allowed with {uri_field}");
        Problem::without_value(fields.name(SHEET), rule).remedy("leave it out")
    } else if sheet.is_empty() || sheet.chars().count() > MAX_SHEET_CHARS {
        let rule = format!("must have 1 to {MAX_SHEET_CHARS} characters");
        Problem::new(fields.name(SHEET), sheet, rule).remedy("write the name of the sheet's tab")
    } else {
        return Some(sheet.to_owned());
    };
    fields.note(problem);
    None
}

/// Reads the `ETag` of the object at `uri`, which `uri_field` names.
fn read_etag(fields: &mut Fields<'_>, field: &'static str, uri_field: &str, uri: Option<&str>) -> Option<String> {
    let etag = fields.text(field)?;
    let rule = match uri {
        None => format!("is only allowed with {uri_field}"),
        Some(uri) if uri.ends_with('/') => format!("is only allowed if {uri_field} names one object"),
        Some(_) if etag.trim_matches('"').is_empty() => "must not be empty".to_owned(),
        Some(_) => return Some(etag.to_owned()),
    };
    fields.note(Problem::without_value(fields.name(field), rule).remedy("leave it out"));
    None
}

/// Returns true if `uri` is an address; else a problem of `field` is noted.
pub(super) fn is_valid_uri(fields: &mut Fields<'_>, field: &str, uri: &str) -> bool {
    if uri.contains("YOUR_ACCOUNT_ID") {
        let rule = "still contains the placeholder YOUR_ACCOUNT_ID";
        let remedy = "replace it by the 12 digits of your AWS account";
        fields.note(Problem::new(fields.name(field), uri, rule).remedy(remedy));
        return false;
    }
    let parsed = S3Uri::parse(uri);
    if let Err(rule) = parsed {
        fields.note(Problem::new(fields.name(field), uri, rule));
    }
    parsed.is_ok()
}

fn note_number_of_sources(fields: &mut Fields<'_>, uri: bool, dataset: bool, previous: bool) {
    let given = [("s3_uri", uri), ("dataset_id", dataset), ("previous_run", previous)];
    let given: Vec<&str> = given.into_iter().filter(|(_, given)| *given).map(|(field, _)| field).collect();
    if given.len() > 1 {
        let problem = Problem::without_value(given.join(", "), "only one of them may name the rows");
        fields.note(problem.remedy("leave out all but one"));
    }
    let is_absent =
        given.is_empty() && ["s3_uri", "dataset_id", "previous_run"].iter().all(|f| fields.value(f).is_none());
    if is_absent {
        let rule = "is required (or dataset_id, for a Hugging Face dataset; or previous_run, for the answered rows of an \
                    earlier run)";
        let remedy = "name a table (CSV, JSON lines, Excel or Parquet), or a prefix of files of one or of images: `s3://bucket/path`";
        fields.note(Problem::without_value("s3_uri", rule).remedy(remedy));
    }
}

fn read_previous_run(fields: &mut Fields<'_>) -> Option<PreviousRun> {
    let object = fields.object("previous_run")?;
    let mut inner = fields.inner("previous_run", object);
    let run_id = inner.required_text("run_id");
    let stage_name = inner.text("stage_name");
    let previous = run_id.map(|run_id| PreviousRun {
        run_id: RunId::of_execution(run_id),
        stage_name: stage_name.unwrap_or("previous").to_owned(),
    });
    if let Some(Err(problem)) = run_id.map(RunId::parse) {
        inner.note(problem.of_field(inner.name("run_id")));
    }
    inner.finish().into_iter().for_each(|problem| fields.note(problem));
    previous
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
        let rule = "is only allowed with input_type `image`";
        fields.note(Problem::without_value(fields.name("image_column"), rule).remedy("leave it out"));
    }
    (input_type, image_column.unwrap_or(IMAGE_COLUMN).to_owned())
}
