//! Types that hold the values of two types, so that columns of several files become one column.

use super::super::MAX_COLUMNS;
use arrow_schema::{DataType, Field, FieldRef, Fields, TimeUnit};
use std::sync::Arc;

/// Zone of times in UTC, whose other names mean the same.
const UTC: &str = "UTC";
const OTHER_NAMES_OF_UTC: [&str; 6] = ["+00:00", "+0000", "+00", "Z", "Etc/UTC", "GMT"];
/// Maximum number of digits of the types of decimals.
const MAX_DIGITS_128: i16 = 38;
const MAX_DIGITS_256: i16 = 76;

/// Returns the type of a column that has values of both types, or `None` if no reader would expect one: a number beside a text is
/// a mistake of the files, and not for us to correct.
pub(super) fn unify_types(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        // Before the next arm: values of which one file has none must not make the result depend on the order.
        (DataType::Dictionary(_, a), DataType::Dictionary(_, b)) => unify_types(a, b),
        (DataType::Dictionary(_, values), other) | (other, DataType::Dictionary(_, values)) => {
            unify_types(values, other)
        }
        (DataType::Struct(a), DataType::Struct(b)) => members(a, b).map(DataType::Struct),
        (DataType::Map(a, a_sorted), DataType::Map(b, b_sorted)) => {
            Some(DataType::Map(entries(a, b)?, *a_sorted && *b_sorted))
        }
        _ => match (element_of(a), element_of(b)) {
            (Some(a), Some(b)) => {
                let types = unify_types(a.data_type(), b.data_type())?;
                Some(DataType::new_list(types, a.is_nullable() || b.is_nullable() || is_null(a) || is_null(b)))
            }
            (None, None) => texts(a, b).or_else(|| times(a, b)).or_else(|| numbers(a, b)),
            _ => None,
        },
    }
}

/// Returns the field that has values of both fields, which have one name.
pub(super) fn unify_fields(a: &Field, b: &Field) -> Option<Field> {
    let nullable = a.is_nullable() || b.is_nullable() || is_null(a) || is_null(b);
    let field = Field::new(a.name(), unify_types(a.data_type(), b.data_type())?, nullable);
    // Metadata that one file lacks describes the file, not the column.
    Some(if a.metadata() == b.metadata() { field.with_metadata(a.metadata().clone()) } else { field })
}

/// Returns true if structures within one of the types have a member that those within the other lack.
pub(super) fn lacks_members(a: &DataType, b: &DataType) -> bool {
    match (a, b) {
        (DataType::Struct(a), DataType::Struct(b)) => {
            let differs = |member: &FieldRef| match b.find(member.name()) {
                Some((_, other)) => lacks_members(member.data_type(), other.data_type()),
                None => true,
            };
            a.iter().any(differs) || b.iter().any(|member| a.find(member.name()).is_none())
        }
        (DataType::Map(a, _), DataType::Map(b, _)) => match (a.data_type(), b.data_type()) {
            (DataType::Struct(a), DataType::Struct(b)) => {
                // Keys and values have no other names.
                a.iter().zip(b).any(|(a, b)| lacks_members(a.data_type(), b.data_type()))
            }
            _ => false,
        },
        _ => element_of(a).zip(element_of(b)).is_some_and(|(a, b)| lacks_members(a.data_type(), b.data_type())),
    }
}

fn is_null(field: &Field) -> bool {
    *field.data_type() == DataType::Null
}

pub(super) fn element_of(list: &DataType) -> Option<&FieldRef> {
    match list {
        DataType::List(element) | DataType::LargeList(element) | DataType::FixedSizeList(element, _) => Some(element),
        _ => None,
    }
}

/// Unites members by their names. One that a file lacks is null in its rows.
fn members(a: &Fields, b: &Fields) -> Option<Fields> {
    let mut members = Vec::with_capacity(a.len());
    for member in a {
        members.push(match b.find(member.name()) {
            Some((_, other)) => Arc::new(unify_fields(member, other)?),
            None => optional(member),
        });
    }
    members.extend(b.iter().filter(|member| a.find(member.name()).is_none()).map(optional));
    (members.len() <= MAX_COLUMNS).then(|| members.into())
}

fn optional(field: &FieldRef) -> FieldRef {
    if field.is_nullable() { Arc::clone(field) } else { Arc::new(field.as_ref().clone().with_nullable(true)) }
}

