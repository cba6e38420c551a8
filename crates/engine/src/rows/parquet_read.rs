//! Reader of Parquet as Arrow batches, from any source with random access.

use super::parquet_write::of_the_stream;
use super::{BATCH_BYTES, BATCH_ROWS};
use crate::error::EngineError;
use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use bedrock_batch_domain::problem::Problem;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::ChunkReader;
use std::collections::HashSet;
use std::sync::Arc;

/// Iterator over a Parquet file as batches.
pub struct ParquetRows {
    reader: ParquetRecordBatchReader,
    schema: SchemaRef,
    file: String,
}

/// Content of a Parquet file's footer.
#[derive(Debug, Clone)]
pub struct ParquetShape {
    /// Number of rows.
    pub rows: u64,
    /// Schema of the columns.
    pub schema: SchemaRef,
}

impl ParquetRows {
    /// Opens a file to read the columns with these names, or all columns if that is `None`.
    ///
    /// # Errors
    /// Returns `InvalidInput` if it is not a readable Parquet file.
    pub fn open<R: ChunkReader + 'static>(
        input: R,
        file: &str,
        columns: Option<&[&str]>,
    ) -> Result<(ParquetShape, Self), EngineError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(input).map_err(|error| unreadable(error, file))?;
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let schema = without_metadata(builder.schema());
        let mut seen = HashSet::new();
        if let Some(field) = schema.fields().iter().find(|field| !seen.insert(field.name().as_str())) {
            return Err(Problem::new(file, field.name(), "this column name occurs twice").into());
        }
        let shape = ParquetShape { rows, schema };
        let builder = match columns {
            None => builder,
            Some(names) => {
                let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
                builder.with_projection(mask)
            }
        };
        let batch_rows = batch_rows(builder.metadata());
        let reader = builder.with_batch_size(batch_rows).build().map_err(|error| unreadable(error, file))?;
        let schema = without_metadata(&arrow_array::RecordBatchReader::schema(&reader));
        Ok((shape, Self { reader, schema, file: file.to_owned() }))
    }

    /// Returns the schema of the columns that are read.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl Iterator for ParquetRows {
    type Item = Result<RecordBatch, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        let batch = batch.and_then(|batch| batch.with_schema(Arc::clone(&self.schema)));
        Some(batch.map_err(|error| {
            use arrow_schema::ArrowError;
            match error {
                ArrowError::ExternalError(inner) => match inner.downcast::<std::io::Error>() {
                    Ok(io) => (*io).into(),
                    Err(other) => EngineError::transient(format!("cannot read {}", self.file)).caused_by(other),
                },
                // An error of the underlying stream arrives as text: it is not an error in the file, so it is retried.
                ArrowError::ParquetError(text) if text.starts_with("External: ") => {
                    EngineError::transient(format!("cannot read {}", self.file)).caused_by(text)
                }
                other => Problem::without_value(&self.file, format!("has damaged Parquet data: {other}")).into(),
            }
        }))
    }
}

/// Returns the number of rows per batch with which even the widest rows make batches of a few megabytes.
fn batch_rows(metadata: &ParquetMetaData) -> usize {
    let groups = metadata.row_groups().iter().filter(|group| group.num_rows() > 0);
    let row_bytes = groups.map(|group| group.total_byte_size() / group.num_rows()).max().unwrap_or(0);
    let rows = BATCH_BYTES / usize::try_from(row_bytes).unwrap_or(1).max(1);
    rows.clamp(1, BATCH_ROWS)
}

/// Removes the metadata that writers add to the schema (such as the index of pandas), which would outlive the columns that it
/// describes.
fn without_metadata(schema: &Schema) -> SchemaRef {
    Arc::new(Schema::new(schema.fields().clone()))
}

fn unreadable(error: parquet::errors::ParquetError, file: &str) -> EngineError {
    of_the_stream(error)
        .unwrap_or_else(|error| Problem::without_value(file, format!("cannot be read as Parquet: {error}")).into())
}
