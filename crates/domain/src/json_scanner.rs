//! Scanner of JSON in its usual form, which copies nothing.
//!
//! It accepts less than `serde_json`, and what it accepts has the same value: everything else is left to `serde_json`.

use crate::json_text::{special_at, unescaped};
use std::borrow::Cow;

/// Maximum number of digits of numbers that are read here: they fit into 64 bits.
const MAX_DIGITS: usize = 18;

/// Scanner at a position of a text.
pub(crate) struct JsonScanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> JsonScanner<'a> {
    /// Returns a scanner at the beginning of `bytes`, which are checked at once; `None` if they are not UTF-8.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().map(|text| Self { text, at: 0 })
    }

    /// Returns the number of bytes that were read.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Skips space, and returns the byte after it, which is consumed.
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            self.at += 1;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
        }
    }

    /// Consumes this byte, which must come next.
    pub(crate) fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next_byte()? == wanted).then_some(())
    }

    /// Reads the members of an object: `member` reads the value of the one with this name.
    pub(crate) fn object(&mut self, mut member: impl FnMut(&mut Self, &[u8]) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        let mut next = self.next_byte()?;
        while next != b'}' {
            let name = if next == b'"' { self.rest_of_plain_text()? } else { return None };
            self.expect(b':')?;
            member(self, name.as_bytes())?;
            next = match self.next_byte()? {
                b',' => self.next_byte().filter(|byte| *byte == b'"')?,
                b'}' => b'}',
                _ => return None,
            };
        }
        Some(())
    }

    /// Reads a text.
    pub(crate) fn text(&mut self) -> Option<Cow<'a, str>> {
        self.expect(b'"')?;
        match self.rest_of_text()? {
            (text, false) => Some(Cow::Borrowed(text)),
            (text, true) => unescaped(text.as_bytes()).map(Cow::Owned),
        }
    }

    /// Reads a text without escapes.
    pub(crate) fn plain_text(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        self.rest_of_plain_text()
    }

    /// Reads a whole number that is not negative.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let first = self.next_byte()?;
        self.rest_of_number(first)
    }

    /// Skips a value that has no values within it, or an object of such values.
    pub(crate) fn skip_value(&mut self) -> Option<()> {
        let begin = self.at;
        if self.next_byte()? == b'{' {
            self.at = begin;
            return self.object(|scanner, _| scanner.skip_scalar());
        }
        self.at = begin;
        self.skip_scalar()
    }

    fn skip_scalar(&mut self) -> Option<()> {
        match self.next_byte()? {
            b'"' => self.rest_of_text().filter(|(_, has_escapes)| !has_escapes).map(drop),
            b'n' => self.literal(b"ull"),
            b't' => self.literal(b"rue"),
            b'f' => self.literal(b"alse"),
            first => self.rest_of_number(first).map(drop),
        }
    }

    /// Reads a text whose opening quote is consumed: returns what is between the quotes, and true if it has escapes, which are not
    /// checked.
    fn rest_of_text(&mut self) -> Option<(&'a str, bool)> {
        let bytes = self.text.as_bytes();
        let begin = self.at;
        let mut has_escapes = false;
        loop {
            self.at += special_at(bytes.get(self.at..)?)?;
            match bytes.get(self.at)? {
                b'"' => {
                    let text = self.text.get(begin..self.at)?;
                    self.at += 1;
                    return Some((text, has_escapes));
                }
                b'\\' => {
                    has_escapes = true;
                    self.at += 2;
                }
                _ => return None,
            }
        }
    }

    fn rest_of_plain_text(&mut self) -> Option<&'a str> {
        let (text, has_escapes) = self.rest_of_text()?;
        (!has_escapes).then_some(text)
    }

    fn literal(&mut self, remainder: &[u8]) -> Option<()> {
        self.text.as_bytes().get(self.at..)?.starts_with(remainder).then(|| self.at += remainder.len())
    }

    fn rest_of_number(&mut self, first: u8) -> Option<u64> {
        let begin = self.at;
        let mut number = u64::from(char::from(first).to_digit(10)?);
        while let Some(digit @ b'0'..=b'9') = self.text.as_bytes().get(self.at) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        let others = self.at - begin;
        let has_leading_zero = first == b'0' && others > 0;
        let goes_on = matches!(self.text.as_bytes().get(self.at), Some(b'.' | b'e' | b'E'));
        (others < MAX_DIGITS && !has_leading_zero && !goes_on).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    proptest! {
        #[test]
        fn values_that_are_skipped_are_valid_and_whole(
            json in r#"[ \n]?("[a-zü\\u"]{0,5}"|-?[0-9.e]{1,4}|true|fals|null|\[|[{]( ?"[ab]" ?: ?("x"|[0-9]{1,3}|null|[{]),?){0,3}[}])"#,
        ) {
            let mut scanner = JsonScanner::new(json.as_bytes()).unwrap();
            if scanner.skip_value().is_some() {
                let mut values = serde_json::Deserializer::from_str(&json).into_iter::<Value>();
                prop_assert!(values.next().is_some_and(|value| value.is_ok()), "{}", json);
                prop_assert_eq!(scanner.position(), values.byte_offset());
            }
        }

        #[test]
        fn texts_and_numbers_have_the_values_of_serde_json(text in any::<String>(), number in 0..1_000_000_000_000_000_000_u64) {
            let json = format!(" {} {number}", Value::from(text.as_str()));
            let mut scanner = JsonScanner::new(json.as_bytes()).unwrap();
            let read = scanner.text();
            prop_assert_eq!(read.as_deref(), Some(text.as_str()));
            prop_assert_eq!(scanner.number(), Some(number));
        }
    }

    #[test]
    fn other_numbers_are_left_to_others() {
        for json in ["-1", "1.5", "1e3", "01", "1234567890123456789", "", "x"] {
            assert_eq!(JsonScanner::new(json.as_bytes()).unwrap().number(), None, "{json}");
        }
        assert_eq!(JsonScanner::new(b"0,").unwrap().number(), Some(0));
    }
}
