//! Columns of a batch while its lines are read.

use super::column_kinds::JsonType;
use super::value::{cell_of, each_element, text_of};
use crate::rows::csv_columns::ColumnBuilder;
use crate::rows::csv_infer::CellType;
use arrow_array::ArrayRef;
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder};
use std::sync::Arc;

/// Column of values of one type.
pub(super) enum JsonColumn {
    Cells(ColumnBuilder),
    Texts(ListBuilder<StringBuilder>),
    Integers(ListBuilder<Int64Builder>),
    Floats(ListBuilder<Float64Builder>),
    Booleans(ListBuilder<BooleanBuilder>),
}

impl JsonColumn {
    /// Reserves memory for this number of rows; by default, builders reserve kilobytes, and there may be thousands of them.
    pub(super) fn new(json_type: JsonType, rows: usize) -> Self {
        match json_type {
            JsonType::Cell(cell) => Self::Cells(ColumnBuilder::new(cell, rows)),
            JsonType::List(CellType::Integer | CellType::LongInteger) => {
                Self::Integers(ListBuilder::with_capacity(Int64Builder::with_capacity(rows), rows))
            }
            JsonType::List(CellType::Float) => {
                Self::Floats(ListBuilder::with_capacity(Float64Builder::with_capacity(rows), rows))
            }
            JsonType::List(CellType::Boolean) => {
                Self::Booleans(ListBuilder::with_capacity(BooleanBuilder::with_capacity(rows), rows))
            }
            JsonType::List(CellType::Text | CellType::Empty) => {
                Self::Texts(ListBuilder::with_capacity(StringBuilder::with_capacity(rows, 0), rows))
            }
        }
    }

    /// Adds a value of the column's type.
    pub(super) fn push(&mut self, json: &str) {
        if json.starts_with('n') {
            return self.push_null();
        }
        match self {
            Self::Cells(column) => match cell_of(json) {
                Some(cell) => column.push(&cell),
                None => column.push_null(),
            },
            Self::Texts(column) => {
                each_element(json, |element| {
                    column.values().append_option(text_of(element).filter(|_| element.starts_with('"')));
                });
                column.append(true);
            }
            Self::Integers(column) => {
                each_element(json, |element| column.values().append_option(element.parse().ok()));
                column.append(true);
            }
            Self::Floats(column) => {
                each_element(json, |element| column.values().append_option(element.parse().ok()));
                column.append(true);
            }
            Self::Booleans(column) => {
                each_element(json, |element| column.values().append_option(element.parse().ok()));
                column.append(true);
            }
        }
    }

    /// Adds a row without a value.
    pub(super) fn push_null(&mut self) {
        match self {
            Self::Cells(column) => column.push_null(),
            Self::Texts(column) => column.append_null(),
            Self::Integers(column) => column.append_null(),
            Self::Floats(column) => column.append_null(),
            Self::Booleans(column) => column.append_null(),
        }
    }

    pub(super) fn finish(self) -> ArrayRef {
        match self {
            Self::Cells(column) => column.finish(),
            Self::Texts(mut column) => Arc::new(column.finish()),
            Self::Integers(mut column) => Arc::new(column.finish()),
            Self::Floats(mut column) => Arc::new(column.finish()),
            Self::Booleans(mut column) => Arc::new(column.finish()),
        }
    }
}
