//! Objects of an input: one object or all under a prefix, files of a table in one format, or images. Or files of a dataset.

use crate::error::EngineError;
use crate::hub::Dataset;
use crate::images;
use crate::objects::{ObjectMeta, Pages, head, list};
use crate::rows::csv_dialect::CsvReading;
use crate::rows::jsonl::JsonColumns;
use crate::rows::unified::{FileTraits, NameForm};
use aws_sdk_s3::Client;
use bedrock_batch_domain::hive_folders::hive_columns;
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::input::{RowSource, deleted, is_same_etag, overwritten, sheet_beside};
use bedrock_batch_domain::lake_table::LakeFormat;
use bedrock_batch_domain::problem::{Problem, Problems};
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_domain::table_files::{MARKERS_IGNORED, TableFormat, is_marker};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Format of the objects of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::preprocess) enum Format {
    Csv,
    JsonLines,
    Parquet,
    Workbook,
    /// Images, each of which is a row.
    Images,
}

impl From<TableFormat> for Format {
    fn from(format: TableFormat) -> Self {
        match format {
            TableFormat::Csv => Self::Csv,
            TableFormat::JsonLines => Self::JsonLines,
            TableFormat::Parquet => Self::Parquet,
            TableFormat::Workbook => Self::Workbook,
        }
    }
}

/// Objects of an input.
#[derive(Debug, Clone)]
pub(in crate::preprocess) struct Sources {
    /// Field of the request that names the input, and its value.
    pub(in crate::preprocess) named: (&'static str, String),
    pub(in crate::preprocess) format: Format,
    /// Way in which CSV files are read.
    pub(in crate::preprocess) csv: CsvReading,
    /// Sheet of workbooks that is read.
    pub(in crate::preprocess) sheet: Option<String>,
    /// Columns of JSON lines, once they have been inspected.
    pub(super) json: Option<Arc<JsonColumns>>,
    /// Form in which the names of columns are read.
    pub(in crate::preprocess) names: NameForm,
    /// Prefix of the objects, if there may be several.
    pub(super) prefix: Option<S3Uri>,
    /// If true, folders below the prefix name columns.
    pub(super) hive_columns: bool,
    /// Objects; empty for images, which are too many to be kept in memory and are listed again.
    pub(in crate::preprocess) objects: Vec<ObjectMeta>,
    /// Address of the images.
    pub(in crate::preprocess) place: Option<S3Uri>,
    /// `ETag` of the image at that address, if the run was started for this one.
    pub(in crate::preprocess) place_etag: Option<String>,
    /// The dataset that is read in place of objects.
    pub(in crate::preprocess) dataset: Option<Dataset>,
    pub(in crate::preprocess) warnings: BTreeMap<String, u64>,
}

impl Sources {
    /// Creates the sources for images; `place` is one object, possibly with its `ETag`, or a prefix.
    pub(in crate::preprocess) fn of_images(place: &S3Uri, place_etag: Option<String>) -> Self {
        let named = ("s3_uri", place.to_string());
        Self {
            named,
            format: Format::Images,
            csv: CsvReading::default(),
            sheet: None,
            json: None,
            names: NameForm::One,
            prefix: None,
            hive_columns: false,
            objects: Vec::new(),
            place: Some(place.clone()),
            place_etag,
            dataset: None,
            warnings: BTreeMap::new(),
        }
    }

    /// Creates the sources for the rows of a dataset.
    pub(in crate::preprocess) fn of_dataset(dataset: Dataset) -> Self {
        let mut warnings = BTreeMap::new();
        if dataset.is_partial {
            let text = "splits of which the Hub has converted only the first part (allow_partial)";
            warnings.insert(text.to_owned(), 1);
        }
        Self {
            named: ("dataset_id", dataset.id().to_owned()),
            format: Format::Parquet,
            csv: CsvReading::default(),
            sheet: None,
            json: None,
            names: NameForm::One,
            prefix: None,
            hive_columns: false,
            objects: Vec::new(),
            place: None,
            place_etag: None,
            dataset: Some(dataset),
            warnings,
        }
    }

    /// Creates the sources for the answered rows of an earlier run; `csv` is the way in which it wrote CSV files.
    pub(in crate::preprocess) fn of_run(
        run_id: &RunId,
        format: Format,
        csv: CsvReading,
        objects: Vec<ObjectMeta>,
    ) -> Self {
        let named = ("previous_run.run_id", run_id.to_string());
        Self {
            named,
            format,
            csv,
            sheet: None,
            json: None,
            names: NameForm::AsWritten,
            prefix: None,
            hive_columns: false,
            objects,
            place: None,
            place_etag: None,
            dataset: None,
            warnings: BTreeMap::new(),
        }
    }

