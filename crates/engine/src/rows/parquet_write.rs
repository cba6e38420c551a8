//! Writer of Parquet with flat memory.

use crate::error::EngineError;
use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::SchemaDescriptor;
use std::io::Write;

/// Size after which a row group is closed, which is also about the maximum memory of a writer.
const ROW_GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Size of a page: one that fits into the cache of a core is copied and compressed in half the time of one of 1 MB.
const PAGE_BYTES: usize = 128 * 1024;

/// Size of a column's dictionary after which its other values are written one by one. Columns of a few values, such as models,
/// reasons and categories, become small; in columns of free text only the first values are looked up.
const DICTIONARY_BYTES: usize = 16 * 1024;

/// Codec of all files: results take over the columns of intermediate files as they are, and every reader of results knows Snappy.
pub(super) const CODEC: Compression = Compression::SNAPPY;

/// Parquet file being written.
pub struct ParquetFile<W: Write + Send> {
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetFile<W> {
    /// Creates a file.
    ///
    /// # Errors
    /// Returns an error if writing fails or a column's type has no Parquet form.
    pub fn create(output: W, schema: SchemaRef) -> Result<Self, EngineError> {
        let writer = ArrowWriter::try_new(output, schema, Some(properties())).map_err(parquet_error)?;
        Ok(Self { writer })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// Returns an error if writing fails.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), EngineError> {
        self.writer.write(rows).map_err(parquet_error)?;
        if self.writer.in_progress_size() >= ROW_GROUP_BYTES {
            self.writer.flush().map_err(parquet_error)?;
        }
        Ok(())
    }

    /// Writes the footer and returns the output.
    ///
    /// # Errors
    /// Returns an error if writing fails.
    pub fn finish(self) -> Result<W, EngineError> {
        self.writer.into_inner().map_err(parquet_error)
    }
}

/// Returns the properties of all files.
pub(super) fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(CODEC)
        // Arrow types that Parquet does not have (such as dates in milliseconds) become the nearest that it has.
        .set_coerce_types(true)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        // Statistics of texts would cost time, and nothing reads them; without them, an index of pages has no use.
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .build()
}

/// Returns the description of columns of this schema in files that are written here.
pub(super) fn own_schema(schema: &Schema) -> parquet::errors::Result<SchemaDescriptor> {
    ArrowSchemaConverter::new().with_coerce_types(properties().coerce_types()).convert(schema)
}

/// Returns the error of a write.
pub(super) fn parquet_error(error: ParquetError) -> EngineError {
    of_the_stream(error).unwrap_or_else(|error| EngineError::internal("cannot write Parquet").caused_by(error))
}

/// Extracts the error of the underlying stream, which keeps its kind; `Err` returns an error of Parquet itself.
pub(super) fn of_the_stream(error: ParquetError) -> Result<EngineError, ParquetError> {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(io) => Ok((*io).into()),
            Err(other) => Err(ParquetError::External(other)),
        },
        other => Err(other),
    }
}
