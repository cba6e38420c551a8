//! Reader of Parquet as Arrow batches, from any source with random access.

use super::watched_source::{SourceFailure, WatchedSource};
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
    file: File,
}

/// The file that is read, for its errors.
struct File {
    name: String,
    origin: Origin,
    failure: SourceFailure,
}

/// Origin of a file, which decides who has to act if it is damaged.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// An input, which its owner has to correct.
    Input,
    /// An intermediate file of a run, which was damaged since it was written.
    Run,
}

impl File {
    /// The error of the source if it failed, else that of the file itself.
    fn error(&self, rule: &str, error: impl std::fmt::Display) -> EngineError {
        self.failure.take().unwrap_or_else(|| match self.origin {
            Origin::Input => Problem::without_value(&self.name, format!("{rule}: {error}")).into(),
            Origin::Run => EngineError::corrupt(format!("{} {rule}: {error}", self.name)),
        })
    }
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
    /// Opens an input to read the columns with these names, or all columns if that is `None`.
    ///
    /// # Errors
    /// Returns `InvalidInput` if it is not a readable Parquet file, else the error of the source.
    pub fn open<R: ChunkReader + 'static>(
        input: R,
        file: &str,
        columns: Option<&[&str]>,
    ) -> Result<(ParquetShape, Self), EngineError> {
        Self::open_of(Origin::Input, input, file, columns)
    }

    /// Opens an intermediate file of a run.
    ///
    /// # Errors
    /// Returns `Corrupt` if it is not a readable Parquet file, else the error of the source.
    pub fn open_of_run<R: ChunkReader + 'static>(
        input: R,
        file: &str,
        columns: Option<&[&str]>,
    ) -> Result<Self, EngineError> {
        Self::open_of(Origin::Run, input, file, columns).map(|(_, rows)| rows)
    }

    fn open_of<R: ChunkReader + 'static>(
        origin: Origin,
        input: R,
        file: &str,
        columns: Option<&[&str]>,
    ) -> Result<(ParquetShape, Self), EngineError> {
        const UNREADABLE: &str = "cannot be read as Parquet";
        let file = File { name: file.to_owned(), origin, failure: SourceFailure::default() };
        let input = WatchedSource::new(input, &file.failure);
        let builder = ParquetRecordBatchReaderBuilder::try_new(input).map_err(|error| file.error(UNREADABLE, error))?;
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows());
        let rows = rows.map_err(|_| file.error(UNREADABLE, "its number of rows is negative"))?;
        let schema = without_metadata(builder.schema());
        let mut seen = HashSet::new();
        if let Some(field) = schema.fields().iter().find(|field| !seen.insert(field.name().as_str())) {
            return Err(Problem::new(file.name, field.name(), "this column name occurs twice").into());
        }
        let shape = ParquetShape { rows, schema };
        let builder = match columns {
            None => builder,
            Some(names) => {
                // Not `ProjectionMask::columns`, for which a dot in a column's name separates the name from that of a member.
                let roots = builder.parquet_schema().root_schema().get_fields().iter().enumerate();
                let wanted = roots.filter(|(_, root)| names.contains(&root.name())).map(|(at, _)| at);
                let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.collect::<Vec<_>>());
                builder.with_projection(mask)
            }
        };
        let batch_rows = batch_rows(builder.metadata());
        let reader = builder.with_batch_size(batch_rows).build().map_err(|error| file.error(UNREADABLE, error))?;
        let schema = without_metadata(&arrow_array::RecordBatchReader::schema(&reader));
        Ok((shape, Self { reader, schema, file }))
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
        Some(batch.map_err(|error| self.file.error("has damaged Parquet data", error)))
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
