//! Writing Parquet with flat memory.

use crate::error::EngineError;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use std::io::Write;

/// Bytes after which a row group is closed: what a writer holds in memory at the most, about.
const ROW_GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Who a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Anybody: Snappy, which every reader knows.
    Anybody,
    /// This project's next step: LZ4, which takes half the time.
    Ourselves,
}

/// A Parquet file being written.
pub struct ParquetFile<W: Write + Send> {
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetFile<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// If writing fails or a column's type has no Parquet form.
    pub fn create(output: W, schema: SchemaRef, readers: Readers) -> Result<Self, EngineError> {
        let compression = match readers {
            Readers::Anybody => Compression::SNAPPY,
            Readers::Ourselves => Compression::LZ4_RAW,
        };
        let properties = WriterProperties::builder()
            .set_compression(compression)
            // Arrow types that Parquet has no name for (dates in milliseconds, say) become the nearest that it has.
            .set_coerce_types(true)
            // Free text hardly repeats: building dictionaries and minima of it costs more time than it saves bytes.
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .build();
        let writer = ArrowWriter::try_new(output, schema, Some(properties)).map_err(parquet_error)?;
        Ok(Self { writer })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), EngineError> {
        self.writer.write(rows).map_err(parquet_error)?;
        if self.writer.in_progress_size() >= ROW_GROUP_BYTES {
            self.writer.flush().map_err(parquet_error)?;
        }
        Ok(())
    }

    /// Writes the footer and gives the output back.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(self) -> Result<W, EngineError> {
        self.writer.into_inner().map_err(parquet_error)
    }
}

fn parquet_error(error: ParquetError) -> EngineError {
    of_the_stream(error).unwrap_or_else(|error| EngineError::internal("cannot write Parquet").caused_by(error))
}

/// The error of the stream below, with its own kind; `Err` gives an error of Parquet itself back.
pub(super) fn of_the_stream(error: ParquetError) -> Result<EngineError, ParquetError> {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(io) => Ok((*io).into()),
            Err(other) => Err(ParquetError::External(other)),
        },
        other => Err(other),
    }
}
