//! Cells that a prompt inserts, as texts.

use crate::error::EngineError;
use crate::rows::cell_text::as_text;
use arrow_array::{Array, RecordBatch, StringArray};
use bedrock_batch_domain::model::RecordWriter;

/// Columns that a prompt inserts, in the order of its writer's.
pub(crate) struct RowCells(Vec<StringArray>);

/// Returns the columns that a prompt inserts.
pub(crate) fn cells_of(records: &RecordWriter, rows: &RecordBatch) -> Result<RowCells, EngineError> {
    let columns = records.columns().iter().map(|name| {
        let column = rows.column_by_name(name);
        let column = column.ok_or_else(|| {
            EngineError::internal(format!("the rows lack the column `{name}`, which the prompt shows"))
        })?;
        as_text(column)
    });
    columns.collect::<Result<_, _>>().map(RowCells)
}

impl RowCells {
    /// Returns a cell of a row; a null cell is the empty text.
    pub(crate) fn cell(&self, column: usize, row: usize) -> &str {
        let column = &self.0[column];
        if column.is_null(row) { "" } else { column.value(row) }
    }

    /// Returns all cells of a row.
    pub(crate) fn of_row(&self, row: usize) -> impl Iterator<Item = &str> {
        (0..self.0.len()).map(move |column| self.cell(column, row))
    }
}
