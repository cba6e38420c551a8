//! Properties of a schema, in the order in which they are written: that of the columns.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::fmt;

/// Names of the properties with their schemas. The members of JSON objects are sorted in memory, these are not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Properties(pub Vec<(String, Value)>);

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, schema)| (name, schema)))
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Properties;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of properties")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Properties, A::Error> {
        let mut properties: Vec<(String, Value)> = Vec::new();
        while let Some(member) = members.next_entry()? {
            properties.push(member);
        }
        Ok(Properties(properties))
    }
}

/// Returns the `JSONPath` of a member of an answer.
pub(crate) fn path_of_member(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_plain {
        return format!("$.{name}");
    }
    format!("$['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("key_evidence", "$.key_evidence")]
    #[case("a b", "$['a b']")]
    #[case("9", "$['9']")]
    #[case("it's a \\", r"$['it\'s a \\']")]
    fn every_name_has_a_path(#[case] name: &str, #[case] path: &str) {
        assert_eq!(path_of_member(name), path);
    }

    #[test]
    fn the_order_of_the_text_is_kept() {
        let text = r#"{"z":{"type":"string"},"a":true}"#;
        let properties: Properties = serde_json::from_str(text).unwrap();
        assert_eq!(properties.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["z", "a"]);
        assert_eq!(serde_json::to_string(&properties).unwrap(), text);
    }
}
