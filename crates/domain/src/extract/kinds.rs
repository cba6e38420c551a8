//! Column type of a field for a whole stage, derived from the kinds of its values in all answers.
//!
//! The answers of a stage are read in parts, each of which records the kinds of its values; together they determine the type
//! of the column, which is the same in every file.

use super::FieldValue;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Kinds of a field's values in the answers read so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldKinds(BTreeSet<Kind>);

/// Kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Boolean,
    /// Integer that is exact as a 64-bit float.
    Integer,
    /// Integer that needs a signed 64-bit integer.
    LongInteger,
    /// Integer above the range of signed 64-bit integers.
    HugeInteger,
    Float,
    Text,
    List,
}

/// Type of a field's column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Signed 64-bit integers.
    Integer,
    /// 64-bit floats.
    Float,
    /// True and false.
    Boolean,
    /// Texts.
    Text,
    /// Lists of texts.
    List,
}

/// Value in the representation of its column's type.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// Value of an integer column.
    Integer(i64),
    /// Value of a float column.
    Float(f64),
    /// Value of a boolean column.
    Boolean(bool),
    /// Value of a text column.
    Text(Cow<'a, str>),
    /// Value of a list column.
    List(&'a [Option<String>]),
}

/// Maximum absolute value of integers that are exact as 64-bit floats.
const MAX_EXACT_IN_FLOATS: u64 = 1 << f64::MANTISSA_DIGITS;

/// Returns a number without a fraction as an integer: `2.0` is one in JSON Schema.
fn whole(number: &Number) -> Option<i64> {
    let of_float = || {
        let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0)?;
        float.to_string().parse().ok()
    };
    number.as_i64().or_else(of_float)
}

impl Kind {
    fn of(value: &FieldValue) -> Self {
        match value {
            FieldValue::Boolean(_) => Self::Boolean,
            FieldValue::Text(_) => Self::Text,
            FieldValue::List(_) => Self::List,
            FieldValue::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) if integer.unsigned_abs() <= MAX_EXACT_IN_FLOATS => Self::Integer,
                (Some(_), _) => Self::LongInteger,
                (None, Some(_)) => Self::HugeInteger,
                (None, None) => Self::Float,
            },
        }
    }
}

impl FieldKinds {
    /// Creates the kinds that give a column this type, whatever values it has.
    pub fn of_type(column: ColumnType) -> Self {
        let kind = match column {
            ColumnType::Integer => Kind::Integer,
            ColumnType::Float => Kind::Float,
            ColumnType::Boolean => Kind::Boolean,
            ColumnType::Text => Kind::Text,
            ColumnType::List => Kind::List,
        };
        Self(BTreeSet::from([kind]))
    }

    /// Records the kind of `value`.
    pub fn record(&mut self, value: &FieldValue) {
        self.record_kind(Kind::of(value));
    }

    /// Records the kind of a number with a fraction.
    pub(super) fn record_float(&mut self) {
        self.record_kind(Kind::Float);
    }

    /// Records the kind of a text.
    pub(super) fn record_text(&mut self) {
        self.record_kind(Kind::Text);
    }

    fn record_kind(&mut self, kind: Kind) {
        if !self.0.contains(&kind) {
            self.0.insert(kind);
        }
    }

    /// Adds the kinds of another part of the stage.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// Returns the type of the column: that of all values, else text. Numbers are floats if any of them is, and text if no
    /// number type represents all of them exactly. A field that no answer has is text.
    pub fn column_type(&self) -> ColumnType {
        let only = |kinds: &[Kind]| !self.0.is_empty() && self.0.iter().all(|seen| kinds.contains(seen));
        let types: [(&[Kind], ColumnType); 4] = [
            (&[Kind::Boolean], ColumnType::Boolean),
            (&[Kind::Integer, Kind::LongInteger], ColumnType::Integer),
            (&[Kind::Integer, Kind::Float], ColumnType::Float),
            (&[Kind::List], ColumnType::List),
        ];
        let fitting = types.iter().find(|(kinds, _)| only(kinds));
        fitting.map_or(ColumnType::Text, |(_, column)| *column)
    }
}

