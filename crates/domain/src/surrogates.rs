//! Halves of surrogate pairs in JSON texts.
//!
//! A text that is cut off in the middle of a character outside the basic plane ends with `\ud83d`. JSON's grammar allows it, no
//! string of Unicode characters can hold it, and parsers refuse the whole document because of it.

use std::borrow::Cow;

/// Length of `\uXXXX` in bytes.
const ESCAPE_BYTES: usize = 6;
/// Escape of U+FFFD, which stands for what cannot be represented.
const REPLACEMENT: &str = "\\ufffd";

/// Escape `\uXXXX`, or two of them that are a surrogate pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnicodeEscape {
    /// Length in bytes.
    pub(crate) length: usize,
    /// If true, it is half of a surrogate pair without its other half.
    pub(crate) is_lone: bool,
}

impl UnicodeEscape {
    /// Returns the escape at this position, if there is one.
    pub(crate) fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let is_low = |unit| (0xDC00..=0xDFFF).contains(&unit);
        let has_low_half = || unit_at(bytes, at + ESCAPE_BYTES).is_some_and(is_low);
        let (length, is_lone) = match unit_at(bytes, at)? {
            0xD800..=0xDBFF if has_low_half() => (2 * ESCAPE_BYTES, false),
            0xD800..=0xDFFF => (ESCAPE_BYTES, true),
            _ => (ESCAPE_BYTES, false),
        };
        Some(Self { length, is_lone })
    }
}

/// Returns a JSON text in which each half of a surrogate pair without its other half is U+FFFD.
pub(crate) fn without_lone_surrogates(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let mut out = String::new();
    // Everything before `copied` is in `out`.
    let (mut copied, mut at) = (0, 0);
    while let Some(offset) = memchr::memchr(b'\\', bytes.get(at..).unwrap_or_default()) {
        let begin = at + offset;
        let Some(escape) = UnicodeEscape::at(bytes, begin) else {
            // An escape of one character, or none.
            at = begin + 2;
            continue;
        };
        at = begin + escape.length;
        if escape.is_lone {
            out.push_str(json.get(copied..begin).unwrap_or_default());
            out.push_str(REPLACEMENT);
            copied = at;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(json.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// Returns the UTF-16 unit that `\uXXXX` at this position stands for.
fn unit_at(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + ESCAPE_BYTES)?.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::Value;

    #[rstest]
    #[case::at_the_end(r#"{"a": "grin \ud83d"}"#, r#"{"a": "grin \ufffd"}"#)]
    #[case::before_text(r#"["\uD83D done"]"#, r#"["\ufffd done"]"#)]
    #[case::low_alone(r#"["\ude00"]"#, r#"["\ufffd"]"#)]
    #[case::high_twice(r#"["\ud83d\ud83d\ude00"]"#, r#"["\ufffd\ud83d\ude00"]"#)]
    #[case::whole(r#"["\ud83d\ude00"]"#, r#"["\ud83d\ude00"]"#)]
    #[case::escaped_backslash(r#"["\\ud83d"]"#, r#"["\\ud83d"]"#)]
    #[case::cut_off("[\"\\ud8", "[\"\\ud8")]
    fn halves_of_surrogate_pairs_are_replaced(#[case] json: &str, #[case] expected: &str) {
        assert_eq!(without_lone_surrogates(json), expected);
    }

    proptest! {
        #[test]
        fn json_that_can_be_parsed_stays_as_it_is(text in "([a\"\\\\ü😀]|\\\\u00e9){0,20}") {
            let json = Value::from(text).to_string();
            let mended = without_lone_surrogates(&json).into_owned();
            prop_assert_eq!(mended, json);
        }

        #[test]
        fn every_json_string_can_be_parsed(parts in prop::collection::vec("[a ]|\\\\\\\\|\\\\\"|\\\\u[dD][89abcdefABCDEF0-7][0-9a-f]{2}", 0..12)) {
            let json = format!("\"{}\"", parts.concat());
            let mended = without_lone_surrogates(&json).into_owned();
            prop_assert!(serde_json::from_str::<String>(&mended).is_ok(), "{}", mended);
        }
    }
}
