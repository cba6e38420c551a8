//! Second pass over a file of JSON lines: its rows as Arrow batches, in the columns of the whole input.

use super::builder::JsonColumn;
use super::json_table::JsonColumns;
use super::lines::Lines;
use super::problems::{has_changed, not_an_object};
use super::value::each_member;
use crate::error::EngineError;
use crate::rows::{BATCH_BYTES, BATCH_ROWS};
use arrow_array::RecordBatch;
use bedrock_batch_domain::problem::Problem;
use std::io::Read;
use std::sync::Arc;

/// Memory of a value beside its text.
const VALUE_BYTES: usize = 16;

/// Iterator over a file as batches.
pub struct JsonRows<R: Read> {
    lines: Lines<R>,
    columns: Arc<JsonColumns>,
    /// Number of the latest row that has each column, from 1.
    rows_of: Vec<u64>,
    row: u64,
    /// Number of rows of the latest batch, for which the next one reserves memory.
    expected_rows: usize,
    done: bool,
}

impl<R: Read> JsonRows<R> {
    /// Opens a file that is one of those with these columns.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the file is of another kind, and an error if reading fails.
    pub fn open(input: R, file: &str, columns: Arc<JsonColumns>) -> Result<Self, EngineError> {
        let lines = Lines::open(input, file)?;
        let rows_of = vec![0; columns.types.len()];
        Ok(Self { lines, columns, rows_of, row: 0, expected_rows: 0, done: false })
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        let mut columns: Vec<JsonColumn> =
            self.columns.types.iter().map(|json_type| JsonColumn::new(*json_type, self.expected_rows)).collect();
        // A missing value takes memory too.
        let max_rows = (BATCH_BYTES / (VALUE_BYTES * columns.len().max(1))).clamp(1, BATCH_ROWS);
        let (mut rows, mut bytes) = (0, 0);
        while rows < max_rows && bytes < BATCH_BYTES {
            if !self.lines.read()? {
                self.done = true;
                break;
            }
            self.row += 1;
            bytes += self.push_row(&mut columns)?;
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        self.expected_rows = rows;
        let arrays = columns.into_iter().map(JsonColumn::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.columns.schema), arrays);
        batch.map(Some).map_err(|error| {
            EngineError::internal(format!("cannot create rows up to {}", self.lines.place())).caused_by(error)
        })
    }

    /// Adds the line as a row, and returns its size.
    fn push_row(&mut self, columns: &mut [JsonColumn]) -> Result<usize, Problem> {
        let line = self.lines.text()?;
        let (mut expected, mut is_known) = (0, true);
        let read = each_member(line, |name, json| {
            let at = self.columns.names.find(&name, expected).unwrap_or(usize::MAX);
            let (Some(column), Some(row)) = (columns.get_mut(at), self.rows_of.get_mut(at)) else {
                is_known = false;
                return;
            };
            if *row == self.row {
                is_known = false;
                return;
            }
            *row = self.row;
            column.push(json);
            expected = at + 1;
        });
        read.map_err(|error| not_an_object(&self.lines.place(), line, &error))?;
        if !is_known {
            return Err(has_changed(&self.lines.place()));
        }
        let missing = columns.iter_mut().zip(&self.rows_of).filter(|(_, row)| **row != self.row);
        missing.for_each(|(column, _)| column.push_null());
        Ok(line.len())
    }
}

impl<R: Read> Iterator for JsonRows<R> {
    type Item = Result<RecordBatch, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let batch = self.next_batch();
        self.done |= !matches!(batch, Ok(Some(_)));
        batch.transpose()
    }
}
