//! Strict reader of CSV as Arrow batches: a ragged row, text that is not valid in its encoding or a repeated column name is an
//! error that names the line, never a guess.

use super::csv_columns::ColumnBuilder;
use super::csv_dialect::{CsvReading, Origin};
use super::csv_header::{Header, no_header, read_header};
use super::csv_infer::{CellType, ColumnTypes};
use super::csv_lines::CsvLines;
use super::csv_text::CsvText;
use super::{BATCH_BYTES, BATCH_ROWS, MAX_CELL_BYTES, cell_too_large};
use crate::error::EngineError;
use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema, SchemaRef};
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
pub struct CsvRows<R: Read> {
    lines: CsvLines<R>,
    pub(super) header: Header,
    schema: SchemaRef,
    types: Vec<CellType>,
    /// Number of rows of the latest batch, for which the next one reserves memory.
    expected_rows: usize,
    /// If true, cells that spreadsheets would take for formulas have a guard, which is removed.
    are_guarded: bool,
    /// If true, a line that repeats the header is an error.
    is_strict: bool,
    /// Texts that stand for null.
    nulls: Vec<String>,
    record: ByteRecord,
    bad: Vec<Problem>,
    done: bool,
}

impl<R: Read> CsvRows<R> {
    /// Opens a CSV whose form is found, and whose cells get these types, or are all text if that is `None`.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the file cannot be read as a CSV, and an error if reading fails.
    pub fn open(input: R, file: &str, types: Option<&ColumnTypes>) -> Result<Self, EngineError> {
        Self::read(input, file, &CsvReading::default(), types)
    }

    /// Opens a CSV in a certain way.
    ///
    /// # Errors
    /// Returns an error like [`Self::open`].
    pub fn read(input: R, file: &str, reading: &CsvReading, types: Option<&ColumnTypes>) -> Result<Self, EngineError> {
        Self::read_lines(input, file, reading, types)?.ok_or_else(|| no_header(file).into())
    }

    /// Opens a CSV that may be without any line, as an empty part of a table is.
    pub(super) fn read_lines(
        input: R,
        file: &str,
        reading: &CsvReading,
        types: Option<&ColumnTypes>,
    ) -> Result<Option<Self>, EngineError> {
        let mut lines = CsvLines::new(CsvText::open(input, file, reading)?);
        let Some(header) = read_header(&mut lines, reading)? else { return Ok(None) };
        let type_of = |name: &String| types.map_or(CellType::Text, |types| types.of(name));
        let types: Vec<CellType> = header.names.iter().map(type_of).collect();
        let fields: Vec<Field> =
            header.names.iter().zip(&types).map(|(name, cell)| Field::new(name, cell.data_type(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        Ok(Some(Self {
            lines,
            header,
            schema,
            types,
            expected_rows: 0,
            are_guarded: reading.origin == Origin::Run { are_guarded: true },
            is_strict: reading.is_strict(),
            nulls: reading.options.null_values.clone(),
            record: ByteRecord::new(),
            bad: Vec::new(),
            done: false,
        }))
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
                if !self.nulls.is_empty() && self.nulls.iter().any(|null| null == cell) {
                    column.push_null();
                } else {
                    column.push(if self.are_guarded { unguarded(cell) } else { cell });
                }
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
        let (found, expected) = (self.record.len(), self.header.fields());
        if found != expected {
            return Err(self.ragged());
        }
        if self.is_strict && self.header.is_repeated_by(&self.record) {
            let rule = "is the header again, as in files that were joined";
            let remedy = "remove the line; csv.lenient reads it as a row";
            return Err(Problem::without_value(self.place(), rule).remedy(remedy));
        }
        let text = std::str::from_utf8(self.record.as_slice()).ok();
        // The fields are concatenated here: each must be valid by itself.
        let valid = text.filter(|text| {
            text.is_ascii()
                || (0..expected).all(|i| self.record.range(i).is_some_and(|range| text.get(range).is_some()))
        });
        let text = valid.ok_or_else(|| self.lines.not_in_encoding())?;
        if self.header.nameless > 0 {
            self.check_nameless()?;
        }
        if text.len() > MAX_CELL_BYTES {
            self.check_cells()?;
        }
        Ok(text)
    }

    fn place(&self) -> String {
        format!("{} line {}", self.lines.file, self.lines.record_line)
    }

    /// Returns the problem of a line with too few or too many fields.
    fn ragged(&self) -> Problem {
        let (found, expected) = (self.record.len(), self.header.fields());
        let delimiter = self.lines.dialect.delimiter_name();
        let remedy = if self.header.line.is_some() && expected == 1 {
            format!(
                "the first line was taken for the names of columns: {}; if they are further down, set csv.skip_rows, and if \
                 another character than a {delimiter} separates cells, csv.delimiter",
                self.header.shown()
            )
        } else if found == expected + 1 && self.record.iter().next_back().is_some_and(<[u8]>::is_empty) {
            format!("the line ends with a {delimiter} that the header does not have; add one there, or remove it here")
        } else {
            format!("enclose fields that contain {delimiter}s, quotes or line breaks in double quotes")
        };
        let rule = format!("has {found} fields, but the header has {expected}");
        Problem::without_value(self.place(), rule).remedy(remedy)
    }

    /// Checks that columns without a name are empty.
    fn check_nameless(&self) -> Result<(), Problem> {
        let named = self.header.names.len();
        let mut nameless = self.record.iter().zip(1..).skip(named);
        let found = nameless.find(|(cell, _)| !cell.trim_ascii().is_empty());
        found.map_or(Ok(()), |(_, number)| {
            let rule = "has text, but the column has no name";
            let remedy = "name it in the header, or remove the text";
            Err(Problem::without_value(format!("{} column {number}", self.place()), rule).remedy(remedy))
        })
    }

    fn check_cells(&self) -> Result<(), Problem> {
        let cells = self.record.iter().zip(self.schema.fields());
        let mut too_large = cells.filter(|(cell, _)| cell.len() > MAX_CELL_BYTES);
        too_large.next().map_or(Ok(()), |(cell, field)| Err(cell_too_large(&self.place(), field.name(), cell.len())))
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

#[cfg(test)]
mod tests;
