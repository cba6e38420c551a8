//! Columns of an intermediate file in their encoded form, which files of results take over without decoding them.

use super::parquet_guard::{caught, check_footer};
use super::parquet_write::{CODEC, of_the_stream, own_schema};
use super::watched_source::{SourceFailure, WatchedSource};
use crate::error::EngineError;
use arrow_schema::{Schema, SchemaRef};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;
use std::io::Write;
use std::sync::Arc;

/// Encoded columns of a file, by row group.
pub struct EncodedColumns<R> {
    source: WatchedSource<R>,
    failure: SourceFailure,
    name: String,
    metadata: Arc<ParquetMetaData>,
    schema: SchemaRef,
    /// Numbers of the columns' leaves within the file, in order.
    leaves: Vec<usize>,
}

impl<R: ChunkReader + 'static> EncodedColumns<R> {
    /// Opens an intermediate file of a run, to take over the columns for which `is_taken` returns true. Returns `None` if a result
    /// must not contain them as they are: an earlier version compressed them in a way that many readers do not know.
    ///
    /// # Errors
    /// Returns `Corrupt` if it is not a readable Parquet file, else the error of the source.
    pub fn open_of_run(
        input: R,
        name: &str,
        is_taken: impl Fn(&str) -> bool,
    ) -> std::result::Result<Option<Self>, EngineError> {
        let failure = SourceFailure::default();
        let source = WatchedSource::new(input, &failure);
        let error = |error| error_of(&failure, name, error);
        if check_footer(&source, name).map_err(error)?.is_some() {
            return Ok(None);
        }
        let loaded = caught(|| ArrowReaderMetadata::load(&source, ArrowReaderOptions::default())).map_err(error)?;
        let fields = loaded.schema().fields().iter().filter(|field| is_taken(field.name())).cloned();
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let metadata = Arc::clone(loaded.metadata());
        let leaves = caught(|| leaves(&metadata, &schema)).map_err(error)?;
        Ok(leaves.map(|leaves| Self { source, failure, name: name.to_owned(), metadata, schema, leaves }))
    }

    /// Returns the schema of the columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Returns the number of rows of each row group.
    pub fn group_rows(&self) -> Vec<usize> {
        let rows = self.metadata.row_groups().iter().map(RowGroupMetaData::num_rows);
        rows.map(|rows| usize::try_from(rows).unwrap_or_default()).collect()
    }

    /// Returns the number of leaves of the columns.
    pub(super) fn leaf_count(&self) -> usize {
        self.leaves.len()
    }

    /// Appends the columns of a row group to one of a result, whose first leaves are `described` like this.
    ///
    /// # Errors
    /// Returns `Corrupt` if the file is damaged, else the error of the source or of the result.
    pub(super) fn append<W: Write + Send>(
        &self,
        group: usize,
        described: &[ColumnDescPtr],
        result: &mut SerializedRowGroupWriter<'_, W>,
    ) -> std::result::Result<(), EngineError> {
        let append = || {
            let of_group = self.metadata.row_groups().get(group);
            let of_group = of_group.ok_or_else(|| ParquetError::General("it has fewer row groups".to_owned()))?;
            for (leaf, described) in self.leaves.iter().zip(described) {
                let column = of_group.columns().get(*leaf);
                let column = column.ok_or_else(|| ParquetError::General("it has fewer columns".to_owned()))?;
                self.check_place(column)?;
                result.append_column(&self.source, closed(column, described, of_group)?)?;
            }
            Ok(())
        };
        caught(append).map_err(|error| error_of(&self.failure, &self.name, error))
    }

    /// Checks that a column lies within the file.
    fn check_place(&self, column: &ColumnChunkMetaData) -> Result<()> {
        let begin = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
        let end = u64::try_from(begin).ok().zip(u64::try_from(column.compressed_size()).ok());
        let end = end.and_then(|(begin, bytes)| begin.checked_add(bytes));
        match end {
            Some(end) if end <= self.source.len() => Ok(()),
            _ => Err(ParquetError::General("a column lies outside of the file".to_owned())),
        }
    }
}

/// Returns the leaves of the columns of `schema`; `None` if writing these columns would give them another description or codec.
fn leaves(metadata: &ParquetMetaData, schema: &Schema) -> Result<Option<Vec<usize>>> {
    let described = metadata.file_metadata().schema_descr();
    let roots = described.root_schema().get_fields();
    let expected = own_schema(schema)?;
    let mut expected = expected.root_schema().get_fields().iter().peekable();
    let mut is_taken = Vec::with_capacity(roots.len());
    for root in roots {
        is_taken.push(expected.next_if(|expected| *expected == root).is_some());
    }
    if expected.next().is_some() {
        return Ok(None);
    }
    let taken = |leaf: &usize| is_taken.get(described.get_column_root_idx(*leaf)).copied().unwrap_or(false);
    let leaves: Vec<usize> = (0..described.num_columns()).filter(taken).collect();
    let has_codec = |group: &RowGroupMetaData| {
        leaves.iter().all(|leaf| group.columns().get(*leaf).is_some_and(|column| column.compression() == CODEC))
    };
    Ok(metadata.row_groups().iter().all(has_codec).then_some(leaves))
}

/// Returns the description of a column's chunk, as if it had just been written.
fn closed(
    column: &ColumnChunkMetaData,
    described: &ColumnDescPtr,
    group: &RowGroupMetaData,
) -> Result<ColumnCloseResult> {
    let metadata = ColumnChunkMetaData::builder(Arc::clone(described))
        .set_compression_codec(column.compression_codec())
        .set_encodings_mask(*column.encodings_mask())
        .set_total_compressed_size(column.compressed_size())
        .set_total_uncompressed_size(column.uncompressed_size())
        .set_num_values(column.num_values())
        .set_data_page_offset(column.data_page_offset())
        .set_dictionary_page_offset(column.dictionary_page_offset())
        .set_unencoded_byte_array_data_bytes(column.unencoded_byte_array_data_bytes())
        .set_repetition_level_histogram(column.repetition_level_histogram().cloned())
        .set_definition_level_histogram(column.definition_level_histogram().cloned())
        .build()?;
    Ok(ColumnCloseResult {
        bytes_written: u64::try_from(column.compressed_size())?,
        rows_written: u64::try_from(group.num_rows())?,
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    })
}

/// Returns the error of the source or of the result if one of them failed, else that of the file itself.
fn error_of(failure: &SourceFailure, name: &str, error: ParquetError) -> EngineError {
    let of_file = |error| EngineError::corrupt(format!("{name} cannot be read as Parquet: {error}"));
    failure.take().unwrap_or_else(|| of_the_stream(error).unwrap_or_else(of_file))
}
