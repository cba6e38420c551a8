//! Text form of cells of any column, as inserted in prompts and written to CSV.

use crate::error::EngineError;
use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_json::EncoderOptions;
use arrow_json::writer::make_encoder;
use arrow_schema::{DataType, Field, FieldRef};
use std::sync::Arc;

/// Converts a column to texts; null stays null. Texts are not copied, numbers and dates are formatted by Arrow, lists and
/// structures become JSON.
///
/// # Errors
/// Returns an error if the column's type has no text form.
pub fn as_text(column: &ArrayRef) -> Result<StringArray, EngineError> {
    if let Some(texts) = column.as_string_opt::<i32>() {
        return Ok(texts.clone());
    }
    let mut texts = StringBuilder::with_capacity(column.len(), column.len() * 16);
    if is_nested(column.data_type()) {
        let field: FieldRef = Arc::new(Field::new("cell", column.data_type().clone(), true));
        let options = EncoderOptions::default();
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
    } else {
        let options = FormatOptions::default();
        let formatter = ArrayFormatter::try_new(column, &options).map_err(no_text)?;
        let mut text = String::new();
        for row in 0..column.len() {
            if column.is_null(row) {
                texts.append_null();
                continue;
            }
            text.clear();
            // A value without a text form (for example a time beyond the calendar) must not stop a run: its cell reports it.
            match formatter.value(row).write(&mut text) {
                Ok(()) => texts.append_value(&text),
                Err(_) => texts.append_value(NO_TEXT),
            }
        }
    }
    Ok(texts.finish())
}

/// Cell of a value that has no text form.
const NO_TEXT: &str = "(not representable)";

fn is_nested(data_type: &DataType) -> bool {
    data_type.is_nested()
}

fn no_text(error: arrow_schema::ArrowError) -> EngineError {
    EngineError::internal("cannot write a column as text").caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::types::Float32Type;
    use arrow_array::{BooleanArray, Date32Array, Float64Array, Int64Array, LargeStringArray, ListArray};

    fn texts(column: impl Array + 'static) -> Vec<Option<String>> {
        let column: ArrayRef = Arc::new(column);
        as_text(&column).unwrap().iter().map(|t| t.map(str::to_owned)).collect()
    }

    #[test]
    fn every_kind_of_column_is_converted() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(texts(Int64Array::from(vec![Some(7), None])), [some("7"), None]);
        assert_eq!(texts(Float64Array::from(vec![1.5])), [some("1.5")]);
        assert_eq!(texts(BooleanArray::from(vec![true])), [some("true")]);
        assert_eq!(texts(LargeStringArray::from(vec!["ü"])), [some("ü")]);
        assert_eq!(texts(Date32Array::from(vec![0])), [some("1970-01-01")]);
        let list = ListArray::from_iter_primitive::<Float32Type, _, _>(vec![Some(vec![Some(0.5), Some(-1.0)]), None]);
        assert_eq!(texts(list), [some("[0.5,-1.0]"), None]);
    }
}