/// Returns the entries of a map, whose keys and values are known by their places.
fn entries(a: &Field, b: &Field) -> Option<FieldRef> {
    let (DataType::Struct(a), DataType::Struct(b)) = (a.data_type(), b.data_type()) else { return None };
    let ([a_key, a_value], [b_key, b_value]) = (a.as_ref(), b.as_ref()) else { return None };
    let key = Field::new("key", unify_types(a_key.data_type(), b_key.data_type())?, false);
    let value = unify_fields(a_value, b_value)?.with_name("value");
    Some(Arc::new(Field::new("entries", DataType::Struct(vec![key, value].into()), false)))
}

/// Returns the type of texts or of bytes of any width.
fn texts(a: &DataType, b: &DataType) -> Option<DataType> {
    match () {
        () if a.is_string() && b.is_string() => Some(DataType::Utf8),
        () if a.is_binary() && b.is_binary() => Some(DataType::Binary),
        () => None,
    }
}

fn times(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Date32, Date64, Duration, Time32, Time64, Timestamp};
    match (a, b) {
        (Date32, Date64) | (Date64, Date32) => Some(Date64),
        (Timestamp(a, a_zone), Timestamp(b, b_zone)) => {
            let zone = match (a_zone.as_deref(), b_zone.as_deref()) {
                (a, b) if a == b => a_zone.clone(),
                (Some(a), Some(b)) if is_utc(a) && is_utc(b) => Some(UTC.into()),
                _ => return None,
            };
            Some(Timestamp(common_unit(*a, *b), zone))
        }
        (Duration(a), Duration(b)) => Some(Duration(common_unit(*a, *b))),
        // A time of day fits into any unit.
        (Time32(a) | Time64(a), Time32(b) | Time64(b)) => Some(match (*a).max(*b) {
            unit @ (TimeUnit::Second | TimeUnit::Millisecond) => Time32(unit),
            unit => Time64(unit),
        }),
        _ => None,
    }
}

fn is_utc(zone: &str) -> bool {
    zone == UTC || OTHER_NAMES_OF_UTC.contains(&zone)
}

/// Returns the finer unit, but at most microseconds beside others: dates such as 9999-12-31 do not fit into nanoseconds, and few
/// times have them.
fn common_unit(a: TimeUnit, b: TimeUnit) -> TimeUnit {
    if a == b { a } else { a.max(b).min(TimeUnit::Microsecond) }
}

fn numbers(a: &DataType, b: &DataType) -> Option<DataType> {
    if a.is_floating() && b.is_floating() {
        let has_doubles = [a, b].contains(&&DataType::Float64);
        return Some(if has_doubles { DataType::Float64 } else { DataType::Float32 });
    }
    let (a_digits, b_digits) = (digits(a), digits(b));
    match (a_digits, b_digits) {
        (Some((_, 0)), None) if b.is_floating() => Some(DataType::Float64),
        (None, Some((_, 0))) if a.is_floating() => Some(DataType::Float64),
        (Some(_), Some(_)) if a.is_integer() && b.is_integer() => Some(integers(a, b)),
        (Some((a, a_scale)), Some((b, b_scale))) => decimal((a - a_scale).max(b - b_scale), a_scale.max(b_scale)),
        _ => None,
    }
}

/// Returns the number of digits of exact numbers, and how many of them follow the point.
fn digits(of: &DataType) -> Option<(i16, i16)> {
    use DataType::{
        Decimal32, Decimal64, Decimal128, Decimal256, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64,
    };
    Some(match of {
        Int8 | UInt8 => (3, 0),
        Int16 | UInt16 => (5, 0),
        Int32 | UInt32 => (10, 0),
        Int64 => (19, 0),
        UInt64 => (20, 0),
        Decimal32(digits, scale) | Decimal64(digits, scale) | Decimal128(digits, scale) | Decimal256(digits, scale) => {
            (i16::from(*digits), i16::from(*scale))
        }
        _ => return None,
    })
}

fn decimal(before_point: i16, scale: i16) -> Option<DataType> {
    let digits = before_point.saturating_add(scale).max(1);
    let (precision, scale) = (u8::try_from(digits).ok()?, i8::try_from(scale).ok()?);
    match digits {
        digits if digits <= MAX_DIGITS_128 => Some(DataType::Decimal128(precision, scale)),
        digits if digits <= MAX_DIGITS_256 => Some(DataType::Decimal256(precision, scale)),
        _ => None,
    }
}

