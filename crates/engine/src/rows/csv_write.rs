//! Writer of answered rows as CSV: texts unchanged, numbers formatted by Arrow, lists as JSON text, null as an empty cell.

use super::cell_text::as_text;
use crate::error::EngineError;
use arrow_array::{Array, RecordBatch};
use arrow_schema::SchemaRef;
use bedrock_batch_domain::input::AnswerOptions;
use bedrock_batch_domain::spreadsheet_cell::guarded;
use std::borrow::Cow;
use std::io::Write;

/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Options of CSV files for spreadsheets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CsvStyle {
    /// If true, texts that spreadsheets would take for formulas are guarded.
    pub guards_cells: bool,
    /// If true, files begin with a byte order mark, by which Excel knows that they are UTF-8.
    pub has_mark: bool,
}

impl From<&AnswerOptions> for CsvStyle {
    fn from(options: &AnswerOptions) -> Self {
        Self { guards_cells: options.csv_safe_cells, has_mark: options.csv_byte_order_mark }
    }
}

/// CSV file being written.
pub struct CsvFile<W: Write> {
    writer: csv::Writer<W>,
    guards_cells: bool,
    guarded_cells: u64,
}

impl<W: Write> CsvFile<W> {
    /// Creates a file with its header line.
    ///
    /// # Errors
    /// Returns an error if writing fails.
    pub fn create(mut output: W, schema: &SchemaRef, style: CsvStyle) -> Result<Self, EngineError> {
        if style.has_mark {
            output.write_all(MARK)?;
        }
        let writer = csv::WriterBuilder::new().buffer_capacity(256 * 1024).from_writer(output);
        let mut file = Self { writer, guards_cells: style.guards_cells, guarded_cells: 0 };
        for field in schema.fields() {
            file.write_cell(field.name(), true)?;
        }
        file.end_row()?;
        Ok(file)
    }

    /// Appends rows.
    ///
    /// # Errors
    /// Returns an error if writing fails.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), EngineError> {
        let columns = rows.columns().iter().map(as_text).collect::<Result<Vec<_>, _>>()?;
        // Numbers and dates are no formulas, whatever they begin with.
        let are_texts: Vec<bool> = rows.columns().iter().map(|column| !column.data_type().is_primitive()).collect();
        for row in 0..rows.num_rows() {
            for (column, is_text) in columns.iter().zip(&are_texts) {
                let cell = if column.is_null(row) { "" } else { column.value(row) };
                self.write_cell(cell, *is_text)?;
            }
            self.end_row()?;
        }
        Ok(())
    }

    fn write_cell(&mut self, cell: &str, is_text: bool) -> Result<(), EngineError> {
        let guarded = (self.guards_cells && is_text).then(|| guarded(cell));
        let written = match &guarded {
            Some(Cow::Owned(guarded)) => {
                self.guarded_cells += 1;
                guarded
            }
            _ => cell,
        };
        Ok(self.writer.write_field(written).map_err(std::io::Error::from)?)
    }

    fn end_row(&mut self) -> Result<(), EngineError> {
        Ok(self.writer.write_record(None::<&[u8]>).map_err(std::io::Error::from)?)
    }

    /// Returns the number of cells that were guarded, including names of columns.
    pub fn guarded_cells(&self) -> u64 {
        self.guarded_cells
    }

    /// Flushes buffered rows and returns the output.
    ///
    /// # Errors
    /// Returns an error if writing fails.
    pub fn finish(self) -> Result<W, EngineError> {
        self.writer.into_inner().map_err(|error| EngineError::from(error.into_error()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::csv_dialect::CsvReading;
    use crate::rows::csv_read::CsvRows;
    use arrow_array::cast::AsArray;
    use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
    use std::sync::Arc;

    fn rows() -> RecordBatch {
        let text: ArrayRef =
            Arc::new(StringArray::from(vec![Some("=1+1"), Some("'=1+1"), None, Some("-5"), Some("a")]));
        let number: ArrayRef = Arc::new(Int64Array::from(vec![-1, -2, -3, -4, -5]));
        let float: ArrayRef = Arc::new(Float64Array::from(vec![-0.5, f64::NEG_INFINITY, 0.0, 1.0, 2.0]));
        RecordBatch::try_from_iter_with_nullable([("@text", text, true), ("n", number, true), ("f", float, true)])
            .unwrap()
    }

    fn written(guards_cells: bool) -> (String, u64) {
        written_in(CsvStyle { guards_cells, has_mark: false })
    }

    fn written_in(style: CsvStyle) -> (String, u64) {
        let mut file = CsvFile::create(Vec::new(), &rows().schema(), style).unwrap();
        file.write(&rows()).unwrap();
        let guarded = file.guarded_cells();
        (String::from_utf8(file.finish().unwrap()).unwrap(), guarded)
    }

    #[test]
    fn formulas_in_texts_are_guarded_and_numbers_stay_numbers() {
        let (csv, guarded) = written(true);
        assert_eq!(csv, "'@text,n,f\n'=1+1,-1,-0.5\n''=1+1,-2,-inf\n,-3,0.0\n-5,-4,1.0\na,-5,2.0\n");
        assert_eq!(guarded, 3);
        let (csv, guarded) = written(false);
        assert_eq!(csv, "@text,n,f\n=1+1,-1,-0.5\n'=1+1,-2,-inf\n,-3,0.0\n-5,-4,1.0\na,-5,2.0\n");
        assert_eq!(guarded, 0);
    }

    #[test]
    fn a_mark_comes_before_the_header_and_changes_nothing_else() {
        let (with, _) = written_in(CsvStyle { guards_cells: false, has_mark: true });
        assert_eq!(with, format!("\u{feff}{}", written(false).0));
    }

    #[test]
    fn guarded_files_with_a_mark_are_read_as_they_were() {
        let (csv, _) = written_in(CsvStyle { guards_cells: true, has_mark: true });
        let batch = CsvRows::read(csv.as_bytes(), "a.csv", &CsvReading::of_answers(true), None)
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(batch.schema().field(0).name(), "@text");
        let texts: Vec<&str> = batch.column(0).as_string::<i32>().iter().flatten().collect();
        assert_eq!(texts, ["=1+1", "'=1+1", "", "-5", "a"]);
    }
}
