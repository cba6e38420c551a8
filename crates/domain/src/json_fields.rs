//! The fields of a JSON object as slices, without parsing their values.
//!
//! Most of an answer line is the echo of its `modelInput`, which is not needed. General parsers skip it as slowly as they
//! parse (or, if they are fast, without a limit on nesting, so that a hostile line overflows the stack). This one jumps
//! from quote to quote, counts brackets and needs no stack.

use crate::json_text::marks_of;
use memchr::memchr;

/// Returns the fields of the JSON object in `bytes`: each name as it is written between its quotes (including escapes), and
/// the text of its value, neither checked to be UTF-8. Returns `None` if it is not an object, or is truncated. Values are
/// delimited but not validated: that is left to the caller, who parses those that are needed.
pub(crate) fn fields(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut reader = FieldReader::new(bytes)?;
    let mut fields = Vec::with_capacity(4);
    while let NextField::Named(name) = reader.next_field()? {
        fields.push((name, reader.skip_value()?));
    }
    Some(fields)
}

/// Reader of the fields of a JSON object, one after the other. The caller may parse a value itself, so that it is read once.
pub(crate) struct FieldReader<'a> {
    bytes: &'a [u8],
    at: usize,
    is_first: bool,
}

/// Step of a [`FieldReader`].
pub(crate) enum NextField<'a> {
    /// Field with this name, as it is written between its quotes.
    Named(&'a [u8]),
    End,
}

impl<'a> FieldReader<'a> {
    /// Returns a reader at the beginning of the object in `bytes`; `None` if it is not an object.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        Some(Self { at: expect(bytes, 0, b'{')?, bytes, is_first: true })
    }

    /// Advances to the value of the next field, or to the end of the object, after which nothing may follow. Returns `None` if it
    /// is not an object.
    pub(crate) fn next_field(&mut self) -> Option<NextField<'a>> {
        let bytes = self.bytes;
        let at = skip_space(bytes, self.at);
        let begin = match bytes.get(at)? {
            b'}' => return (skip_space(bytes, at + 1) == bytes.len()).then_some(NextField::End),
            b',' if !self.is_first => at + 1,
            _ if self.is_first => at,
            _ => return None,
        };
        let name_begin = expect(bytes, begin, b'"')?;
        let name_end = string_end(bytes, name_begin)?;
        self.at = skip_space(bytes, expect(bytes, name_end, b':')?);
        self.is_first = false;
        bytes.get(name_begin..name_end - 1).map(NextField::Named)
    }

    /// Returns everything from the value on.
    pub(crate) fn remainder(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Advances to the end of a value of this length, which the caller has parsed.
    pub(crate) fn advance(&mut self, length: usize) {
        self.at += length;
    }

    /// Advances to the end of the value, and returns it.
    pub(crate) fn skip_value(&mut self) -> Option<&'a [u8]> {
        let (begin, end) = (self.at, value_end(self.bytes, self.at)?);
        self.at = end;
        self.bytes.get(begin..end)
    }
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Returns the position after `wanted`, which must come next, apart from whitespace.
fn expect(bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
    let at = skip_space(bytes, from);
    (bytes.get(at) == Some(&wanted)).then_some(at + 1)
}

/// Returns the position after the closing quote of a string whose content begins at `from`. Only quotes are searched for: texts of
/// prompts have many escapes, and few of them are quotes.
fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let quote = at + quote_at(bytes.get(at..)?)?;
        // Backslashes before the latest quote belong to that one, so that no byte is looked at repeatedly.
        let backslashes = bytes[at..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
        at = quote + 1;
        if backslashes % 2 == 0 {
            return Some(at);
        }
    }
}

/// Returns the position of the first quote. Names, and what is between texts, are short: for these, the first bytes take less time
/// than the call of a vectorized search.
fn quote_at(bytes: &[u8]) -> Option<usize> {
    let Some(chunk) = bytes.first_chunk::<8>() else { return bytes.iter().position(|byte| *byte == b'"') };
    match marks_of(b'"', u64::from_le_bytes(*chunk)) {
        0 => memchr(b'"', &bytes[8..]).map(|offset| offset + 8),
        marks => Some(marks.trailing_zeros() as usize / 8),
    }
}

/// Returns the position after the value that begins at `from`.
fn value_end(bytes: &[u8], from: usize) -> Option<usize> {
    match bytes.get(from)? {
        b'"' => string_end(bytes, from + 1),
        b'{' | b'[' => container_end(bytes, from),
        _ => {
            let scalar = |byte: &u8| !matches!(byte, b',' | b'}' | b']') && !byte.is_ascii_whitespace();
            let length = bytes[from..].iter().take_while(|byte| scalar(byte)).count();
            (length > 0).then_some(from + length)
        }
    }
}

fn container_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = from;
    loop {
        // There is little before the next string: commas, colons, numbers, brackets.
        let quote = quote_at(&bytes[at..]).map_or(bytes.len(), |offset| at + offset);
        for (offset, byte) in bytes[at..quote].iter().enumerate() {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + offset + 1);
                    }
                }
                _ => {}
            }
        }
        at = string_end(bytes, quote + 1)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[\\\\\"{}\\[\\],:\\n aü]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("[\\\\\"{}a]{0,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn finds_the_fields_of_any_object(object in prop::collection::hash_map("[\\\\\"{}a]{0,4}", values(), 0..5), pretty: bool) {
            let value = Value::Object(object.into_iter().collect());
            let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            let found = fields(text.as_bytes()).unwrap();
            let read: Map<String, Value> = found
                .into_iter()
                .map(|(name, value)| {
                    let name = format!("\"{}\"", std::str::from_utf8(name).unwrap());
                    (serde_json::from_str(&name).unwrap(), serde_json::from_slice(value).unwrap())
                })
                .collect();
            prop_assert_eq!(Value::Object(read), value);
        }

        #[test]
        fn never_panics_and_never_takes_half_an_object(text in "[\\\\\"{}\\[\\],: a1ü]{0,40}", cut in 0usize..40) {
            let _ = fields(text.as_bytes());
            let whole = serde_json::json!({"a": text, "b": [text, {"c": text}]}).to_string();
            let cut = whole.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(0);
            prop_assert_eq!(fields(&whole.as_bytes()[..cut]), None);
        }
    }
}
