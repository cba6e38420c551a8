//! Columns of a prompt's fields, each of which has the same type in all files of a run.

use arrow_array::ArrayRef;
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder};
use bedrock_batch_domain::extract::{Cell, ColumnType, FieldValue, PlainCell};
use std::sync::Arc;

/// Columns of all fields, built row by row.
pub(super) struct FieldColumns(Vec<FieldColumn>);

enum FieldColumn {
    Integer(Int64Builder),
    Float(Float64Builder),
    Boolean(BooleanBuilder),
    Text(StringBuilder),
    List(ListBuilder<StringBuilder>),
}

impl FieldColumns {
    /// Creates empty columns of these types, with room for this number of rows.
    pub(super) fn new(types: &[ColumnType], rows: usize) -> Self {
        Self(types.iter().map(|column| FieldColumn::new(*column, rows)).collect())
    }

    /// Appends the values of one row; `None` stands for a row without any values.
    pub(super) fn push(&mut self, values: Option<&[Option<FieldValue>]>) {
        for (number, column) in self.0.iter_mut().enumerate() {
            column.push(values.and_then(|values| values.get(number)).and_then(Option::as_ref));
        }
    }

    /// Appends the cells of one row, which are in the text of its answer.
    pub(super) fn push_cells(&mut self, cells: &[PlainCell], answer: &str) {
        for (number, column) in self.0.iter_mut().enumerate() {
            column.push_cell(cells.get(number).copied().unwrap_or_default(), answer);
        }
    }

    /// Returns the columns, in order.
    pub(super) fn finish(&mut self) -> Vec<ArrayRef> {
        self.0.iter_mut().map(FieldColumn::finish).collect()
    }
}

impl FieldColumn {
    fn new(column: ColumnType, rows: usize) -> Self {
        match column {
            ColumnType::Integer => Self::Integer(Int64Builder::with_capacity(rows)),
            ColumnType::Float => Self::Float(Float64Builder::with_capacity(rows)),
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            ColumnType::Text => Self::Text(StringBuilder::with_capacity(rows, 0)),
            ColumnType::List => Self::List(ListBuilder::with_capacity(StringBuilder::new(), rows)),
        }
    }

    fn column_type(&self) -> ColumnType {
        match self {
            Self::Integer(_) => ColumnType::Integer,
            Self::Float(_) => ColumnType::Float,
            Self::Boolean(_) => ColumnType::Boolean,
            Self::Text(_) => ColumnType::Text,
            Self::List(_) => ColumnType::List,
        }
    }

    fn push(&mut self, value: Option<&FieldValue>) {
        let cell = value.and_then(|value| self.column_type().cell(value));
        match (self, cell) {
            (Self::Integer(column), Some(Cell::Integer(number))) => column.append_value(number),
            (Self::Float(column), Some(Cell::Float(number))) => column.append_value(number),
            (Self::Boolean(column), Some(Cell::Boolean(flag))) => column.append_value(flag),
            (Self::Text(column), Some(Cell::Text(text))) => column.append_value(text),
            (Self::List(column), Some(Cell::List(texts))) => {
                for text in texts {
                    column.values().append_option(text.as_deref());
                }
                column.append(true);
            }
            // No value. A cell of another type does not occur.
            (Self::Integer(column), _) => column.append_null(),
            (Self::Float(column), _) => column.append_null(),
            (Self::Boolean(column), _) => column.append_null(),
            (Self::Text(column), _) => column.append_null(),
            (Self::List(column), _) => column.append_null(),
        }
    }

    fn push_cell(&mut self, cell: PlainCell, answer: &str) {
        match (self, cell) {
            (Self::Integer(column), PlainCell::Integer(number)) => column.append_value(number),
            (Self::Float(column), PlainCell::Float(number)) => column.append_value(number),
            (Self::Boolean(column), PlainCell::Boolean(flag)) => column.append_value(flag),
            (Self::Text(column), PlainCell::Text(..) | PlainCell::EscapedText(..)) => {
                column.append_option(cell.text(answer));
            }
            // Nulls, and columns of several kinds of values.
            (column, _) => column.push(cell.value(answer).as_ref()),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Integer(column) => Arc::new(column.finish()),
            Self::Float(column) => Arc::new(column.finish()),
            Self::Boolean(column) => Arc::new(column.finish()),
            Self::Text(column) => Arc::new(column.finish()),
            Self::List(column) => Arc::new(column.finish()),
        }
    }
}
