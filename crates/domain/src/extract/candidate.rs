//! Values of an answer that may be the one with the fields.

use super::{Extraction, Unparsed};
use serde_json::Value;

/// Fields of one of several values in an answer.
pub(super) struct Candidate {
    pub(super) extraction: Result<Extraction, Unparsed>,
    /// If true, the value has the fields itself, and is not wrapped.
    pub(super) is_direct: bool,
    /// Number of the fields that it has.
    pub(super) fields: usize,
    /// If true, it was found in a place where answers are expected.
    pub(super) is_hinted: bool,
    /// If true, its text was nearly JSON, and was repaired.
    pub(super) is_repaired: bool,
}

impl Candidate {
    /// Returns the order among the values of an answer.
    pub(super) fn rank(&self) -> (bool, bool, usize) {
        (self.extraction.is_ok(), self.is_direct, self.fields)
    }

    pub(super) fn extraction(self) -> Result<Extraction, Unparsed> {
        self.extraction.map(|extraction| Extraction { repaired: self.is_repaired, ..extraction })
    }
}

/// Returns the only value in a list, the only list or object in an object, or the value that a text is.
pub(super) fn only_value_in(value: Value) -> Option<Value> {
    let only = |values: Vec<Value>| <[Value; 1]>::try_from(values).ok().map(|[only]| only);
    match value {
        Value::Array(elements) => only(elements),
        Value::Object(members) => {
            let (inner, scalars): (Vec<_>, Vec<_>) =
                members.into_iter().map(|(_, value)| value).partition(|value| value.is_object() || value.is_array());
            if inner.is_empty() { only(scalars).filter(Value::is_string) } else { only(inner) }
        }
        Value::String(text) => {
            let value: Value = serde_json::from_str(text.trim()).ok()?;
            (value.is_object() || value.is_array()).then_some(value)
        }
        _ => None,
    }
}
