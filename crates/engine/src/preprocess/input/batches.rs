//! Rows of an input as Arrow batches, from all its objects in order.

use super::objects::{Format, Sources};
use super::shape::Shape;
use crate::error::EngineError;
use crate::hub::{Dataset, DatasetFile};
use crate::images::ImageRows;
use crate::objects::{ObjectMeta, ObjectRangeReader, StreamReader};
use crate::rows::csv_read::CsvRows;
use crate::rows::jsonl::JsonRows;
use crate::rows::parquet_read::ParquetRows;
use crate::rows::workbook::WorkbookRows;
use arrow_array::RecordBatch;
use aws_sdk_s3::Client;
use tokio::runtime::Handle;

/// Reads all rows of all objects, in order. To be used on a blocking thread.
pub(super) fn batches<'a>(
    runtime: &'a Handle,
    client: &'a Client,
    sources: &'a Sources,
    shape: &'a Shape,
) -> impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a {
    let images = sources.place.iter().flat_map(move |place| ImageRows::new(runtime, client, place));
    let dataset = sources
        .dataset
        .iter()
        .flat_map(move |dataset| dataset.files.iter().flat_map(move |file| open_file(runtime, dataset, file)));
    images.chain(dataset).chain(tables(runtime, client, sources, shape))
}

fn tables<'a>(
    runtime: &'a Handle,
    client: &'a Client,
    sources: &'a Sources,
    shape: &'a Shape,
) -> impl Iterator<Item = Result<RecordBatch, EngineError>> + 'a {
    sources.objects.iter().flat_map(move |object| open(runtime, client, sources, object, shape))
}

fn open_file(runtime: &Handle, dataset: &Dataset, file: &DatasetFile) -> Batches {
    let rows = dataset.reader(runtime, file).and_then(|reader| ParquetRows::open(reader, &file.name, None));
    match rows {
        Ok((_, rows)) => Box::new(rows),
        Err(error) => Box::new(std::iter::once(Err(error))),
    }
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, EngineError>>>;

fn open(runtime: &Handle, client: &Client, sources: &Sources, object: &ObjectMeta, shape: &Shape) -> Batches {
    let file = object.uri.to_string();
    let opened: Result<Batches, EngineError> = match sources.format {
        Format::Csv => {
            let input = StreamReader::new(runtime, client, object);
            CsvRows::read(input, &file, &sources.csv, shape.types.clone()).map(|rows| Box::new(rows) as Batches)
        }
        Format::Workbook => {
            let (input, sheet) = (StreamReader::new(runtime, client, object), sources.sheet.as_deref());
            WorkbookRows::open(input, &file, sheet, shape.types.clone()).map(|rows| Box::new(rows) as Batches)
        }
        Format::JsonLines => {
            let input = StreamReader::new(runtime, client, object);
            let columns =
                shape.json.clone().ok_or_else(|| EngineError::internal("the columns of JSON lines are unknown"));
            columns.and_then(|columns| JsonRows::open(input, &file, columns)).map(|rows| Box::new(rows) as Batches)
        }
        Format::Parquet | Format::Images => {
            ParquetRows::open(ObjectRangeReader::new(runtime, client, object), &file, None)
                .map(|(_, rows)| Box::new(rows) as Batches)
        }
    };
    opened.unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
}