    /// Returns what is known of an object beside its schema.
    pub(super) fn traits(&self, object: &ObjectMeta) -> FileTraits {
        let prefix = self.prefix.as_ref().filter(|_| self.hive_columns);
        let folders = prefix.map_or_else(Vec::new, |prefix| hive_columns(below(object, prefix)));
        FileTraits { names: self.names, folders }
    }
}

/// Returns true if `uri` names images rather than tables, by the names of the first objects. If there are both, images are
/// meant, since a table among them can be named itself.
pub(in crate::preprocess) async fn names_images(client: &Client, uri: &S3Uri) -> Result<bool, EngineError> {
    if !uri.key.is_empty() && !uri.key.ends_with('/') && head(client, uri).await?.is_some() {
        return Ok(TableFormat::of(&uri.key).is_none());
    }
    let first = Pages::new(client, &as_prefix(uri)).next().await?.unwrap_or_default();
    let has_tables = first.iter().any(|found| TableFormat::of(&found.uri.key).is_some());
    Ok(!has_tables || first.iter().any(|found| images::is_image_name(&found.uri.key)))
}

/// Returns the prefix of all objects below `uri`.
fn as_prefix(uri: &S3Uri) -> S3Uri {
    match uri.key.as_str() {
        "" => uri.clone(),
        key => S3Uri::new(&uri.bucket, format!("{}/", key.trim_end_matches('/'))),
    }
}

/// Checks that options for CSV files and for workbooks are for files of this format.
pub(in crate::preprocess) fn check_unused(rows: &RowSource, format: Format) -> Result<(), Problems> {
    let found = match format {
        Format::Csv => TableFormat::Csv.name(),
        Format::JsonLines => TableFormat::JsonLines.name(),
        Format::Parquet => TableFormat::Parquet.name(),
        Format::Workbook => TableFormat::Workbook.name(),
        Format::Images => "images",
    };
    let csv = rows.csv.problem_beside(found).filter(|_| format != Format::Csv);
    let sheet = rows.sheet.is_some() && format != Format::Workbook;
    Problems::check(csv.into_iter().chain(sheet.then(|| sheet_beside(found))).collect())
}

/// Returns the object at `uri`, which must have this `ETag`. All reads of it require the same one.
pub(in crate::preprocess) async fn pinned(client: &Client, uri: &S3Uri, etag: &str) -> Result<ObjectMeta, EngineError> {
    match head(client, uri).await? {
        Some(found) if is_same_etag(&found.etag, etag) => Ok(found),
        Some(_) => Err(overwritten("s3_uri", uri).into()),
        None => Err(deleted("s3_uri", uri).into()),
    }
}

/// Finds the objects that `uri` names, which `rows` describes; `single` is the object with this key, if it was found before.
pub(in crate::preprocess) async fn find(
    client: &Client,
    uri: &S3Uri,
    single: Option<ObjectMeta>,
    rows: &RowSource,
) -> Result<Sources, EngineError> {
    let mut warnings = BTreeMap::new();
    let single = match single {
        None if !uri.key.is_empty() && !uri.key.ends_with('/') => head(client, uri).await?,
        single => single,
    };
    let (objects, prefix) = match single {
        Some(object) => (vec![object], None),
        None => {
            let prefix = as_prefix(uri);
            let found = list(client, &prefix).await?;
            check_no_log(&found, &prefix)?;
            let (rows, others): (Vec<ObjectMeta>, Vec<ObjectMeta>) =
                found.into_iter().partition(|found| !is_marker(below(found, &prefix)));
            if !others.is_empty() {
                warnings.insert(MARKERS_IGNORED.to_owned(), others.len() as u64);
            }
            (rows, Some(prefix))
        }
    };
    if objects.is_empty() {
        let rule = "this object does not exist, and there is no object under this prefix";
        return Err(Problem::new("s3_uri", uri, rule).remedy("upload the rows, or correct the address").into());
    }
    let addresses: Vec<String> = objects.iter().map(|found| found.uri.to_string()).collect();
    let format = TableFormat::of_all("s3_uri", &addresses)?.into();
    check_unused(rows, format)?;
    if objects.iter().all(|found| found.bytes == 0) {
        let empty = objects.iter().map(|found| Problem::new("s3_uri", &found.uri, "is empty"));
        Problems::check(empty.collect())?;
    }
    Ok(Sources {
        named: ("s3_uri", uri.to_string()),
        format,
        csv: CsvReading::of_input(&rows.csv),
        sheet: rows.sheet.clone(),
        json: None,
        // Those of other tables are read in this form in any case.
        names: if format == Format::Parquet { NameForm::One } else { NameForm::AsWritten },
        prefix,
        hive_columns: rows.table.hive_columns,
        objects,
        place: None,
        place_etag: None,
        dataset: None,
        warnings,
    })
}

/// Checks that no object is the log of a table whose files are more than its rows.
fn check_no_log(objects: &[ObjectMeta], prefix: &S3Uri) -> Result<(), Problem> {
    let mut logs = objects.iter().filter_map(|found| LakeFormat::of_log(below(found, prefix)));
    logs.next().map_or(Ok(()), |(format, folder)| Err(format.problem("s3_uri", format!("{prefix}{folder}"))))
}

/// Returns the part of an object's key below a prefix.
fn below<'a>(found: &'a ObjectMeta, prefix: &S3Uri) -> &'a str {
    found.uri.key.strip_prefix(&prefix.key).unwrap_or(&found.uri.key)
}
