//! Value of one field of one answer.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// Value of a field; JSON's `null` counts as absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// True or false.
    Boolean(bool),
    /// Number. Integers of up to 64 bits are exact; longer ones are text, so that no digit is lost.
    Number(Number),
    /// Text; also a JSON object, as its JSON text (with sorted keys).
    Text(String),
    /// Elements of a JSON array, or the values of several matches of a `JSONPath`, each as text. `None` is a `null`, which is
    /// kept because the lists of several fields may correspond element by element.
    List(Vec<Option<String>>),
}

impl FieldValue {
    /// Converts a JSON value to a field value.
    pub(super) fn of_json(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(flag) => Some(Self::Boolean(*flag)),
            Value::Number(number) => Some(Self::Number(number.clone())),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Array(elements) => Some(Self::of_several(elements)),
            Value::Object(_) => Some(Self::Text(value.to_string())),
        }
    }

    /// Converts a JSON value that is not needed any more, without copying texts.
    pub(super) fn of_taken(value: Value) -> Option<Self> {
        match value {
            Value::Number(number) => Some(Self::Number(number)),
            Value::String(text) => Some(Self::Text(text)),
            other => Self::of_json(&other),
        }
    }

    /// Creates a list of several values.
    pub(super) fn of_several<'v>(values: impl IntoIterator<Item = &'v Value>) -> Self {
        Self::List(values.into_iter().map(element_text).collect())
    }

    /// Converts the value to text: texts remain as they are, anything else becomes JSON.
    pub fn into_text(self) -> String {
        match self {
            Self::Boolean(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
            Self::List(elements) => Value::from(elements).to_string(),
        }
    }
}

fn element_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!(true), "true")]
    #[case(json!(0.9), "0.9")]
    #[case(json!(-7), "-7")]
    #[case(json!(9_007_199_254_740_993_i64), "9007199254740993")]
    #[case(json!(u64::MAX), "18446744073709551615")]
    #[case(json!("a \"b\" ü"), "a \"b\" ü")]
    #[case(json!({"b": [1], "a": null}), r#"{"a":null,"b":[1]}"#)]
    #[case(json!(["x", 1, null, [2], {"k": true}]), r#"["x","1",null,"[2]","{\"k\":true}"]"#)]
    #[case(json!([]), "[]")]
    fn values_are_converted_to_text_and_survive_serialization(#[case] value: Value, #[case] text: &str) {
        assert_eq!(FieldValue::of_taken(value.clone()), FieldValue::of_json(&value));
        let value = FieldValue::of_json(&value).unwrap();
        let written = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<FieldValue>(&written).unwrap(), value, "{written}");
        assert_eq!(value.into_text(), text);
    }

    #[test]
    fn null_is_not_a_value() {
        assert_eq!(FieldValue::of_json(&Value::Null), None);
    }
}
