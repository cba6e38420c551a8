//! Text form of values that are no lists, structures or maps.

use super::binary_text::{byte_cells, text_of, without_dictionary};
use arrow_array::builder::StringBuilder;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::ArrowError;

/// Cell of a value that has no text form.
pub(crate) const NO_TEXT: &str = "(not representable)";

/// Way in which Arrow formats values.
pub(super) const FORMAT: FormatOptions<'static> = FormatOptions::new();

/// Converts a column to texts; null stays null.
pub(super) fn flat_text(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    let mut texts = StringBuilder::with_capacity(column.len(), column.len() * 16);
    let column = &without_dictionary(column)?;
    // A dictionary may have null among its values, and a column of the type null has nothing else.
    let nulls = column.logical_nulls();
    let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
    if let Some(cells) = byte_cells(column) {
        for row in 0..column.len() {
            texts.append_option((!is_null(row)).then(|| text_of(cells(row))));
        }
        return Ok(texts.finish());
    }
    let formatter = ArrayFormatter::try_new(column, &FORMAT)?;
    let mut text = String::new();
    for row in 0..column.len() {
        if is_null(row) {
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
    Ok(texts.finish())
}
