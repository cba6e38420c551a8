//! Conversion of values to the type that they have in a table. A value that the type does not hold is a problem, never another
//! value.

use super::types::element_of;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, ListArray, MapArray, StructArray, new_null_array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, Fields, TimeUnit};
use std::sync::Arc;

/// Microseconds have this number of nanoseconds.
const NANOSECONDS: i64 = 1_000;

/// Reason why values have no conversion.
#[derive(Debug)]
pub(super) enum Unconverted {
    /// Rule that a value breaks.
    Value(&'static str),
    /// Failure of Arrow, for a value or for a type.
    Arrow(ArrowError),
}

impl From<ArrowError> for Unconverted {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

/// Returns the values of a column in another type, which has been united with that of the column.
pub(super) fn convert(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, Unconverted> {
    let from = column.data_type();
    match (from, to) {
        _ if from == to => Ok(Arc::clone(column)),
        (DataType::Null, _) => Ok(new_null_array(to, column.len())),
        (DataType::Dictionary(_, values), _) => convert(&cast(column, values)?, to),
        (DataType::Struct(_), DataType::Struct(members)) => structure(column.as_struct(), members),
        (DataType::Map(_, _), DataType::Map(_, _)) => map(column.as_map(), to),
        (_, DataType::List(to)) => {
            // First the form of the list, then its elements.
            let element = element_of(from).ok_or_else(|| no_list(from))?;
            let lists = cast(column, &DataType::List(Arc::clone(element)))?;
            let lists = lists.as_list::<i32>();
            let values = convert(lists.values(), to.data_type())?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(Arc::clone(to), offsets, values, nulls)?))
        }
        (
            DataType::Int64 | DataType::UInt64 | DataType::Decimal128(..) | DataType::Decimal256(..),
            DataType::Float64,
        ) => exact_floats(column),
        (DataType::Timestamp(from, _), DataType::Timestamp(unit, _))
        | (DataType::Duration(from), DataType::Duration(unit)) => {
            // Zones are equal, or names of one.
            check_nanoseconds(column, *from, *unit)?;
            Ok(cast(column, to)?)
        }
        _ => Ok(cast(column, to)?),
    }
}

fn cast(column: &dyn Array, to: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(column, to, &CastOptions { safe: false, ..CastOptions::default() })
}

fn no_list(of: &DataType) -> Unconverted {
    Unconverted::Arrow(ArrowError::CastError(format!("{of} is not a list")))
}

fn structure(column: &StructArray, members: &Fields) -> Result<ArrayRef, Unconverted> {
    let converted = members.iter().map(|member| match column.column_by_name(member.name()) {
        Some(values) => convert(values, member.data_type()),
        None => Ok(new_null_array(member.data_type(), column.len())),
    });
    let columns = converted.collect::<Result<Vec<_>, _>>()?;
    let nulls = column.nulls().cloned();
    Ok(Arc::new(StructArray::try_new_with_length(members.clone(), columns, nulls, column.len())?))
}

fn map(column: &MapArray, to: &DataType) -> Result<ArrayRef, Unconverted> {
    let DataType::Map(entries, is_sorted) = to else { return Err(no_list(to)) };
    let DataType::Struct(members) = entries.data_type() else { return Err(no_list(to)) };
    let columns = members.iter().zip([column.keys(), column.values()]);
    let columns = columns.map(|(member, values)| convert(values, member.data_type())).collect::<Result<Vec<_>, _>>()?;
    let of_entries = StructArray::try_new(members.clone(), columns, column.entries().nulls().cloned())?;
    let (offsets, nulls) = (column.offsets().clone(), column.nulls().cloned());
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, of_entries, nulls, *is_sorted)?))
}

/// Returns whole numbers as floats, if they stay the same numbers.
fn exact_floats(column: &ArrayRef) -> Result<ArrayRef, Unconverted> {
    let floats = cast(column, &DataType::Float64)?;
    // Beside a number that cannot be written as a float, the way back leads elsewhere, or to no number.
    let back = cast(&floats, column.data_type());
    if back.is_ok_and(|back| back.as_ref() == column.as_ref()) {
        return Ok(floats);
    }
    Err(Unconverted::Value(
        "has whole numbers beyond 2^53, and other files have decimal numbers, which are not exact at this size",
    ))
}

