//! Strict reader of CSV as Arrow batches: a ragged row, text that is not UTF-8 or a repeated column name is an error that
//! names the line, never a guess.

use super::csv_header::{CsvLines, not_utf8, read_header};
use super::csv_infer::CellType;
use super::{BATCH_BYTES, BATCH_ROWS, MAX_CELL_BYTES, cell_too_large};
use crate::error::EngineError;
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bedrock_batch_domain::problem::{Problem, Problems};
use bedrock_batch_domain::spreadsheet_cell::unguarded;
use csv::ByteRecord;
use std::io::Read;
use std::sync::Arc;

/// Maximum number of bad lines that a message names.
const MAX_BAD_LINES: usize = 5;

/// Memory of a cell beside its text.
const CELL_BYTES: usize = 16;

/// Iterator over a CSV file as batches. Cells keep the text that was written, unless types are given.
pub struct CsvRows<R> {
    lines: CsvLines<R>,
    schema: SchemaRef,
    types: Vec<CellType>,
    /// Number of rows of the latest batch, for which the next one reserves memory.
    expected_rows: usize,
    /// If true, cells that spreadsheets would take for formulas have a guard, which is removed.
    are_guarded: bool,
    record: ByteRecord,
    bad: Vec<Problem>,
    done: bool,
}

impl<R: Read> CsvRows<R> {
    /// Opens a CSV whose cells get these types, or are all text if that is `None`.
    ///
    /// # Errors
    /// Returns an error like [`read_header`].
    pub fn open(input: R, file: &str, types: Option<Vec<CellType>>) -> Result<Self, EngineError> {
        Self::open_with(input, file, types, false)
    }

    /// Opens a CSV of a run with `csv_safe_cells`, and removes the guards of its cells and names of columns.
    ///
    /// # Errors
    /// Returns an error like [`read_header`].
    pub fn open_guarded(input: R, file: &str, types: Option<Vec<CellType>>) -> Result<Self, EngineError> {
        Self::open_with(input, file, types, true)
    }

