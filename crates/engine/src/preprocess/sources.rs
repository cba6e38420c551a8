//! Finding the input: one object or a prefix of several, all CSV or all Parquet, with one schema.

use crate::error::EngineError;
use crate::images::{self, ImageRows};
use crate::objects::{Found, ObjectChunks, Pages, StreamReader, head, list};
use crate::rows::csv_count::{count_records, line_at};
use crate::rows::csv_infer::{CellType, infer_types};
use crate::rows::csv_read::CsvRows;
use crate::rows::parquet_read::ParquetRows;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use aws_sdk_s3::Client;
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::problem::{Problem, Problems};
use bedrock_batch_domain::s3_uri::S3Uri;
use std::collections::BTreeMap;
use tokio::runtime::Handle;

/// The formats that rows are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Parquet,
    /// Each object is a row.
    Images,
}

impl Format {
    fn of(key: &str) -> Option<Self> {
        let ending = key.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        match ending.as_str() {
            "csv" => Some(Self::Csv),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// The objects of an input.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    /// What names the input in the request: the field and its value.
    pub(super) named: (&'static str, String),
    pub(super) format: Format,
    /// The objects; of images none, since they are too many to be remembered: they are listed anew.
    pub(super) objects: Vec<Found>,
    /// Where images are.
    pub(super) place: Option<S3Uri>,
    pub(super) warnings: BTreeMap<String, u64>,
}

/// What the first pass over an input found.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) rows: u64,
    pub(super) schema: SchemaRef,
    /// Objects that are no images, by what they are.
    pub(super) ignored: BTreeMap<String, u64>,
    types: Option<Vec<CellType>>,
}

impl Sources {
    /// Images: `place` is one object or a prefix.
    pub(super) fn of_images(place: &S3Uri) -> Self {
        let named = ("s3_uri", place.to_string());
        Self {
            named,
            format: Format::Images,
            objects: Vec::new(),
            place: Some(place.clone()),
            warnings: BTreeMap::new(),
        }
    }

    /// The answered rows of an earlier run.
    pub(super) fn of_run(run_id: &RunId, format: Format, objects: Vec<Found>) -> Self {
        let named = ("previous_run.run_id", run_id.to_string());
        Self { named, format, objects, place: None, warnings: BTreeMap::new() }
    }
}

/// Whether `uri` names images rather than tables: by the names of the first objects. Where both lie together, images are
/// meant: a table among them can be named itself.
pub(super) async fn names_images(client: &Client, uri: &S3Uri) -> Result<bool, EngineError> {
    if !uri.key.is_empty() && !uri.key.ends_with('/') && head(client, uri).await?.is_some() {
        return Ok(Format::of(&uri.key).is_none());
    }
    let first = Pages::new(client, &as_prefix(uri)).next().await?.unwrap_or_default();
    let has_tables = first.iter().any(|found| Format::of(&found.uri.key).is_some());
    Ok(!has_tables || first.iter().any(|found| images::is_image_name(&found.uri.key)))
}

/// The prefix of all objects below `uri`.
fn as_prefix(uri: &S3Uri) -> S3Uri {
    match uri.key.as_str() {
        "" => uri.clone(),
        key => S3Uri::new(&uri.bucket, format!("{}/", key.trim_end_matches('/'))),
    }
}

/// Finds the objects that `uri` names.
pub(super) async fn find(client: &Client, uri: &S3Uri) -> Result<Sources, EngineError> {
    let mut warnings = BTreeMap::new();
    let single = if uri.key.is_empty() || uri.key.ends_with('/') { None } else { head(client, uri).await? };
    let objects = match single {
        Some(object) => vec![object],
        None => {
            let prefix = as_prefix(uri);
            let (rows, others): (Vec<Found>, Vec<Found>) =
                list(client, &prefix).await?.into_iter().partition(|found| !is_marker(found, &prefix));
            if !others.is_empty() {
                warnings.insert(
                    "objects ignored: names or folders that begin with `_` or `.`, and folder markers".to_owned(),
                    others.len() as u64,
                );
            }
            rows
        }
    };
    if objects.is_empty() {
        let rule = "there is no such object, and no object under this prefix";
        return Err(Problem::new("s3_uri", uri, rule).remedy("upload the rows, or correct the address").into());
    }
    let format = one_format(&objects)?;
    let empty = objects.iter().filter(|found| found.bytes == 0);
    Problems::check(empty.map(|found| Problem::new("s3_uri", &found.uri, "is empty")).collect())?;
    Ok(Sources { named: ("s3_uri", uri.to_string()), format, objects, place: None, warnings })
}

/// Objects that other tools leave beside data: `_SUCCESS`, `.crc` files, folder markers, folders of unfinished work.
fn is_marker(found: &Found, prefix: &S3Uri) -> bool {
    let below = found.uri.key.strip_prefix(&prefix.key).unwrap_or(&found.uri.key);
    below.is_empty()
        || below.ends_with('/')
        || below.split('/').any(|part| part.starts_with('_') || part.starts_with('.'))
}

fn one_format(objects: &[Found]) -> Result<Format, EngineError> {
    let mut problems = Vec::new();
    let mut formats = Vec::new();
    for found in objects {
        match Format::of(&found.uri.key) {
            Some(format) => formats.push(format),
            None => problems.push(
                Problem::new("s3_uri", &found.uri, "is neither CSV nor Parquet by its name (.csv, .parquet)")
                    .remedy("convert it, or keep it out of the prefix"),
            ),
        }
    }
    let first = formats.first().copied().unwrap_or(Format::Csv);
    if formats.iter().any(|format| *format != first) {
        problems
            .push(Problem::without_value("s3_uri", "the prefix holds both CSV and Parquet files").remedy("split it"));
    }
    Problems::check(problems)?;
    Ok(first)
}

/// Counts rows and compares schemas. For a blocking thread: this reads every CSV once.
pub(super) fn look(
    runtime: &Handle,
    client: &Client,
    sources: &Sources,
    with_types: bool,
) -> Result<Shape, EngineError> {
    if let Some(place) = &sources.place {
        return look_at_images(runtime, client, place);
    }
    let mut rows = 0;
    let mut schema: Option<(SchemaRef, String)> = None;
    let mut types: Option<Vec<CellType>> = None;
    for object in &sources.objects {
        let file = object.uri.to_string();
        let own = match sources.format {
            Format::Parquet | Format::Images => {
                let (shape, _) = ParquetRows::open(ObjectChunks::new(runtime, client, object), &file, None)?;
                rows += shape.rows;
                shape.schema
            }
            Format::Csv => {
                let own = CsvRows::open(StreamReader::new(runtime, client, object), &file, None)?.schema();
                let counted = count_records(StreamReader::new(runtime, client, object))?;
                if let Some(offset) = counted.open_quote_at {
                    let line = line_at(StreamReader::new(runtime, client, object), offset)?;
                    let rule = "a quote opens here that is never closed";
                    let remedy = "close it, or write a quote that is meant as text as two of them within quotes";
                    return Err(Problem::without_value(format!("{file} line {line}"), rule).remedy(remedy).into());
                }
                rows += counted.records.saturating_sub(1);
                if with_types {
                    let own_types = infer_types(StreamReader::new(runtime, client, object), &file)?;
                    types = Some(match types.filter(|types| types.len() == own_types.len()) {
                        Some(types) => types.into_iter().zip(own_types).map(|(a, b)| a.and(b)).collect(),
                        None => own_types,
                    });
                }
                own
            }
        };
        match &schema {
            Some((first, first_file)) if *first != own => {
                let rule = format!("has other columns than {first_file}: {}", difference(first, &own));
                return Err(Problem::new("s3_uri", &file, rule).remedy("a prefix holds files of one schema").into());
            }
            Some(_) => {}
            None => schema = Some((own, file)),
        }
    }
    let Some((mut schema, first_file)) = schema else {
        return Err(Problem::without_value("s3_uri", "names no object").into());
    };
    if let Some(types) = &types {
        let object = sources.objects.first().map(|o| StreamReader::new(runtime, client, o));
        if let Some(input) = object {
            schema = CsvRows::open(input, &first_file, Some(types.clone()))?.schema();
        }
    }
    if rows == 0 {
        return Err(Problem::new("s3_uri", &first_file, "holds a header, and no rows").into());
    }
    Ok(Shape { rows, schema, types, ignored: BTreeMap::new() })
}

fn look_at_images(runtime: &Handle, client: &Client, place: &S3Uri) -> Result<Shape, EngineError> {
    let count = runtime.block_on(images::count(client, place))?;
    Ok(Shape { rows: count.images, schema: ImageRows::schema(), types: None, ignored: count.warnings() })
}

fn difference(first: &SchemaRef, own: &SchemaRef) -> String {
    if first.fields().len() != own.fields().len() {
        return format!("{} columns instead of {}", own.fields().len(), first.fields().len());
    }
    let pair = first.fields().iter().zip(own.fields()).find(|(a, b)| a != b);
    pair.map_or_else(String::new, |(a, b)| {
        format!("`{}` ({}) instead of `{}` ({})", b.name(), b.data_type(), a.name(), a.data_type())
    })
}

/// All rows of all objects, in order. For a blocking thread.
pub(super) fn rows<'a>(
    runtime: &'a Handle,
    client: &'a Client,
    sources: &'a Sources,
    shape: &'a Shape,
) -> impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a {
    let images = sources.place.iter().flat_map(move |place| ImageRows::new(runtime, client, place));
    images.chain(tables(runtime, client, sources, shape))
}

fn tables<'a>(
    runtime: &'a Handle,
    client: &'a Client,
    sources: &'a Sources,
    shape: &'a Shape,
) -> impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a {
    sources.objects.iter().flat_map(move |object| open(runtime, client, sources.format, object, shape))
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, EngineError>>>;

fn open(runtime: &Handle, client: &Client, format: Format, object: &Found, shape: &Shape) -> Batches {
    let file = object.uri.to_string();
    let opened: Result<Batches, EngineError> = match format {
        Format::Csv => CsvRows::open(StreamReader::new(runtime, client, object), &file, shape.types.clone())
            .map(|rows| Box::new(rows) as Batches),
        Format::Parquet | Format::Images => ParquetRows::open(ObjectChunks::new(runtime, client, object), &file, None)
            .map(|(_, rows)| Box::new(rows) as Batches),
    };
    opened.unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
}