/// Checks that no digits are lost where nanoseconds become microseconds.
fn check_nanoseconds(column: &ArrayRef, from: TimeUnit, to: TimeUnit) -> Result<(), Unconverted> {
    if from != TimeUnit::Nanosecond || to == TimeUnit::Nanosecond {
        return Ok(());
    }
    let numbers = cast(column, &DataType::Int64)?;
    let mut values = numbers.as_primitive::<Int64Type>().iter().flatten();
    if values.all(|nanoseconds| nanoseconds % NANOSECONDS == 0) {
        return Ok(());
    }
    Err(Unconverted::Value(
        "has times with nanoseconds, and other files have coarser ones, so that digits would be lost",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder};
    use arrow_array::{
        Date32Array, DictionaryArray, DurationNanosecondArray, Float32Array, Int8Array, Int64Array, LargeStringArray,
        NullArray, StringArray, TimestampMicrosecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
    };
    use arrow_schema::Field;
    use rstest::rstest;

    const UTC_MICROSECONDS: fn() -> DataType = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));

    fn array(array: impl Array + 'static) -> ArrayRef {
        Arc::new(array)
    }

    #[rstest]
    #[case::null(array(NullArray::new(2)), DataType::Int8, "[null, null]")]
    #[case::width(array(LargeStringArray::from(vec![Some("a"), None])), DataType::Utf8, "[a, null]")]
    #[case::integers(array(Int8Array::from(vec![-1])), DataType::Int64, "[-1]")]
    #[case::unsigned(array(UInt64Array::from(vec![u64::MAX])), DataType::Decimal128(20, 0), "[18446744073709551615]")]
    #[case::signed(array(Int64Array::from(vec![i64::MIN])), DataType::Decimal128(20, 0), "[-9223372036854775808]")]
    #[case::whole(array(Int64Array::from(vec![Some(1 << 53), None])), DataType::Float64, "[9007199254740992.0, null]")]
    #[case::floats(array(Float32Array::from(vec![0.5])), DataType::Float64, "[0.5]")]
    #[case::seconds(array(TimestampSecondArray::from(vec![253_402_214_400])), DataType::Timestamp(TimeUnit::Microsecond, None), "[9999-12-31T00:00:00]")]
    #[case::zone(array(TimestampMicrosecondArray::from(vec![1_000]).with_timezone("+00:00")), UTC_MICROSECONDS(), "[1970-01-01T00:00:00.001Z]")]
    #[case::unit_in_a_zone(array(TimestampSecondArray::from(vec![1_711_850_400]).with_timezone("Europe/Berlin")), DataType::Timestamp(TimeUnit::Microsecond, Some("Europe/Berlin".into())), "[2024-03-31T04:00:00+02:00]")]
    #[case::nanoseconds(array(TimestampNanosecondArray::from(vec![-5_000])), DataType::Timestamp(TimeUnit::Microsecond, None), "[1969-12-31T23:59:59.999995]")]
    #[case::dates(array(Date32Array::from(vec![2_932_896])), DataType::Date64, "[9999-12-31T00:00:00]")]
    #[case::dictionary(array(["x", "y", "x"].into_iter().collect::<DictionaryArray<arrow_array::types::Int32Type>>()), DataType::Utf8, "[x, y, x]")]
    fn values_stay_the_same_in_the_type_of_the_table(
        #[case] column: ArrayRef,
        #[case] to: DataType,
        #[case] expected: &str,
    ) {
        let converted = convert(&column, &to).unwrap();
        assert_eq!(converted.data_type(), &to);
        let shown = arrow_cast::display::FormatOptions::default().with_null("null");
        let shown = arrow_cast::display::ArrayFormatter::try_new(&converted, &shown).unwrap();
        let texts: Vec<String> = (0..converted.len()).map(|row| shown.value(row).to_string()).collect();
        assert_eq!(format!("[{}]", texts.join(", ")), expected);
    }

    #[rstest]
    #[case::integer(array(Int64Array::from(vec![(1 << 53) + 1])), DataType::Float64)]
    #[case::largest(array(Int64Array::from(vec![i64::MAX])), DataType::Float64)]
    #[case::unsigned(array(UInt64Array::from(vec![u64::MAX])), DataType::Float64)]
    #[case::nanoseconds(array(TimestampNanosecondArray::from(vec![1])), DataType::Timestamp(TimeUnit::Microsecond, None))]
    #[case::durations(array(DurationNanosecondArray::from(vec![1_001])), DataType::Duration(TimeUnit::Microsecond))]
    #[case::far(array(TimestampSecondArray::from(vec![i64::MAX])), DataType::Timestamp(TimeUnit::Microsecond, None))]
    fn values_that_would_change_are_refused(#[case] column: ArrayRef, #[case] to: DataType) {
        assert!(convert(&column, &to).is_err());
    }

    #[test]
    fn values_of_lists_structures_and_maps_are_converted_by_their_names() {
        let members: Fields = vec![Field::new("b", DataType::Int8, false)].into();
        let records = array(StructArray::new(members, vec![array(Int8Array::from(vec![7, 8]))], None));
        let wider = [Field::new("a", DataType::Utf8, true), Field::new("b", DataType::Int64, true)];
        let wider = DataType::Struct(wider.into_iter().collect());
        let converted = convert(&records, &wider).unwrap();
        assert_eq!((converted.data_type(), converted.as_struct().column(0).null_count()), (&wider, 2));

        let list = ListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>([
            Some(vec![Some(1), None]),
            None,
            Some(vec![Some(3)]),
        ]);
        let to = DataType::new_list(DataType::Int64, true);
        let converted = convert(&array(list.slice(1, 2)), &to).unwrap();
        let expected = ListArray::from_iter_primitive::<Int64Type, _, _>([None, Some(vec![Some(3)])]);
        assert_eq!(converted.as_list::<i32>(), &expected);

        let mut scores = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
        scores.keys().append_value(5);
        scores.values().append_value("high");
        scores.append(true).unwrap();
        let scores = array(scores.finish());
        let key_and_value = [Field::new("key", DataType::Int64, false), Field::new("value", DataType::Utf8, true)];
        let entries = Field::new("entries", DataType::Struct(key_and_value.into_iter().collect()), false);
        let converted = convert(&scores, &DataType::Map(Arc::new(entries), false)).unwrap();
        assert_eq!(converted.as_map().keys().as_primitive::<Int64Type>().values(), &[5]);
        assert_eq!(converted.as_map().values().as_string::<i32>(), &StringArray::from(vec!["high"]));
    }
}