/// Returns the smallest type of whole numbers that holds all of both types; no integer does so for 64 bits with and without a sign.
fn integers(a: &DataType, b: &DataType) -> DataType {
    let bits = |of: &DataType| 8 * of.primitive_width().unwrap_or(8);
    if a.is_signed_integer() == b.is_signed_integer() {
        return if bits(a) >= bits(b) { a.clone() } else { b.clone() };
    }
    let (signed, unsigned) = if a.is_signed_integer() { (a, b) } else { (b, a) };
    match bits(signed).max(2 * bits(unsigned)) {
        16 => DataType::Int16,
        32 => DataType::Int32,
        64 => DataType::Int64,
        _ => DataType::Decimal128(20, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn list(name: &str, of: DataType) -> DataType {
        DataType::List(Arc::new(Field::new(name, of, true)))
    }

    fn record(members: &[(&str, DataType, bool)]) -> DataType {
        DataType::Struct(members.iter().map(|(name, of, nullable)| Field::new(*name, of.clone(), *nullable)).collect())
    }

    fn map(key: DataType, value: DataType) -> DataType {
        let entries = record(&[("key", key, false), ("value", value, true)]);
        DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
    }

    fn dictionary(values: DataType) -> DataType {
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(values))
    }

    fn times_in(unit: TimeUnit, zone: Option<&str>) -> DataType {
        DataType::Timestamp(unit, zone.map(Into::into))
    }

    #[rstest]
    #[case::null(DataType::Null, list("item", DataType::Int8), Some(list("item", DataType::Int8)))]
    #[case::width(DataType::Utf8, DataType::LargeUtf8, Some(DataType::Utf8))]
    #[case::views(DataType::Utf8View, DataType::LargeUtf8, Some(DataType::Utf8))]
    #[case::dictionary(dictionary(DataType::LargeUtf8), DataType::Utf8, Some(DataType::Utf8))]
    #[case::dictionary_of_nulls(dictionary(DataType::Null), dictionary(DataType::Boolean), Some(DataType::Boolean))]
    #[case::binary(DataType::FixedSizeBinary(4), DataType::BinaryView, Some(DataType::Binary))]
    #[case::element_name(
        list("element", DataType::Utf8),
        list("item", DataType::LargeUtf8),
        Some(list("item", DataType::Utf8))
    )]
    #[case::integers(DataType::Int8, DataType::Int64, Some(DataType::Int64))]
    #[case::unsigned(DataType::UInt32, DataType::UInt16, Some(DataType::UInt32))]
    #[case::signs(DataType::UInt32, DataType::Int8, Some(DataType::Int64))]
    #[case::bytes(DataType::UInt8, DataType::Int8, Some(DataType::Int16))]
    #[case::signs_of_64_bits(DataType::UInt64, DataType::Int8, Some(DataType::Decimal128(20, 0)))]
    #[case::float(DataType::Int64, DataType::Float32, Some(DataType::Float64))]
    #[case::halves(DataType::Float16, DataType::Float32, Some(DataType::Float32))]
    #[case::decimals(DataType::Decimal128(9, 2), DataType::Decimal128(10, 4), Some(DataType::Decimal128(11, 4)))]
    #[case::long_decimals(DataType::Decimal128(38, 4), DataType::Int64, Some(DataType::Decimal128(38, 4)))]
    #[case::longer_decimals(
        DataType::Decimal128(38, 0),
        DataType::Decimal128(38, 4),
        Some(DataType::Decimal256(42, 4))
    )]
    #[case::longest_decimals(DataType::Decimal256(76, 0), DataType::Decimal128(38, 4), None)]
    #[case::decimal_and_float(DataType::Decimal128(9, 2), DataType::Float64, None)]
    #[case::units(
        times_in(TimeUnit::Second, None),
        times_in(TimeUnit::Millisecond, None),
        Some(times_in(TimeUnit::Millisecond, None))
    )]
    #[case::nanoseconds(
        times_in(TimeUnit::Second, None),
        times_in(TimeUnit::Nanosecond, None),
        Some(times_in(TimeUnit::Microsecond, None))
    )]
    #[case::utc(
        times_in(TimeUnit::Second, Some("UTC")),
        times_in(TimeUnit::Second, Some("+00:00")),
        Some(times_in(TimeUnit::Second, Some("UTC")))
    )]
    #[case::zones(times_in(TimeUnit::Second, Some("UTC")), times_in(TimeUnit::Second, Some("Europe/Berlin")), None)]
    #[case::zone_or_none(times_in(TimeUnit::Second, Some("UTC")), times_in(TimeUnit::Second, None), None)]
    #[case::dates(DataType::Date32, DataType::Date64, Some(DataType::Date64))]
    #[case::date_and_time(DataType::Date32, times_in(TimeUnit::Second, None), None)]
    #[case::text_and_number(DataType::Utf8, DataType::Int64, None)]
    #[case::text_and_bytes(DataType::Utf8, DataType::Binary, None)]
    #[case::number_and_boolean(DataType::Int8, DataType::Boolean, None)]
    #[case::list_and_text(list("item", DataType::Utf8), DataType::Utf8, None)]
    #[case::maps(
        map(DataType::Int32, DataType::Int32),
        map(DataType::Int64, DataType::Null),
        Some(map(DataType::Int64, DataType::Int32))
    )]
    #[case::members(
        record(&[("a", DataType::Int8, false), ("b", DataType::Null, true)]),
        record(&[("c", DataType::Utf8, false), ("b", DataType::Date32, false)]),
        Some(record(&[("a", DataType::Int8, true), ("b", DataType::Date32, true), ("c", DataType::Utf8, true)]))
    )]
    #[case::members_of_other_types(record(&[("a", DataType::Int8, false)]), record(&[("a", DataType::Utf8, false)]), None)]
    fn types_of_one_column_have_the_type_that_holds_all_values(
        #[case] a: DataType,
        #[case] b: DataType,
        #[case] expected: Option<DataType>,
    ) {
        assert_eq!(unify_types(&a, &b), expected);
        let other_way = unify_types(&b, &a);
        match &expected {
            Some(DataType::Struct(_)) => assert!(other_way.is_some(), "the order of members is that of the first file"),
            _ => assert_eq!(other_way, expected),
        }
    }

    #[test]
    fn metadata_is_kept_only_where_all_files_have_it() {
        let plain = Field::new("a", DataType::Utf8, false);
        let noted = plain.clone().with_metadata(std::collections::HashMap::from([("note".to_owned(), "x".to_owned())]));
        assert_eq!(unify_fields(&noted, &noted), Some(noted.clone()));
        assert_eq!(unify_fields(&noted, &plain), Some(plain));
    }

    fn any_type() -> impl Strategy<Value = DataType> {
        let unit = prop_oneof![
            Just(TimeUnit::Second),
            Just(TimeUnit::Millisecond),
            Just(TimeUnit::Microsecond),
            Just(TimeUnit::Nanosecond)
        ];
        let zone = prop_oneof![Just(None), Just(Some("UTC")), Just(Some("+00:00")), Just(Some("Europe/Berlin"))];
        let leaf = prop_oneof![
            Just(DataType::Null),
            Just(DataType::Boolean),
            Just(DataType::Utf8),
            Just(DataType::LargeUtf8),
            Just(DataType::FixedSizeBinary(3)),
            Just(DataType::LargeBinary),
            Just(DataType::Int8),
            Just(DataType::Int32),
            Just(DataType::Int64),
            Just(DataType::UInt16),
            Just(DataType::UInt64),
            Just(DataType::Float16),
            Just(DataType::Float64),
            (1_u8..12, 0_i8..2).prop_map(|(digits, scale)| DataType::Decimal128(digits + 1, scale)),
            Just(DataType::Date32),
            Just(DataType::Date64),
            (unit, zone).prop_map(|(unit, zone)| times_in(unit, zone)),
        ];
        leaf.prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|of| list("item", of)),
                inner.clone().prop_map(|of| list("element", of)),
                inner.clone().prop_map(dictionary),
                inner.prop_map(|of| record(&[("a", of, true)])),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_type_does_not_depend_on_the_order_of_the_files(a in any_type(), b in any_type(), c in any_type()) {
            prop_assert_eq!(unify_types(&a, &b), unify_types(&b, &a));
            let first = unify_types(&a, &b).and_then(|both| unify_types(&both, &c));
            let last = unify_types(&b, &c).and_then(|both| unify_types(&a, &both));
            if let (Some(first), Some(last)) = (first, last) {
                // Integers that become one are wider than each, and a decimal has as many digits as they.
                let has_decimals = format!("{first:?}").contains("Decimal");
                prop_assert!(first == last || has_decimals, "{first:?} and {last:?}");
            }
        }
    }
}