impl ColumnType {
    /// Reads a JSON value for a column of this type, or `None` for `null`. In a text column, texts stay as they are and any
    /// other value is its JSON.
    ///
    /// # Errors
    /// Returns the rule that the value breaks.
    pub(super) fn read(self, value: Value) -> Result<Option<FieldValue>, &'static str> {
        match (self, value) {
            (_, Value::Null) => Ok(None),
            (Self::Text, Value::String(text)) => Ok(Some(FieldValue::Text(text))),
            (Self::Text, other) => Ok(Some(FieldValue::Text(other.to_string()))),
            (Self::Integer, Value::Number(number)) => match whole(&number) {
                Some(integer) => Ok(Some(FieldValue::Number(integer.into()))),
                None => Err("is not a whole number that a signed 64-bit integer holds"),
            },
            (Self::Float, Value::Number(number)) => Ok(Some(FieldValue::Number(number))),
            (Self::Boolean, Value::Bool(flag)) => Ok(Some(FieldValue::Boolean(flag))),
            (Self::List, Value::Array(elements)) => {
                let text = |element| match element {
                    Value::Null => Some(None),
                    Value::String(text) => Some(Some(text)),
                    _ => None,
                };
                let texts = elements.into_iter().map(text).collect::<Option<Vec<_>>>();
                texts.map(|texts| Some(FieldValue::List(texts))).ok_or("is not a list of texts")
            }
            (Self::Integer | Self::Float, _) => Err("is not a number"),
            (Self::Boolean, _) => Err("is neither true nor false"),
            (Self::List, _) => Err("is not a list of texts"),
        }
    }

    /// Converts `value` to this type. Returns `None` only if the type was not derived from kinds that include this value's.
    pub fn cell(self, value: &FieldValue) -> Option<Cell<'_>> {
        match (self, value) {
            (Self::Integer, FieldValue::Number(number)) => number.as_i64().map(Cell::Integer),
            (Self::Float, FieldValue::Number(number)) => number.as_f64().map(Cell::Float),
            (Self::Boolean, FieldValue::Boolean(flag)) => Some(Cell::Boolean(*flag)),
            (Self::List, FieldValue::List(elements)) => Some(Cell::List(elements)),
            (Self::Text, FieldValue::Text(text)) => Some(Cell::Text(Cow::Borrowed(text))),
            (Self::Text, other) => Some(Cell::Text(Cow::Owned(other.clone().into_text()))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn kinds(values: &[FieldValue]) -> FieldKinds {
        let mut kinds = FieldKinds::default();
        for value in values {
            kinds.record(value);
        }
        kinds
    }

    fn values(values: &Value) -> Vec<FieldValue> {
        values.as_array().unwrap().iter().filter_map(FieldValue::of_json).collect()
    }

    #[rstest]
    #[case(json!([]), ColumnType::Text, &[])]
    #[case(json!([null]), ColumnType::Text, &[])]
    #[case(json!([1, -2]), ColumnType::Integer, &["Integer(1)", "Integer(-2)"])]
    #[case(json!([1, i64::MIN]), ColumnType::Integer, &["Integer(1)", "Integer(-9223372036854775808)"])]
    #[case(json!([1, 0.5]), ColumnType::Float, &["Float(1.0)", "Float(0.5)"])]
    #[case(json!([9_007_199_254_740_993_i64, 0.5]), ColumnType::Text, &["Text(\"9007199254740993\")", "Text(\"0.5\")"])]
    #[case(json!([u64::MAX]), ColumnType::Text, &["Text(\"18446744073709551615\")"])]
    #[case(json!([true, false]), ColumnType::Boolean, &["Boolean(true)", "Boolean(false)"])]
    #[case(json!(["a", {"k": 1}]), ColumnType::Text, &["Text(\"a\")", "Text(\"{\\\"k\\\":1}\")"])]
    #[case(json!([["a"], []]), ColumnType::List, &["List([Some(\"a\")])", "List([])"])]
    #[case(json!([0.9, "high"]), ColumnType::Text, &["Text(\"0.9\")", "Text(\"high\")"])]
    #[case(json!([true, 1]), ColumnType::Text, &["Text(\"true\")", "Text(\"1\")"])]
    #[case(json!([["a", null], "b"]), ColumnType::Text, &["Text(\"[\\\"a\\\",null]\")", "Text(\"b\")"])]
    fn a_column_has_one_type(#[case] of: Value, #[case] expected: ColumnType, #[case] cells: &[&str]) {
        let seen = values(&of);
        let column = kinds(&seen).column_type();
        assert_eq!(column, expected);
        let written: Vec<String> = seen.iter().map(|value| format!("{:?}", column.cell(value).unwrap())).collect();
        assert_eq!(written, cells);
    }

    #[test]
    fn kinds_are_serialized_as_names() {
        let kinds = kinds(&values(&json!([0.5, "a", 1])));
        assert_eq!(serde_json::to_string(&kinds).unwrap(), r#"["integer","float","text"]"#);
    }

    #[rstest]
    #[case(ColumnType::Integer, json!(2.0), json!(2))]
    #[case(ColumnType::Integer, json!(i64::MIN), json!(i64::MIN))]
    #[case(ColumnType::Float, json!(2), json!(2))]
    #[case(ColumnType::Text, json!({"b": [1.0], "a": null}), json!(r#"{"a":null,"b":[1.0]}"#))]
    #[case(ColumnType::Text, json!([{"a": "x"}]), json!(r#"[{"a":"x"}]"#))]
    #[case(ColumnType::Text, json!("x"), json!("x"))]
    #[case(ColumnType::List, json!(["x", null]), json!(["x", null]))]
    #[case(ColumnType::List, json!(null), json!(null))]
    fn values_are_read_for_the_declared_type(
        #[case] column: ColumnType,
        #[case] value: Value,
        #[case] expected: Value,
    ) {
        assert_eq!(serde_json::to_value(column.read(value).unwrap()).unwrap(), expected);
    }

    #[rstest]
    #[case(ColumnType::Integer, json!(2.5))]
    #[case(ColumnType::Integer, json!(u64::MAX))]
    #[case(ColumnType::Integer, json!(1e300))]
    #[case(ColumnType::Integer, json!("2"))]
    #[case(ColumnType::Float, json!("2"))]
    #[case(ColumnType::Boolean, json!("true"))]
    #[case(ColumnType::List, json!("x"))]
    #[case(ColumnType::List, json!(["x", 1]))]
    fn a_value_that_a_column_cannot_hold_is_never_changed(#[case] column: ColumnType, #[case] value: Value) {
        assert!(column.read(value).is_err());
    }

    #[test]
    fn a_declared_type_is_that_of_the_column_and_types_of_several_prompts_are_joined() {
        let all = [ColumnType::Integer, ColumnType::Float, ColumnType::Boolean, ColumnType::Text, ColumnType::List];
        for column in all {
            assert_eq!(FieldKinds::of_type(column).column_type(), column);
        }
        let mut joined = FieldKinds::of_type(ColumnType::Integer);
        joined.merge(&FieldKinds::of_type(ColumnType::Float));
        assert_eq!(joined.column_type(), ColumnType::Float);
        joined.merge(&FieldKinds::of_type(ColumnType::Boolean));
        assert_eq!(joined.column_type(), ColumnType::Text);
    }

    fn any_value() -> impl Strategy<Value = FieldValue> {
        prop_oneof![
            any::<bool>().prop_map(FieldValue::Boolean),
            any::<i64>().prop_map(|integer| FieldValue::Number(integer.into())),
            (-5_i64..5).prop_map(|integer| FieldValue::Number(integer.into())),
            any::<u64>().prop_map(|integer| FieldValue::Number(integer.into())),
            (-1.0..1.0).prop_map(|float| FieldValue::of_json(&json!(float)).unwrap()),
            "[a\"]{0,3}".prop_map(FieldValue::Text),
            prop::collection::vec(prop::option::of("[a\"]{0,3}"), 0..3).prop_map(FieldValue::List),
        ]
    }

    proptest! {
        #[test]
        fn parts_in_any_order_give_the_same_type_which_represents_every_value_exactly(
            all in prop::collection::vec(any_value(), 0..6),
            cut in 0usize..6,
        ) {
            let (one, two) = all.split_at(cut.min(all.len()));
            let (mut forth, mut back) = (kinds(one), kinds(two));
            forth.merge(&kinds(two));
            back.merge(&kinds(one));
            prop_assert_eq!(&forth, &kinds(&all));
            prop_assert_eq!(&forth, &back);
            let read: FieldKinds = serde_json::from_str(&serde_json::to_string(&forth).unwrap()).unwrap();
            prop_assert_eq!(read.column_type(), forth.column_type());
            for value in &all {
                let exact = match (forth.column_type().cell(value), value) {
                    (Some(Cell::Integer(integer)), FieldValue::Number(number)) => number.as_i64() == Some(integer),
                    (Some(Cell::Float(float)), FieldValue::Number(number)) => {
                        number.as_i64().is_none_or(|integer| float.to_string() == integer.to_string())
                    }
                    (Some(Cell::Text(text)), value) => text == value.clone().into_text(),
                    (Some(Cell::Boolean(_) | Cell::List(_)), _) => true,
                    _ => false,
                };
                prop_assert!(exact, "{:?}", value);
            }
        }
    }
}
