//! Fields of the answers to a template.

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use toml::de::{DeTable, DeValue};

/// Way to find the fields of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SchemaType {
    /// The answer contains a JSON value; each field has a `JSONPath`.
    Json,
    /// The answer is text; each field has a regular expression.
    Regex,
}

/// Fields of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSchema {
    /// Way to find the fields.
    #[serde(rename = "type")]
    pub schema_type: SchemaType,
    /// Names of the fields with their `JSONPath` or pattern, in the order of the template, which is that of the columns.
    /// Serialized as a list of pairs, since many JSON libraries sort the members of objects.
    #[serde(deserialize_with = "fields")]
    pub fields: Vec<(String, String)>,
}

impl OutputSchema {
    /// Restores the order that the fields have in `toml_text`, from which they were read: the TOML parser sorts the keys of
    /// a table, but provides their positions.
    pub(super) fn put_in_order(&mut self, toml_text: &str) {
        let Ok(document) = DeTable::parse(toml_text) else { return };
        let fields = inner(document.get_ref(), "output_schema").and_then(|schema| inner(schema, "fields"));
        let Some(fields) = fields else { return };
        let position = |name: &str| fields.keys().find(|key| key.get_ref() == name).map(|key| key.span().start);
        self.fields.sort_by_key(|(name, _)| position(name));
    }
}

fn inner<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<&'t DeTable<'i>> {
    match table.get(name)?.get_ref() {
        DeValue::Table(inner) => Some(inner),
        _ => None,
    }
}

/// Deserializes a table (of a template) or a list of pairs (of a plan).
fn fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    deserializer.deserialize_any(Pairs)
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of names and texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = list.next_element()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

#[cfg(test)]
mod tests {
    use crate::prompt::Prompt;
    use rstest::rstest;

    fn names(prompt: &Prompt) -> Vec<&str> {
        let schema = prompt.output_schema.as_ref().unwrap();
        schema.fields.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[rstest]
    #[case("[output_schema]\ntype = \"json\"\n[output_schema.fields]\nz = \"$.z\"\na = \"$.a\"\nm = \"$.m\"")]
    #[case("[output_schema]\ntype = \"json\"\nfields = { z = \"$.z\", a = \"$.a\", m = \"$.m\" }")]
    #[case(
        "output_schema.type = \"json\"\noutput_schema.fields.z = \"$.z\"\noutput_schema.fields.\"a\" = \"$.a\"\noutput_schema.fields.m = \"$.m\""
    )]
    fn fields_keep_the_order_of_the_template_even_in_a_plan(#[case] schema: &str) {
        let prompt = Prompt::parse(&format!("description = \"d\"\ntemplate = \"t\"\n{schema}")).unwrap();
        assert_eq!(names(&prompt), ["z", "a", "m"]);
        // Via a `Value`, whose objects are sorted.
        let frozen = serde_json::to_value(&prompt).unwrap();
        let read: Prompt = serde_json::from_value(frozen).unwrap();
        assert_eq!(read, prompt);
    }
}
