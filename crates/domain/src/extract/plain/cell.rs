//! Value of one field of one answer, which refers to the text of the answer.

use crate::extract::kinds::FieldKinds;
use crate::extract::value::FieldValue;
use crate::json_text::unescaped;
use std::borrow::Cow;

/// Value of a field in a text that is stored elsewhere: 16 bytes in place of a [`FieldValue`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum PlainCell {
    /// Missing or `null`.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// Number without a fraction.
    Integer(i64),
    /// Number with a fraction.
    Float(f64),
    /// Text without escapes, by the positions of its first byte and of the byte after its last one.
    Text(u32, u32),
    /// The same for the JSON of a text with escapes, with its quotes.
    EscapedText(u32, u32),
}

impl PlainCell {
    /// Returns the text in `answer`, if the value is one.
    pub fn text(self, answer: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(begin, end) => answer.get(begin as usize..end as usize).map(Cow::Borrowed),
            Self::EscapedText(begin, end) => {
                let json = answer.get(begin as usize..end as usize)?;
                let escaped = json.get(1..json.len().checked_sub(1)?)?;
                unescaped(escaped.as_bytes()).or_else(|| serde_json::from_str(json).ok()).map(Cow::Owned)
            }
            _ => None,
        }
    }

    /// Returns the value of the field in the text `answer`, `None` for one that is missing or `null`.
    pub fn value(self, answer: &str) -> Option<FieldValue> {
        match self {
            Self::Null => None,
            Self::Boolean(flag) => Some(FieldValue::Boolean(flag)),
            Self::Integer(number) => Some(FieldValue::Number(number.into())),
            Self::Float(number) => serde_json::Number::from_f64(number).map(FieldValue::Number),
            Self::Text(..) | Self::EscapedText(..) => self.text(answer).map(|text| FieldValue::Text(text.into_owned())),
        }
    }

    /// Records the kind of the value.
    pub fn record(self, kinds: &mut FieldKinds) {
        match self {
            Self::Null => {}
            Self::Boolean(flag) => kinds.record(&FieldValue::Boolean(flag)),
            Self::Integer(number) => kinds.record(&FieldValue::Number(number.into())),
            Self::Float(_) => kinds.record_float(),
            Self::Text(..) | Self::EscapedText(..) => kinds.record_text(),
        }
    }
}
