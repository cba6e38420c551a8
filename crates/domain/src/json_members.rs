//! JSON in which members of objects count that `serde_json` alone would lose: it keeps the last of several members of one name,
//! and sorts members in memory.

use crate::printable;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Maximum number of characters of a member's name that a message quotes.
const MAX_QUOTED_CHARS: usize = 60;

/// Parses a text that is at `place`.
///
/// # Errors
/// Returns an error if the text is not valid JSON, or if a member is named twice where that is not allowed.
pub(crate) fn parse(text: &[u8], place: Place) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = place.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Place of a value, which determines the reading of its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Run, pipeline or stage. Inputs that name one of their own fields twice were always accepted.
    Input,
    Stages,
    PromptConfig,
    /// Prompts and rules by name.
    Prompts,
    /// Prompt or rule.
    Prompt,
    OutputSchema,
    /// Fields of answers. Their order is that of the columns, so that they become a list of pairs, which readers of prompts
    /// accept as well, and which all tools keep in order.
    Fields,
    /// Value whose objects name each member once, at any depth.
    Strict,
    /// Value that is read as by `serde_json`.
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
            (Self::Prompt | Self::OutputSchema | Self::Strict, _) => Self::Strict,
            _ => Self::Elsewhere,
        }
    }

    fn of_element(self) -> Self {
        match self {
            Self::Stages => Self::Input,
            Self::Strict => Self::Strict,
            _ => Self::Elsewhere,
        }
    }

    /// Returns true if an object must not have two members at this place with one name.
    fn is_unique(self) -> bool {
        matches!(self, Self::Prompts | Self::Prompt | Self::OutputSchema | Self::Fields | Self::Strict)
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
            // Names that occur twice stay, and are reported with the other mistakes of the prompt.
            while let Some((name, value)) = members.next_entry::<String, Value>()? {
                pairs.push(Value::Array(vec![Value::String(name), value]));
            }
            return Ok(Value::Array(pairs));
        }
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let place = self.of_member(&name);
            if place.is_unique() && object.contains_key(&name) {
                let shown = printable::shortened(&name, MAX_QUOTED_CHARS);
                return Err(A::Error::custom(format_args!("has two members `{shown}` in one object")));
            }
            let value = members.next_value_seed(place)?;
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

    #[test]
    fn a_member_that_is_named_twice_is_an_error() {
        let error = parse(b"[{\"a\": 1,\n \"b\\u001b\": {}, \"b\\u001b\": 2}]", Place::Strict).unwrap_err();
        assert_eq!(error.to_string(), "has two members `b�` in one object at line 2 column 25");
        assert!(parse(b"{\"a\": {\"a\": {}}}", Place::Strict).is_ok());
    }

    proptest! {
        #[test]
        fn other_values_are_read_as_by_serde_json(text in "[\\[\\]{}\",:0-9.e\\-truefalsn \\\\]{0,24}") {
            let strict = parse(text.as_bytes(), Place::Strict);
            let plain = serde_json::from_str::<Value>(&text);
            match (strict, plain) {
                (Ok(strict), Ok(plain)) => prop_assert_eq!(strict, plain),
                (Err(error), Ok(_)) => prop_assert!(error.is_data()),
                (Ok(_), Err(error)) => return Err(TestCaseError::fail(error.to_string())),
                (Err(_), Err(_)) => {}
            }
        }
    }
}
