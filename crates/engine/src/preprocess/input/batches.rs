//! Rows of an input as Arrow batches, from all its objects in order.

use super::dataset_shape::DATASET_NAMES;
use super::objects::{Format, Sources};
use crate::error::EngineError;
use crate::hub::{Dataset, DatasetFile};
use crate::images::ImageRows;
use crate::objects::{ObjectMeta, ObjectRangeReader, StreamReader};
use crate::rows::csv_read::CsvRows;
use crate::rows::jsonl::JsonRows;
use crate::rows::parquet_read::ParquetRows;
use crate::rows::table_shape::TableShape;
use crate::rows::unified::{Adapter, FileTraits};
use crate::rows::workbook::WorkbookRows;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use aws_sdk_s3::Client;
use tokio::runtime::Handle;

/// Reads all rows of all objects, in order. To be used on a blocking thread.
pub(super) fn batches<'a>(
    runtime: &'a Handle,
    client: &'a Client,
    sources: &'a Sources,
    shape: &'a TableShape,
) -> impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a {
    let images = sources.place.iter().flat_map(move |place| ImageRows::new(runtime, client, place));
    let dataset = sources
        .dataset
        .iter()
        .flat_map(move |dataset| dataset.files.iter().flat_map(move |file| open_file(runtime, dataset, file, shape)));
    images.chain(dataset).chain(tables(runtime, client, sources, shape))
}

fn tables<'a>(
    runtime: &'a Handle,
    client: &'a Client,
    sources: &'a Sources,
    shape: &'a TableShape,
) -> impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a {
    sources.objects.iter().flat_map(move |object| open(runtime, client, sources, object, shape))
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, EngineError>>>;

fn open_file(runtime: &Handle, dataset: &Dataset, file: &DatasetFile, shape: &TableShape) -> Batches {
    let rows = dataset.reader(runtime, file).and_then(|reader| ParquetRows::open(reader, &file.name, None));
    let rows = rows.map(|(_, rows)| (rows.schema(), Box::new(rows) as Batches));
    adapted(rows, shape, &file.name, &FileTraits::new(DATASET_NAMES))
}

fn open(runtime: &Handle, client: &Client, sources: &Sources, object: &ObjectMeta, shape: &TableShape) -> Batches {
    let file = object.uri.to_string();
    let opened = match sources.format {
        Format::Csv => {
            let input = StreamReader::new(runtime, client, object);
            CsvRows::read(input, &file, &sources.csv, shape.types.as_ref())
                .map(|rows| (rows.schema(), Box::new(rows) as Batches))
        }
        Format::Workbook => {
            let (input, sheet) = (StreamReader::new(runtime, client, object), sources.sheet.as_deref());
            WorkbookRows::open(input, &file, sheet, shape.types.as_ref())
                .map(|rows| (rows.schema(), Box::new(rows) as Batches))
        }
        Format::JsonLines => {
            let input = StreamReader::new(runtime, client, object);
            let columns = sources.json.clone();
            let columns = columns.ok_or_else(|| EngineError::internal("the columns of JSON lines are unknown"));
            columns.and_then(|columns| {
                let schema = columns.schema.clone();
                Ok((schema, Box::new(JsonRows::open(input, &file, columns)?) as Batches))
            })
        }
        Format::Parquet | Format::Images => {
            ParquetRows::open(ObjectRangeReader::new(runtime, client, object), &file, None)
                .map(|(_, rows)| (rows.schema(), Box::new(rows) as Batches))
        }
    };
    adapted(opened, shape, &file, &sources.traits(object))
}

/// Returns the rows of a file as rows of its table.
fn adapted(
    opened: Result<(SchemaRef, Batches), EngineError>,
    shape: &TableShape,
    file: &str,
    traits: &FileTraits,
) -> Batches {
    match opened {
        Ok((schema, rows)) => {
            let adapter = Adapter::new(&shape.schema, file, &schema, traits);
            Box::new(rows.map(move |batch| adapter.adapt(&batch?)))
        }
        Err(error) => Box::new(std::iter::once(Err(error))),
    }
}
