//! Files of answered rows.

use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use crate::rows::csv_write::{CsvFile, CsvStyle};
use crate::rows::parquet_write::ParquetFile;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bedrock_batch_domain::input::OutputFormat;
use std::sync::Arc;

/// File being written.
pub(super) enum OutputFile<W: ClosableWrite> {
    Parquet(ParquetFile<W>),
    Csv(CsvFile<W>),
}

impl<W: ClosableWrite> OutputFile<W> {
    /// Appends rows.
    pub(super) fn write(&mut self, rows: &RecordBatch) -> Result<(), EngineError> {
        match self {
            Self::Parquet(file) => file.write(rows),
            Self::Csv(file) => file.write(rows),
        }
    }

    /// Returns the number of cells that were guarded.
    pub(super) fn guarded_cells(&self) -> u64 {
        match self {
            Self::Parquet(_) => 0,
            Self::Csv(file) => file.guarded_cells(),
        }
    }

    /// Completes the file.
    pub(super) fn close(self) -> Result<(), EngineError> {
        let writer = match self {
            Self::Parquet(file) => file.finish()?,
            Self::Csv(file) => file.finish()?,
        };
        Ok(writer.close()?)
    }
}

/// Creates a file in each format.
pub(super) fn create_files<S: ObjectSink>(
    outputs: &[(OutputFormat, String)],
    csv: CsvStyle,
    schema: &SchemaRef,
    sink: &S,
) -> Result<Vec<OutputFile<S::Writer>>, EngineError> {
    let create = |(format, key): &(OutputFormat, String)| {
        let writer = sink.create(key)?;
        Ok(match format {
            OutputFormat::Parquet => OutputFile::Parquet(ParquetFile::create(writer, Arc::clone(schema))?),
            OutputFormat::Csv => OutputFile::Csv(CsvFile::create(writer, schema, csv)?),
        })
    };
    outputs.iter().map(create).collect()
}
