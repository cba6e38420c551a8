//! Times of the old type INT96, which Spark and Impala write. Arrow reads them as nanoseconds of 64 bits by default, in which the
//! year 9999 wraps to another one; as microseconds, every date of a calendar is what it is.

use arrow_schema::{DataType, Field, FieldRef, Schema, TimeUnit};
use parquet::basic::Type;
use parquet::schema::types::SchemaDescriptor;
use std::sync::Arc;

/// Returns the schema with which columns are read.
pub(super) fn with_microseconds(schema: &Schema, described: &SchemaDescriptor) -> Schema {
    let mut are_int96 = described.columns().iter().map(|leaf| leaf.physical_type() == Type::INT96);
    if !are_int96.clone().any(|is_int96| is_int96) {
        return schema.clone();
    }
    let fields: Vec<FieldRef> = schema.fields().iter().map(|field| of_field(field, &mut are_int96)).collect();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

fn of_field(field: &FieldRef, are_int96: &mut impl Iterator<Item = bool>) -> FieldRef {
    let of_type = of_type(field.data_type(), are_int96);
    if of_type == *field.data_type() {
        return Arc::clone(field);
    }
    Arc::new(Field::clone(field).with_data_type(of_type))
}

/// Returns the type of a column, whose leaves are the next ones: both schemas have them in the same order.
fn of_type(of: &DataType, are_int96: &mut impl Iterator<Item = bool>) -> DataType {
    match of {
        DataType::List(field) => DataType::List(of_field(field, are_int96)),
        DataType::LargeList(field) => DataType::LargeList(of_field(field, are_int96)),
        DataType::FixedSizeList(field, length) => DataType::FixedSizeList(of_field(field, are_int96), *length),
        DataType::Map(field, is_sorted) => DataType::Map(of_field(field, are_int96), *is_sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| of_field(field, are_int96)).collect()),
        leaf => match (are_int96.next(), leaf) {
            (Some(true), DataType::Timestamp(TimeUnit::Nanosecond, zone)) => {
                DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
            }
            _ => leaf.clone(),
        },
    }
}
