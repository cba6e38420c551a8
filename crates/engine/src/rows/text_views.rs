//! Texts as views: many rows may share a text of the file's dictionary while they are read, and get copies of their own in batches
//! of bounded size.

use crate::error::EngineError;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, UInt64Array};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef};
use arrow_select::take::take_record_batch;
use std::ops::Range;
use std::sync::Arc;

/// Returns the schema with which columns are read.
pub(super) fn with_views(schema: &Schema) -> Schema {
    let fields: Vec<FieldRef> = schema.fields().iter().map(viewed_field).collect();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

fn viewed_field(field: &FieldRef) -> FieldRef {
    Arc::new(Field::clone(field).with_data_type(viewed(field.data_type())))
}

fn viewed(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::List(field) => DataType::List(viewed_field(field)),
        DataType::LargeList(field) => DataType::LargeList(viewed_field(field)),
        DataType::FixedSizeList(field, length) => DataType::FixedSizeList(viewed_field(field), *length),
        DataType::Map(field, sorted) => DataType::Map(viewed_field(field), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(viewed_field).collect()),
        other => other.clone(),
    }
}

/// Returns some rows with texts of their own, in the types of `schema`.
pub(super) fn own_rows(
    batch: &RecordBatch,
    rows: Range<usize>,
    schema: &SchemaRef,
) -> Result<RecordBatch, EngineError> {
    let copied = || {
        let is_nested = batch.columns().iter().any(|column| column.data_type().is_nested());
        let part = if is_nested && rows.len() < batch.num_rows() {
            // A slice of a list has the values of all rows, which would all be copied.
            let numbers = UInt64Array::from_iter_values(rows.start as u64..rows.end as u64);
            take_record_batch(batch, &numbers)?
        } else {
            batch.slice(rows.start, rows.len())
        };
        let columns = part.columns().iter().zip(schema.fields()).map(|(column, field)| own_column(column, field));
        RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, _>>()?)
    };
    copied().map_err(|error| EngineError::internal("cannot copy rows of Parquet").caused_by(error))
}

fn own_column(column: &ArrayRef, field: &Field) -> Result<ArrayRef, ArrowError> {
    match field.data_type() {
        // A file may have these types itself.
        DataType::Utf8View => Ok(Arc::new(column.as_string_view().gc())),
        DataType::BinaryView => Ok(Arc::new(column.as_binary_view().gc())),
        other if other == column.data_type() => Ok(Arc::clone(column)),
        other => cast(column, other),
    }
}
