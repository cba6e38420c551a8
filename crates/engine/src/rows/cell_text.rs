//! Text form of cells of any column, as inserted in prompts and written to CSV.

use super::cell_json;
use super::flat_text::flat_text;
use crate::error::EngineError;
use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_json::writer::make_encoder;
use arrow_schema::{Field, FieldRef};
use std::sync::Arc;

/// Converts a column to texts; null stays null. Texts are not copied, numbers and dates are formatted by Arrow, bytes are their
/// text or hexadecimal digits, and lists, structures and maps become JSON.
///
/// # Errors
/// Returns an error if the column's type has no text form.
pub fn as_text(column: &ArrayRef) -> Result<StringArray, EngineError> {
    if let Some(texts) = column.as_string_opt::<i32>() {
        return Ok(texts.clone());
    }
    if !column.data_type().is_nested() {
        return flat_text(column).map_err(no_text);
    }
    let mut texts = StringBuilder::with_capacity(column.len(), column.len() * 16);
    let field: FieldRef = Arc::new(Field::new("cell", column.data_type().clone(), true));
    let options = cell_json::options();
    let mut encoder = make_encoder(&field, column, &options).map_err(no_text)?;
    let mut json = Vec::new();
    for row in 0..column.len() {
        if column.is_null(row) {
            texts.append_null();
            continue;
        }
        json.clear();
        encoder.encode(row, &mut json);
        texts.append_value(String::from_utf8_lossy(&json));
    }
    Ok(texts.finish())
}

fn no_text(error: arrow_schema::ArrowError) -> EngineError {
    EngineError::internal("cannot write a column as text").caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::builder::{Int32Builder, MapBuilder};
    use arrow_array::types::Float32Type;
    use arrow_array::{
        BinaryArray, BooleanArray, Date32Array, DictionaryArray, FixedSizeListArray, Float64Array, Int32Array,
        Int64Array, LargeStringArray, ListArray, NullArray, TimestampSecondArray,
    };

    fn texts(column: impl Array + 'static) -> Vec<Option<String>> {
        let column: ArrayRef = Arc::new(column);
        as_text(&column).unwrap().iter().map(|t| t.map(str::to_owned)).collect()
    }

    #[test]
    fn maps_with_any_keys_are_shown() {
        let mut scores = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
        scores.keys().append_slice(&[7, -1, 3]);
        scores.values().append_value("say \"x\"");
        scores.values().append_null();
        scores.values().append_value("b");
        scores.append(true).unwrap();
        scores.append(false).unwrap();
        scores.append(true).unwrap();
        let scores: ArrayRef = Arc::new(scores.finish());
        let element = Arc::new(Field::new("item", scores.data_type().clone(), true));
        let lists = FixedSizeListArray::new(element, 3, Arc::clone(&scores), None);
        assert_eq!(texts(lists), [Some(r#"[{"7":"say \"x\"","-1":null,"3":"b"},null,{}]"#.to_owned())]);
        let cells = texts(scores.as_map().clone());
        assert_eq!(cells, [Some(r#"{"7":"say \"x\"","-1":null,"3":"b"}"#.to_owned()), None, Some("{}".to_owned())]);
    }

    #[test]
    fn values_are_shown_within_lists_as_by_themselves() {
        let far = TimestampSecondArray::from(vec![i64::MAX, 0]);
        let bytes = BinaryArray::from(vec![b"a\"".as_slice(), b"\xff"]);
        for (values, expected) in [
            (Arc::new(far) as ArrayRef, ["(not representable)", "1970-01-01T00:00:00"]),
            (Arc::new(bytes), ["a\"", "ff"]),
        ] {
            assert_eq!(as_text(&values).unwrap(), StringArray::from(expected.to_vec()));
            let element = Arc::new(Field::new("item", values.data_type().clone(), true));
            let pair = FixedSizeListArray::new(element, 2, values, None);
            assert_eq!(texts(pair), [Some(serde_json::to_string(&expected).unwrap())]);
        }
    }

    #[test]
    fn bytes_of_a_dictionary_are_shown_as_other_bytes() {
        let values: ArrayRef = Arc::new(BinaryArray::from(vec![b"late".as_slice()]));
        let column = DictionaryArray::new(Int32Array::from(vec![Some(0), None]), values);
        assert_eq!(texts(column), [Some("late".to_owned()), None]);
    }

    #[test]
    fn every_kind_of_column_is_converted() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(texts(Int64Array::from(vec![Some(7), None])), [some("7"), None]);
        assert_eq!(texts(Float64Array::from(vec![1.5])), [some("1.5")]);
        assert_eq!(texts(BooleanArray::from(vec![true])), [some("true")]);
        assert_eq!(texts(NullArray::new(2)), [None, None]);
        let values: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(5)]));
        assert_eq!(texts(DictionaryArray::new(Int32Array::from(vec![0, 1]), values)), [None, some("5")]);
        assert_eq!(texts(LargeStringArray::from(vec!["ü"])), [some("ü")]);
        assert_eq!(texts(Date32Array::from(vec![0])), [some("1970-01-01")]);
        let list = ListArray::from_iter_primitive::<Float32Type, _, _>(vec![Some(vec![Some(0.5), Some(-1.0)]), None]);
        assert_eq!(texts(list), [some("[0.5,-1.0]"), None]);
    }
}
