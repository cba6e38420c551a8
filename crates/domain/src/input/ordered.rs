//! Reading of the JSON of an execution input.
//!
//! The members of JSON objects are sorted in memory, but those of `output_schema.fields` have an order: that of the columns. So
//! such an object is read as a list of pairs, which readers of prompts accept as well, and which all tools keep in order.

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::fmt;

/// Parses the text of an execution input.
///
/// # Errors
/// Returns an error if the text is not valid JSON.
pub fn parse_input(text: &[u8]) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Place::Input.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Deserializes an execution input, for `#[serde(deserialize_with = …)]`.
///
/// # Errors
/// Returns an error if `deserializer` does.
pub fn deserialize_input<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Place::Input.deserialize(deserializer)
}

/// Place within an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Run, pipeline or stage.
    Input,
    Stages,
    PromptConfig,
    Prompts,
    Prompt,
    OutputSchema,
    /// The fields of answers.
    Fields,
    Elsewhere,
}

impl Place {
    fn of_member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Input, "stages") => Self::Stages,
            (Self::Input, "prompt_config") => Self::PromptConfig,
            (Self::Input, "prompts") => Self::Prompts,
            (Self::Input | Self::PromptConfig, "prompt") | (Self::Prompts, _) => Self::Prompt,
            (Self::Prompt, "output_schema") => Self::OutputSchema,
            (Self::OutputSchema, "fields") => Self::Fields,
            _ => Self::Elsewhere,
        }
    }

    fn of_element(self) -> Self {
        if self == Self::Stages { Self::Input } else { Self::Elsewhere }
    }
}

impl<'de> DeserializeSeed<'de> for Place {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self == Self::Elsewhere { Value::deserialize(deserializer) } else { deserializer.deserialize_any(self) }
    }
}

impl<'de> Visitor<'de> for Place {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        if self == Self::Fields {
            let mut pairs = Vec::new();
            while let Some((name, value)) = members.next_entry::<String, Value>()? {
                pairs.push(Value::Array(vec![Value::String(name), value]));
            }
            return Ok(Value::Array(pairs));
        }
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self.of_member(&name))?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = elements.next_element_seed(self.of_element())? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const SCHEMA: &str = r#"{"output_schema": {"type": "json", "fields": {"z": "$.z", "a": 1}}}"#;

    /// Payload of a function.
    #[derive(Deserialize)]
    #[serde(tag = "action")]
    enum Event {
        Start {
            #[serde(deserialize_with = "deserialize_input")]
            input: Value,
        },
    }

    #[rstest]
    #[case(format!(r#"{{"prompt": {SCHEMA}}}"#), "/prompt")]
    #[case(format!(r#"{{"prompt_config": {{"prompt": {SCHEMA}}}}}"#), "/prompt_config/prompt")]
    #[case(format!(r#"{{"prompts": {{"p": {SCHEMA}}}}}"#), "/prompts/p")]
    #[case(format!(r#"{{"stages": [7, {{"prompt": {SCHEMA}}}]}}"#), "/stages/1/prompt")]
    fn fields_of_answers_keep_their_order(#[case] text: String, #[case] prompt: &str) {
        let expected = serde_json::json!([["z", "$.z"], ["a", 1]]);
        let read = parse_input(text.as_bytes()).unwrap();
        assert_eq!(read.pointer(&format!("{prompt}/output_schema/fields")), Some(&expected), "{read}");

        let event = format!(r#"{{"input": {text}, "action": "Start"}}"#);
        let Event::Start { input } = serde_json::from_str(&event).unwrap();
        assert_eq!(input, read, "as in the payload of a function");
        assert_eq!(parse_input(read.to_string().as_bytes()).unwrap(), read, "a list stays one");
    }

    #[test]
    fn everything_else_is_read_as_it_is() {
        let text =
            format!(r#"{{"a": {SCHEMA}, "prompt": [{SCHEMA}, null, -1, 1.5, 18446744073709551615, true, "x"]}}"#);
        assert_eq!(parse_input(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
    }

    #[rstest]
    #[case("")]
    #[case("{} {}")]
    #[case("{\"prompt\": {\"output_schema\": {\"fields\": {\"a\"}}}}")]
    fn errors_have_their_position_as_always(#[case] text: &str) {
        let plain = serde_json::from_str::<Value>(text).unwrap_err().to_string();
        assert_eq!(parse_input(text.as_bytes()).unwrap_err().to_string(), plain);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_as_always(text in "[\\[\\]{}:,\"0-9a.e\\- nultre]{0,40}") {
            let plain = serde_json::from_str::<Value>(&text).ok();
            prop_assert_eq!(parse_input(text.as_bytes()).ok(), plain);
        }
    }
}
