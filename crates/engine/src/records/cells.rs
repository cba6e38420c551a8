//! Cells that a prompt inserts, as texts.

use crate::error::EngineError;
use crate::rows::cell_text::as_text;
use crate::rows::flat_text::NO_TEXT;
use arrow_array::{Array, RecordBatch, StringArray};
use bedrock_batch_domain::model::RecordWriter;

/// Columns that a prompt inserts, in the order of its writer's.
pub(crate) struct RowCells {
    columns: Vec<StringArray>,
    /// Columns of floating-point numbers, in which `NaN` is not a text of the input.
    floats: Vec<usize>,
    /// Columns of times, some of which no calendar has.
    times: Vec<usize>,
}

/// Returns the columns that a prompt inserts.
pub(crate) fn cells_of(records: &RecordWriter, rows: &RecordBatch) -> Result<RowCells, EngineError> {
    let (mut columns, mut floats, mut times) = (Vec::with_capacity(records.columns().len()), Vec::new(), Vec::new());
    for (at, name) in records.columns().iter().enumerate() {
        let column = rows.column_by_name(name);
        let column = column.ok_or_else(|| {
            EngineError::internal(format!("the rows lack the column `{name}`, which the prompt shows"))
        })?;
        floats.extend(column.data_type().is_floating().then_some(at));
        times.extend(column.data_type().is_temporal().then_some(at));
        columns.push(as_text(column)?);
    }
    Ok(RowCells { columns, floats, times })
}

impl RowCells {
    /// Returns a cell of a row; a null cell is the empty text.
    pub(crate) fn cell(&self, column: usize, row: usize) -> &str {
        let column = &self.columns[column];
        if column.is_null(row) { "" } else { column.value(row) }
    }

    /// Returns all cells of a row.
    pub(crate) fn of_row(&self, row: usize) -> impl Iterator<Item = &str> {
        (0..self.columns.len()).map(move |column| self.cell(column, row))
    }

    /// Returns the number of cells of a row that are no number in a column of floating-point numbers.
    pub(crate) fn not_a_number(&self, row: usize) -> usize {
        self.floats.iter().filter(|column| self.cell(**column, row) == "NaN").count()
    }

    /// Returns the number of cells of a row that are shown as what they are not, since no calendar has their time.
    pub(crate) fn not_representable(&self, row: usize) -> usize {
        self.times.iter().filter(|column| self.cell(**column, row) == NO_TEXT).count()
    }
}
