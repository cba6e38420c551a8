//! JSON whose objects name each member once. `serde_json` alone keeps the last one and drops the others silently.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Maximum number of characters of a member's name that a message quotes.
const MAX_QUOTED_CHARS: usize = 60;

/// JSON value without members of one name.
pub(super) struct StrictValue(pub(super) Value);

impl<'de> Deserialize<'de> for StrictValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(StrictValue(element)) = list.next_element()? {
            elements.push(element);
        }
        Ok(elements.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            if members.contains_key(&name) {
                let letters = name.chars().take(MAX_QUOTED_CHARS).map(|c| if c.is_control() { ' ' } else { c });
                let shown: String = letters.collect();
                return Err(A::Error::custom(format_args!("has two members `{shown}` in one object")));
            }
            let StrictValue(value) = object.next_value()?;
            members.insert(name, value);
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_member_that_is_named_twice_is_an_error() {
        let error =
            serde_json::from_str::<StrictValue>("[{\"a\": 1,\n \"b\\u001b\": {}, \"b\\u001b\": 2}]").err().unwrap();
        assert_eq!(error.to_string(), "has two members `b ` in one object at line 2 column 25");
        assert!(serde_json::from_str::<StrictValue>("{\"a\": {\"a\": {}}}").is_ok());
    }

    proptest! {
        #[test]
        fn other_values_are_read_as_by_serde_json(text in "[\\[\\]{}\",:0-9.e\\-truefalsn \\\\]{0,24}") {
            let strict = serde_json::from_str::<StrictValue>(&text).map(|value| value.0);
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
