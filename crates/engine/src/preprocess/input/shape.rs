//! Rows and columns of an input, determined by a first pass over it.

use super::objects::{Format, Sources};
use crate::error::EngineError;
use crate::images::{self, ImageRows};
use crate::objects::{ObjectRangeReader, StreamReader};
use crate::rows::csv_infer::CellType;
use crate::rows::csv_inspect::inspect_csv;
use crate::rows::jsonl::{JsonColumns, JsonShape, JsonTable};
use crate::rows::parquet_read::ParquetRows;
use crate::rows::workbook::inspect_workbook;
use arrow_schema::{Field, Schema, SchemaRef};
use aws_sdk_s3::Client;
use bedrock_batch_domain::problem::{Problem, shortened};
use bedrock_batch_domain::s3_uri::S3Uri;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Result of the first pass over an input.
#[derive(Debug, Clone)]
pub(in crate::preprocess) struct Shape {
    pub(in crate::preprocess) rows: u64,
    pub(in crate::preprocess) schema: SchemaRef,
    /// Objects that are not images, and whatever was read in another form than it was written, with their numbers.
    pub(in crate::preprocess) warnings: BTreeMap<String, u64>,
    /// Types of the columns of CSV files and workbooks, if they are inferred.
    pub(super) types: Option<Vec<CellType>>,
    /// Columns of files of JSON lines.
    pub(super) json: Option<Arc<JsonColumns>>,
}

/// Counts rows and compares schemas, which reads every CSV once. To be used on a blocking thread.
pub(super) fn inspect(
    runtime: &Handle,
    client: &Client,
    sources: &Sources,
    with_types: bool,
) -> Result<Shape, EngineError> {
    if let Some(place) = &sources.place {
        return inspect_images(runtime, client, place);
    }
    if sources.format == Format::JsonLines {
        return inspect_json_lines(runtime, client, sources);
    }
    let mut rows = 0;
    let mut schema: Option<(SchemaRef, String)> = None;
    let mut types: Option<Vec<CellType>> = None;
    let mut warnings = BTreeMap::new();
    for object in &sources.objects {
        let file = object.uri.to_string();
        let own = match sources.format {
            Format::Parquet | Format::JsonLines | Format::Images => {
                let (shape, _) = ParquetRows::open(ObjectRangeReader::new(runtime, client, object), &file, None)?;
                rows += shape.rows;
                shape.schema
            }
            Format::Csv | Format::Workbook => {
                let open = || Ok(StreamReader::new(runtime, client, object));
                let found = match sources.format {
                    Format::Workbook => inspect_workbook(open()?, &file, sources.sheet.as_deref(), with_types)?,
                    _ => inspect_csv(open, &file, &sources.csv, with_types)?,
                };
                rows += found.rows;
                for (warning, count) in found.warnings {
                    *warnings.entry(warning).or_default() += count;
                }
                types = match (types, found.types) {
                    (Some(types), Some(own)) if types.len() == own.len() => {
                        Some(types.into_iter().zip(own).map(|(a, b)| a.and(b)).collect())
                    }
                    (_, own) => own,
                };
                found.schema
            }
        };
        match &schema {
            Some((first, first_file)) if *first != own => {
                let rule = format!("has other columns than {first_file}: {}", difference(first, &own));
                return Err(Problem::new("s3_uri", &file, rule)
                    .remedy(
                        "all files under a prefix must have the same schema; each CSV begins with a header of its own",
                    )
                    .into());
            }
            Some(_) => {}
            None => schema = Some((own, file)),
        }
    }
    let Some((mut schema, first_file)) = schema else {
        return Err(Problem::without_value("s3_uri", "names no object").into());
    };
    if let Some(types) = &types {
        let columns = schema.fields().iter().zip(types);
        let columns = columns.map(|(field, cell)| Field::new(field.name(), cell.data_type(), true));
        schema = Arc::new(Schema::new(columns.collect::<Vec<_>>()));
    }
    if rows == 0 {
        return Err(Problem::new("s3_uri", &first_file, "contains a header, but no rows").into());
    }
    Ok(Shape { rows, schema, warnings, types, json: None })
}

fn inspect_images(runtime: &Handle, client: &Client, place: &S3Uri) -> Result<Shape, EngineError> {
    let count = runtime.block_on(images::count(client, place))?;
    Ok(Shape { rows: count.images, schema: ImageRows::schema(), types: None, json: None, warnings: count.warnings() })
}

/// All files are one table: the columns of the objects of all lines, in the order in which they first occur.
fn inspect_json_lines(runtime: &Handle, client: &Client, sources: &Sources) -> Result<Shape, EngineError> {
    let mut table = JsonTable::default();
    for object in &sources.objects {
        table.add_file(StreamReader::new(runtime, client, object), &object.uri.to_string())?;
    }
    let JsonShape { rows, columns, warnings } = table.finish()?;
    if rows == 0 {
        let (field, value) = &sources.named;
        return Err(Problem::new(*field, value, "contains no rows").into());
    }
    Ok(Shape { rows, schema: Arc::clone(&columns.schema), types: None, json: Some(columns), warnings })
}

/// Says how the columns of two files differ.
pub(super) fn difference(first: &SchemaRef, own: &SchemaRef) -> String {
    if first.fields().len() != own.fields().len() {
        return format!("{} columns instead of {}", own.fields().len(), first.fields().len());
    }
    let pair = first.fields().iter().zip(own.fields()).find(|(a, b)| a != b);
    // Names and types of structures may be of any length.
    let shown =
        |field: &Field| format!("`{}` ({})", shortened(field.name()), shortened(&field.data_type().to_string()));
    pair.map_or_else(String::new, |(a, b)| format!("{} instead of {}", shown(b), shown(a)))
}
