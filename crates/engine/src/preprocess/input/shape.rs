//! Rows and columns of an input, determined by a first pass over it.

use super::objects::{Format, Sources};
use crate::error::EngineError;
use crate::images::{self, ImageRows};
use crate::objects::{ObjectMeta, ObjectRangeReader, StreamReader};
use crate::rows::csv_inspect::inspect_csv;
use crate::rows::jsonl::JsonTable;
use crate::rows::parquet_read::ParquetRows;
use crate::rows::table_shape::{FileShape, TableInspection, TableShape};
use crate::rows::workbook::inspect_workbook;
use aws_sdk_s3::Client;
use bedrock_batch_domain::lake_table::LakeFormat;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;
use std::io;
use tokio::runtime::Handle;

/// Counts rows and unites schemas, which reads every CSV once. Objects without rows are dropped. To be used on a blocking thread.
pub(super) fn inspect(
    runtime: &Handle,
    client: &Client,
    sources: &mut Sources,
    with_types: bool,
    mut table: TableInspection,
) -> Result<TableShape, EngineError> {
    if let Some(place) = &sources.place {
        return inspect_images(runtime, client, place);
    }
    let mut json = match sources.format {
        Format::JsonLines => inspect_json_lines(runtime, client, sources)?,
        _ => Vec::new(),
    }
    .into_iter();
    let mut with_rows = Vec::with_capacity(sources.objects.len());
    for object in std::mem::take(&mut sources.objects) {
        let shape = match json.next() {
            Some(shape) => shape,
            None => inspect_object(runtime, client, sources, &object, with_types)?,
        };
        if table.add(&object.uri.to_string(), shape, &sources.traits(&object)) {
            with_rows.push(object);
        }
    }
    sources.objects = with_rows;
    Ok(table.finish()?)
}

fn inspect_object(
    runtime: &Handle,
    client: &Client,
    sources: &Sources,
    object: &ObjectMeta,
    with_types: bool,
) -> Result<FileShape, EngineError> {
    let file = object.uri.to_string();
    if object.bytes == 0 {
        let why = Problem::new(sources.named.0, &file, "is empty");
        return Ok(FileShape::empty(why));
    }
    match sources.format {
        Format::Parquet | Format::JsonLines | Format::Images => {
            let (shape, _) = ParquetRows::open(ObjectRangeReader::new(runtime, client, object), &file, None)?;
            if shape.is_of_iceberg && sources.prefix.is_some() {
                return Err(LakeFormat::Iceberg.problem(sources.named.0, &file).into());
            }
            Ok(shape.of_file(&file))
        }
        Format::Workbook => {
            let input = StreamReader::new(runtime, client, object);
            inspect_workbook(input, &file, sources.sheet.as_deref(), with_types)
        }
        Format::Csv => inspect_csv(|| Ok(StreamReader::new(runtime, client, object)), &file, &sources.csv, with_types),
    }
}

/// Returns the shapes of the objects, whose columns are those of all: the members of all lines.
fn inspect_json_lines(runtime: &Handle, client: &Client, sources: &mut Sources) -> Result<Vec<FileShape>, EngineError> {
    let mut table = JsonTable::default();
    for object in &sources.objects {
        let file = object.uri.to_string();
        match object.bytes {
            0 => table.add_file(io::empty(), &file)?,
            _ => table.add_file(StreamReader::new(runtime, client, object), &file)?,
        }
    }
    let shape = table.finish()?;
    sources.json = Some(shape.columns.clone());
    Ok(shape.files())
}

fn inspect_images(runtime: &Handle, client: &Client, place: &S3Uri) -> Result<TableShape, EngineError> {
    let count = runtime.block_on(images::count(client, place))?;
    Ok(TableShape { rows: count.images, schema: ImageRows::schema(), types: None, warnings: count.warnings() })
}
