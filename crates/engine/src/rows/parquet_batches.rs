//! Batches of a Parquet file in its own types, of as many rows as fit into memory.

use super::parquet_guard::PageBudget;
use super::watched_source::WatchedSource;
use super::{BATCH_BYTES, BATCH_ROWS};
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Type;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::ChunkReader;
use std::sync::Arc;

/// Memory of a value of a column that has the same size in all rows, or of a view of a text.
const VALUE_BYTES: usize = 16;
/// Factor by which batches get smaller if one takes too much memory.
const SHRINK_FACTOR: usize = 8;

/// Metadata of a file, and the columns that are read of it.
#[derive(Debug, Clone)]
pub(super) struct ReaderSpec {
    pub(super) metadata: ArrowReaderMetadata,
    pub(super) projection: ProjectionMask,
}

/// Iterator over the batches of a file.
pub(super) struct Batches {
    reader: ParquetRecordBatchReader,
    /// Opens the file again, at a row and with batches of a number of rows.
    open: Box<dyn Fn(u64, usize) -> Result<ParquetRecordBatchReader> + Send>,
    budget: Arc<PageBudget>,
    batch_rows: usize,
    /// Number of rows that were returned.
    position: u64,
}

impl Batches {
    /// Opens a file.
    ///
    /// # Errors
    /// Returns an error if its metadata is invalid.
    pub(super) fn open<R: ChunkReader + 'static>(input: WatchedSource<R>, spec: ReaderSpec) -> Result<Self> {
        let budget = Arc::new(PageBudget::new(spec.metadata.metadata(), &spec.projection)?);
        let input = input.within(&budget);
        let batch_rows = batch_rows(spec.metadata.metadata(), &spec.projection);
        let open = move |position, batch_rows| reader_at(&input, &spec, position, batch_rows);
        budget.restart(batch_rows);
        let reader = open(0, batch_rows)?;
        Ok(Self { reader, open: Box::new(open), budget, batch_rows, position: 0 })
    }

    /// Returns the schema of the batches.
    pub(super) fn schema(&self) -> SchemaRef {
        self.reader.schema()
    }

    /// Returns true if the file cannot be read because a single row takes too much memory.
    pub(super) fn are_too_large(&self) -> bool {
        self.budget.is_exceeded()
    }

    /// Reads on with smaller batches.
    fn shrink(&mut self) -> Result<()> {
        if self.batch_rows == 1 {
            return Err(ParquetError::General("a single row takes too much memory".to_owned()));
        }
        self.batch_rows = (self.batch_rows / SHRINK_FACTOR).max(1);
        self.budget.restart(self.batch_rows);
        self.reader = (self.open)(self.position, self.batch_rows)?;
        Ok(())
    }
}

impl Iterator for Batches {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.budget.batch_begins();
            match self.reader.next()? {
                Ok(batch) => {
                    self.position += batch.num_rows() as u64;
                    return Some(Ok(batch));
                }
                Err(_) if self.budget.is_exceeded() => {
                    if let Err(error) = self.shrink() {
                        return Some(Err(error.into()));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn reader_at<R: ChunkReader + 'static>(
    input: &WatchedSource<R>,
    spec: &ReaderSpec,
    position: u64,
    batch_rows: usize,
) -> Result<ParquetRecordBatchReader> {
    let groups = spec.metadata.metadata().row_groups();
    let (mut first, mut offset) = (0, position);
    while let Some(rows) = groups.get(first).and_then(|group| u64::try_from(group.num_rows()).ok()) {
        if offset < rows {
            break;
        }
        offset -= rows;
        first += 1;
    }
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input.clone(), spec.metadata.clone());
    let builder = builder.with_projection(spec.projection.clone()).with_batch_size(batch_rows);
    match position {
        0 => builder.build(),
        _ => builder.with_row_groups((first..groups.len()).collect()).with_offset(usize::try_from(offset)?).build(),
    }
}

/// Returns the number of rows per batch with which even the widest rows make batches of a few megabytes, as far as the metadata
/// shows their size.
fn batch_rows(metadata: &ParquetMetaData, projection: &ProjectionMask) -> usize {
    let groups = metadata.row_groups().iter().filter(|group| group.num_rows() > 0);
    let row_bytes = groups.map(|group| group.total_byte_size() / group.num_rows()).max().unwrap_or(0);
    let columns = metadata.file_metadata().schema_descr().columns().iter().enumerate();
    let value_bytes =
        columns.filter(|(leaf, _)| projection.leaf_included(*leaf)).map(|(_, column)| match column.physical_type() {
            Type::FIXED_LEN_BYTE_ARRAY => usize::try_from(column.type_length()).unwrap_or_default().max(VALUE_BYTES),
            _ => VALUE_BYTES,
        });
    let values = value_bytes.fold(0_usize, usize::saturating_add);
    let rows = BATCH_BYTES / usize::try_from(row_bytes).unwrap_or(1).max(values).max(1);
    rows.clamp(1, BATCH_ROWS)
}
