//! Text of bytes: some programs write texts as bytes, without saying so in the schema.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use std::borrow::Cow;
use std::fmt::Write;

/// Returns the cells of a column of bytes. Values of one size are hashes and ids, and no texts.
pub(super) fn byte_cells<'a>(column: &'a dyn Array) -> Option<Box<dyn Fn(usize) -> &'a [u8] + 'a>> {
    Some(match column.data_type() {
        DataType::Binary => Box::new(|row| column.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Box::new(|row| column.as_binary::<i64>().value(row)),
        DataType::BinaryView => Box::new(|row| column.as_binary_view().value(row)),
        _ => return None,
    })
}

/// Returns a column of bytes whose rows do not share values, or the column itself.
pub(super) fn without_dictionary(column: &ArrayRef) -> Result<ArrayRef, arrow_schema::ArrowError> {
    match column.data_type() {
        DataType::Dictionary(_, values) if values.is_binary() => arrow_cast::cast(column, values),
        _ => Ok(ArrayRef::clone(column)),
    }
}

/// Returns bytes as text if they are UTF-8 without control characters, else as hexadecimal digits.
pub(super) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    let is_shown = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().all(is_shown) => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a text does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"", "")]
    #[case(b"the parcel\ncame late", "the parcel\ncame late")]
    #[case("Größe".as_bytes(), "Größe")]
    #[case(b"\x00\x01", "0001")]
    #[case(b"\xfftext", "ff74657874")]
    #[case(b"text\x00", "7465787400")]
    fn bytes_are_shown_as_text_where_they_are_text(#[case] bytes: &[u8], #[case] expected: &str) {
        assert_eq!(text_of(bytes), expected);
    }
}
