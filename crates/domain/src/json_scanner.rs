//! Scanner of JSON in its usual form, which copies nothing.
//!
//! It accepts less than `serde_json`, and what it accepts has the same value: everything else is left to `serde_json`.

use crate::json_text::{special_at, unescaped};
use std::borrow::Cow;

/// Part of a text, by the positions of its first byte and of the byte after its last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) begin: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.begin as usize..self.end as usize).unwrap_or_default()
    }

    /// Returns a text with the quotes around it.
    pub(crate) fn with_quotes(self) -> Self {
        Self { begin: self.begin.saturating_sub(1), end: self.end.saturating_add(1) }
    }
}

/// Value that has no values within it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    /// Text without escapes.
    Text,
    /// Text with escapes, which are valid.
    EscapedText,
}

/// Maximum number of digits of integers that are read here: they fit into 64 bits.
const MAX_DIGITS: usize = 18;
/// Maximum number of digits of numbers with a fraction: they are exact as 64-bit floats, as is the power of ten that divides them,
/// so that the quotient is the nearest float.
const MAX_FLOAT_DIGITS: usize = 15;

/// Powers of ten that divide the digits of a number with a fraction.
const POWERS: [f64; MAX_FLOAT_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Scanner at a position of a text. Positions fit into 32 bits.
pub(crate) struct JsonScanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> JsonScanner<'a> {
    /// Returns a scanner at the beginning of a text, unless the text is too long.
    pub(crate) fn new(text: &'a str) -> Option<Self> {
        u32::try_from(text.len()).ok().map(|_| Self { text, at: 0 })
    }

    /// Returns a scanner at the beginning of `bytes`, which are checked at once; `None` if they are not UTF-8.
    pub(crate) fn of_bytes(bytes: &'a [u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().and_then(Self::new)
    }

    /// Returns the number of bytes that were read.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Returns true at the end of the text.
    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Skips space, and returns the byte after it, which is consumed.
    pub(crate) fn next_byte(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            let byte = *bytes.get(self.at)?;
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
            (text, false) => Some(Cow::Borrowed(text.of(self.text))),
            (text, true) => unescaped(text.of(self.text).as_bytes()).map(Cow::Owned),
        }
    }

    /// Reads a text without escapes.
    pub(crate) fn plain_text(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        self.rest_of_plain_text()
    }

    /// Reads a whole number that is not negative.
    pub(crate) fn number(&mut self) -> Option<u64> {
        match self.scalar()? {
            (_, Scalar::Integer(number)) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    /// Skips a value that has no values within it, or an object of such values.
    pub(crate) fn skip_value(&mut self) -> Option<()> {
        let begin = self.at;
        let is_object = self.next_byte()? == b'{';
        self.at = begin;
        if is_object { self.object(|scanner, _| scanner.scalar().map(drop)) } else { self.scalar().map(drop) }
    }

    /// Reads a text whose opening quote is consumed: returns what is between the quotes, and true if it has escapes, which
    /// are not checked.
    pub(crate) fn rest_of_text(&mut self) -> Option<(Span, bool)> {
        let begin = self.at;
        let mut has_escapes = false;
        loop {
            self.at += special_at(self.text.as_bytes().get(self.at..)?)?;
            match self.text.as_bytes().get(self.at)? {
                b'"' => {
                    let span = self.span(begin, self.at);
                    self.at += 1;
                    return Some((span, has_escapes));
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
        (!has_escapes).then_some(text.of(self.text))
    }

    /// Reads a value without values within it, after optional space: returns it as it is written, and what it is.
    pub(crate) fn scalar(&mut self) -> Option<(Span, Scalar)> {
        let first = self.next_byte()?;
        let begin = self.at - 1;
        let scalar = match first {
            b'"' => match self.rest_of_text()? {
                (_, false) => Scalar::Text,
                (escaped, true) => {
                    if unescaped(escaped.of(self.text).as_bytes()).is_none() {
                        let _: String = serde_json::from_str(self.text.get(begin..self.at)?).ok()?;
                    }
                    Scalar::EscapedText
                }
            },
            b't' => self.literal("rue", Scalar::Boolean(true))?,
            b'f' => self.literal("alse", Scalar::Boolean(false))?,
            b'n' => self.literal("ull", Scalar::Null)?,
            b'-' | b'0'..=b'9' => {
                self.at = begin;
                self.signed_number()?
            }
            _ => return None,
        };
        Some((self.span(begin, self.at), scalar))
    }

    fn literal(&mut self, remainder: &str, scalar: Scalar) -> Option<Scalar> {
        self.text.as_bytes().get(self.at..)?.starts_with(remainder.as_bytes()).then(|| {
            self.at += remainder.len();
            scalar
        })
    }

    /// Reads a number without an exponent.
    fn signed_number(&mut self) -> Option<Scalar> {
        let is_negative = self.text.as_bytes().get(self.at) == Some(&b'-');
        self.at += usize::from(is_negative);
        let (mut digits, begin) = (0_i64, self.at);
        self.push_digits(&mut digits);
        let whole = self.at - begin;
        let has_leading_zero = whole > 1 && self.text.as_bytes().get(begin) == Some(&b'0');
        if whole == 0 || has_leading_zero || whole > MAX_DIGITS {
            return None;
        }
        let number = match self.text.as_bytes().get(self.at) {
            Some(b'e' | b'E') => return None,
            Some(b'.') => {
                self.at += 1;
                let begin = self.at;
                self.push_digits(&mut digits);
                let fraction = self.at - begin;
                let goes_on = matches!(self.text.as_bytes().get(self.at), Some(b'.' | b'e' | b'E'));
                if fraction == 0 || whole + fraction > MAX_FLOAT_DIGITS || goes_on {
                    return None;
                }
                let number = digits as f64 / POWERS.get(fraction)?;
                Scalar::Float(if is_negative { -number } else { number })
            }
            // Zero with a sign is a float.
            _ if is_negative && digits == 0 => return None,
            _ => Scalar::Integer(if is_negative { -digits } else { digits }),
        };
        Some(number)
    }

    /// Appends the digits that follow to a number; its value is meaningless if they are too many.
    fn push_digits(&mut self, number: &mut i64) {
        while let Some(digit @ b'0'..=b'9') = self.text.as_bytes().get(self.at) {
            *number = number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            self.at += 1;
        }
    }

    fn span(&self, begin: usize, end: usize) -> Span {
        // The length of the text fits.
        let position = |at: usize| u32::try_from(at.min(self.text.len())).unwrap_or(u32::MAX);
        Span { begin: position(begin), end: position(end) }
    }
}

#[cfg(test)]
mod tests;
