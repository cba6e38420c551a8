//! Scanner of JSON texts, numbers and literals, which copies nothing.
//!
//! It accepts less than `serde_json`, and what it accepts has the same value: everything else is left to the general way.

use crate::json_text::{special_at, unescaped};

/// Part of a text, by the positions of its first byte and of the byte after its last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) begin: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.begin as usize..self.end as usize).unwrap_or_default()
    }

    /// Returns a text with the quotes around it.
    pub(super) fn with_quotes(self) -> Self {
        Self { begin: self.begin.saturating_sub(1), end: self.end.saturating_add(1) }
    }
}

/// Value that has no values within it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    /// Text without escapes.
    Text,
    /// Text with escapes, which are valid.
    EscapedText,
}

/// Scanner at a position of a text. Positions fit into 32 bits.
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

/// Maximum number of digits of integers that are read here: they fit into 64 bits.
const MAX_DIGITS: usize = 18;
/// Maximum number of digits of numbers with a fraction: they are exact as 64-bit floats, as is the power of ten that divides them,
/// so that the quotient is the nearest float.
const MAX_FLOAT_DIGITS: usize = 15;

/// Powers of ten that divide the digits of a number with a fraction.
const POWERS: [f64; MAX_FLOAT_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

impl<'t> Scanner<'t> {
    /// Returns a scanner at the beginning of a text, unless the text is too long.
    pub(super) fn new(text: &'t str) -> Option<Self> {
        u32::try_from(text.len()).ok().map(|_| Self { text, at: 0 })
    }

    /// Returns true at the end of the text.
    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Skips space, and returns the byte after it, which is consumed.
    pub(super) fn next_byte(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            let byte = *bytes.get(self.at)?;
            self.at += 1;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
        }
    }

    /// Reads a text whose opening quote is consumed: returns what is between the quotes, and true if it has escapes, which
    /// are not checked.
    pub(super) fn text(&mut self) -> Option<(Span, bool)> {
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

    /// Reads a value without values within it, after optional space: returns it as it is written, and what it is.
    pub(super) fn scalar(&mut self) -> Option<(Span, Scalar)> {
        let first = self.next_byte()?;
        let begin = self.at - 1;
        let scalar = match first {
            b'"' => match self.text()? {
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
                self.number()?
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
    fn number(&mut self) -> Option<Scalar> {
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
                let has_exponent = matches!(self.text.as_bytes().get(self.at), Some(b'e' | b'E'));
                if fraction == 0 || whole + fraction > MAX_FLOAT_DIGITS || has_exponent {
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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Number, Value};

    fn value(text: &str) -> Option<Value> {
        let mut scanner = Scanner::new(text)?;
        let (span, scalar) = scanner.scalar()?;
        let value = match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(flag) => Value::Bool(flag),
            Scalar::Integer(number) => Value::Number(number.into()),
            Scalar::Float(number) => Value::Number(Number::from_f64(number)?),
            Scalar::Text => Value::String(span.of(text).trim_matches('"').to_owned()),
            Scalar::EscapedText => serde_json::from_str(span.of(text)).ok()?,
        };
        (scanner.next_byte().is_none() && scanner.is_at_end()).then_some(value)
    }

    proptest! {
        #[test]
        fn whatever_is_read_has_the_same_value_otherwise(
            text in r#"[ \n]{0,2}("([a-zü0-9 ]{0,20}|[a"\\nu0dü\n\u{1} ]{0,24})"|-?[0-9.eE+-]{1,22}|true|nul{1,2}|false|[\[{])[ ]{0,2}"#,
        ) {
            if let Some(value) = value(&text) {
                prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
            }
        }

        #[test]
        fn usual_values_are_read(
            number in -1_000_000_000_000_000_000_i64 + 1..1_000_000_000_000_000_000, whole in -99_999_i64..100_000, fraction in "[0-9]{1,10}",
            text in "[^\u{0}-\u{1f}]{0,40}",
        ) {
            for written in [number.to_string(), format!("{whole}.{fraction}"), Value::from(text.as_str()).to_string()] {
                prop_assert_eq!(value(&written), Some(serde_json::from_str(&written).unwrap()), "{}", written);
            }
        }
    }
}
