//! Columns of a batch while its lines are read.

use super::csv_infer::CellType;
use arrow_array::ArrayRef;
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_schema::DataType;
use std::sync::Arc;

/// Column of cells of one type.
pub(super) enum ColumnBuilder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    Boolean(BooleanBuilder),
}

impl ColumnBuilder {
    /// Reserves memory for this number of rows; by default, builders reserve kilobytes, and there may be thousands of them.
    pub(super) fn new(cell: CellType, rows: usize) -> Self {
        match cell.data_type() {
            DataType::Int64 => Self::Integer(Int64Builder::with_capacity(rows)),
            DataType::Float64 => Self::Float(Float64Builder::with_capacity(rows)),
            DataType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            _ => Self::Text(StringBuilder::with_capacity(rows, 0)),
        }
    }

    pub(super) fn push(&mut self, cell: &str) {
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

    /// Adds a cell without a value.
    pub(super) fn push_null(&mut self) {
        match self {
            Self::Text(column) => column.append_null(),
            Self::Integer(column) => column.append_null(),
            Self::Float(column) => column.append_null(),
            Self::Boolean(column) => column.append_null(),
        }
    }

    pub(super) fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut column) => Arc::new(column.finish()),
            Self::Integer(mut column) => Arc::new(column.finish()),
            Self::Float(mut column) => Arc::new(column.finish()),
            Self::Boolean(mut column) => Arc::new(column.finish()),
        }
    }
}