    fn open_with(input: R, file: &str, types: Option<Vec<CellType>>, are_guarded: bool) -> Result<Self, EngineError> {
        let mut lines = CsvLines::new(input, file);
        let names = read_header(&mut lines)?;
        let name = |name: String| if are_guarded { unguarded(&name).to_owned() } else { name };
        let names: Vec<String> = names.into_iter().map(name).collect();
        let types = types.unwrap_or_else(|| vec![CellType::Text; names.len()]);
        let fields: Vec<Field> =
            names.iter().zip(&types).map(|(name, cell)| Field::new(name, cell.data_type(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        Ok(Self {
            lines,
            schema,
            types,
            expected_rows: 0,
            are_guarded,
            record: ByteRecord::new(),
            bad: Vec::new(),
            done: false,
        })
    }

    /// Returns the schema of the columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        let mut columns: Vec<ColumnBuilder> =
            self.types.iter().map(|cell| ColumnBuilder::new(*cell, self.expected_rows)).collect();
        // An empty cell takes memory too.
        let max_rows = (BATCH_BYTES / (CELL_BYTES * columns.len().max(1))).clamp(1, BATCH_ROWS);
        let mut rows = 0;
        let mut bytes = 0;
        while rows < max_rows && bytes < BATCH_BYTES {
            if !self.lines.read(&mut self.record)? {
                self.done = true;
                break;
            }
            let text = match self.checked_text() {
                Ok(text) => text,
                Err(problem) => {
                    self.bad.push(problem);
                    if self.bad.len() >= MAX_BAD_LINES {
                        break;
                    }
                    continue;
                }
            };
            // After a bad line, the remainder is only searched for more bad lines.
            if !self.bad.is_empty() {
                continue;
            }
            for (index, column) in columns.iter_mut().enumerate() {
                let cell = self.record.range(index).and_then(|range| text.get(range)).unwrap_or_default();
                column.push(if self.are_guarded { unguarded(cell) } else { cell });
            }
            bytes += text.len();
            rows += 1;
        }
        if !self.bad.is_empty() && (self.done || self.bad.len() >= MAX_BAD_LINES) {
            self.done = true;
            Problems::check(std::mem::take(&mut self.bad))?;
        }
        if rows == 0 && self.done {
            return Ok(None);
        }
        self.expected_rows = rows;
        let arrays = columns.into_iter().map(ColumnBuilder::finish).collect();
        let batch = RecordBatch::try_new(self.schema(), arrays);
        batch.map(Some).map_err(|error| {
            EngineError::internal(format!("cannot create rows from {}", self.lines.file)).caused_by(error)
        })
    }

    /// Returns the record's text if the record is valid.
    fn checked_text(&self) -> Result<&str, Problem> {
        let line = self.record.position().map_or(0, csv::Position::line);
        let (found, expected) = (self.record.len(), self.types.len());
        if found != expected {
            let position = format!("{} line {line}", self.lines.file);
            let rule = format!("has {found} fields, but the header has {expected}");
            let remedy = "enclose fields that contain commas, quotes or line breaks in double quotes";
            return Err(Problem::without_value(position, rule).remedy(remedy));
        }
        let text = std::str::from_utf8(self.record.as_slice()).ok();
        // The fields are concatenated here: each must be valid by itself.
        let valid = text.filter(|text| {
            text.is_ascii()
                || (0..expected).all(|i| self.record.range(i).is_some_and(|range| text.get(range).is_some()))
        });
        let text = valid.ok_or_else(|| not_utf8(&self.lines.file, line))?;
        if text.len() > MAX_CELL_BYTES {
            self.check_cells(line)?;
        }
        Ok(text)
    }

    fn check_cells(&self, line: u64) -> Result<(), Problem> {
        let cells = self.record.iter().zip(self.schema.fields());
        let mut too_large = cells.filter(|(cell, _)| cell.len() > MAX_CELL_BYTES);
        too_large.next().map_or(Ok(()), |(cell, field)| {
            Err(cell_too_large(&format!("{} line {line}", self.lines.file), field.name(), cell.len()))
        })
    }
}

impl<R: Read> Iterator for CsvRows<R> {
    type Item = Result<RecordBatch, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            match self.next_batch() {
                // A batch is empty if only bad lines were searched for.
                Ok(Some(batch)) if batch.num_rows() == 0 => {}
                Ok(batch) => return batch.map(Ok),
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

enum ColumnBuilder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    Boolean(BooleanBuilder),
}

impl ColumnBuilder {
    /// Reserves memory for this number of rows; by default, builders reserve kilobytes, and there may be thousands of them.
    fn new(cell: CellType, rows: usize) -> Self {
        match cell.data_type() {
            DataType::Int64 => Self::Integer(Int64Builder::with_capacity(rows)),
            DataType::Float64 => Self::Float(Float64Builder::with_capacity(rows)),
            DataType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            _ => Self::Text(StringBuilder::with_capacity(rows, 0)),
        }
    }

    fn push(&mut self, cell: &str) {
        match self {
            Self::Text(column) => column.append_value(cell),
            Self::Integer(column) => column.append_option(cell.parse().ok()),
            Self::Float(column) => column.append_option(cell.parse().ok()),
            Self::Boolean(column) => column.append_option(match cell {
                "" => None,
                _ => Some(cell.eq_ignore_ascii_case("true")),
            }),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut column) => Arc::new(column.finish()),
            Self::Integer(mut column) => Arc::new(column.finish()),
            Self::Float(mut column) => Arc::new(column.finish()),
            Self::Boolean(mut column) => Arc::new(column.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::cast::AsArray;
    use rstest::rstest;

    fn read(text: &[u8]) -> Result<Vec<Vec<String>>, String> {
        let rows = CsvRows::open(text, "a.csv", None).map_err(|e| e.to_string())?;
        let mut out = Vec::new();
        for batch in rows {
            let batch = batch.map_err(|e| e.to_string())?;
            for row in 0..batch.num_rows() {
                out.push(batch.columns().iter().map(|c| c.as_string::<i32>().value(row).to_owned()).collect());
            }
        }
        Ok(out)
    }

    #[test]
    fn cells_are_kept_as_written() {
        let rows = read("a,b,c\n0012,1e5,true\n\"x, \"\"y\"\"\nz\",,Łukasz\r\n".as_bytes()).unwrap();
        assert_eq!(rows, [["0012", "1e5", "true"], ["x, \"y\"\nz", "", "Łukasz"]]);
    }

    #[rstest]
    #[case::ragged(b"a,b\n1,2\n\"x\ny\",2\n3\n4,5,6\n", "a.csv line 5: has 1 fields, but the header has 2")]
    #[case::ragged_too(b"a,b\n1,2\n\"x\ny\",2\n3\n4,5,6\n", "a.csv line 6: has 3 fields")]
    #[case::not_utf8(b"a,b\n1,\xff\n", "a.csv line 2: is not valid UTF-8")]
    #[case::split_letter(b"a,b\n\xc3,\xa9\n", "a.csv line 2: is not valid UTF-8")]
    #[case::header_not_utf8(b"a,\xff\n1,2\n", "a.csv line 1: is not valid UTF-8")]
    #[case::twice(b"a,b,a\n1,2,3\n", "a.csv line 1 is `a`: this column name occurs twice")]
    #[case::empty(b"", "a.csv: is empty")]
    fn invalid_lines_are_reported_with_their_number(#[case] text: &[u8], #[case] expected: &str) {
        let error = read(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn the_number_of_reported_lines_is_limited() {
        let text = "a,b\n".to_owned() + &"1\n".repeat(100_000);
        let error = read(text.as_bytes()).unwrap_err();
        assert_eq!(error.matches("has 1 fields").count(), MAX_BAD_LINES);
    }
}
