//! Writer of answered rows as CSV: texts unchanged, numbers formatted by Arrow, lists as JSON text, null as an empty cell.

use super::cell_text::as_text;
use crate::error::EngineError;
use arrow_array::{Array, RecordBatch};
use arrow_schema::SchemaRef;
use std::io::Write;

/// CSV file being written.
pub struct CsvFile<W: Write> {
    writer: csv::Writer<W>,
}

impl<W: Write> CsvFile<W> {
    /// Creates a file with its header line.
    ///
    /// # Errors
    /// Returns an error if writing fails.
    pub fn create(output: W, schema: &SchemaRef) -> Result<Self, EngineError> {
        let mut writer = csv::WriterBuilder::new().buffer_capacity(256 * 1024).from_writer(output);
        let names = schema.fields().iter().map(|field| field.name());
        writer.write_record(names).map_err(std::io::Error::from)?;
        Ok(Self { writer })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// Returns an error if writing fails.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), EngineError> {
        let columns = rows.columns().iter().map(as_text).collect::<Result<Vec<_>, _>>()?;
        for row in 0..rows.num_rows() {
            for column in &columns {
                let cell = if column.is_null(row) { "" } else { column.value(row) };
                self.writer.write_field(cell).map_err(std::io::Error::from)?;
            }
            self.writer.write_record(None::<&[u8]>).map_err(std::io::Error::from)?;
        }
        Ok(())
    }

    /// Flushes buffered rows and returns the output.
    ///
    /// # Errors
    /// Returns an error if writing fails.
    pub fn finish(self) -> Result<W, EngineError> {
        self.writer.into_inner().map_err(|error| EngineError::from(error.into_error()))
    }
}
