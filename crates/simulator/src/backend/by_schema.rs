//! Answers that match the JSON Schema of a request with structured output.

use serde_json::{Map, Value, json};

use crate::backend::filling::{choose, words};
use crate::chance::{self, Numbers};

/// A value for a schema: of texts that it lists the one that the prompt mentions most often, other texts of the prompt's
/// words.
pub(super) struct BySchema<'a> {
    root: &'a Value,
    /// Text of the user.
    text: &'a str,
    words: Vec<&'a str>,
    numbers: Numbers,
}

impl<'a> BySchema<'a> {
    pub(super) fn new(root: &'a Value, text: &'a str, numbers: Numbers) -> Self {
        Self { root, text, words: words(text), numbers }
    }

    pub(super) fn fill(mut self) -> Value {
        self.value(self.root, 0)
    }

    fn value(&mut self, schema: &'a Value, depth: usize) -> Value {
        const DEEPEST: usize = 20;
        if depth > DEEPEST {
            return Value::Null;
        }
        let reference = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        if let Some(target) = reference.and_then(|pointer| self.root.pointer(pointer)) {
            return self.value(target, depth + 1);
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(listed) = schema["enum"].as_array() {
            let texts: Vec<&str> = listed.iter().filter_map(Value::as_str).collect();
            let number = self.numbers.next();
            return if texts.is_empty() {
                chance::pick(listed, number).cloned().unwrap_or_default()
            } else {
                json!(choose(&texts, self.text, number))
            };
        }
        if let Some(branch) = ["anyOf", "allOf"].iter().find_map(|name| schema[*name].as_array()?.first()) {
            return self.value(branch, depth + 1);
        }
        let name = match &schema["type"] {
            Value::Array(names) => names.first().and_then(Value::as_str).unwrap_or_default(),
            other => other.as_str().unwrap_or_default(),
        };
        let number = self.numbers.next();
        match name {
            "object" => {
                let properties = schema["properties"].as_object().into_iter().flatten();
                let filled: Map<_, _> =
                    properties.map(|(name, inner)| (name.clone(), self.value(inner, depth + 1))).collect();
                Value::Object(filled)
            }
            "array" => (0..=number % 3).map(|_| self.value(&schema["items"], depth + 1)).collect(),
            "integer" => json!(number % 10),
            "number" => json!((number % 101) as f64 / 100.0),
            "boolean" => json!(number.is_multiple_of(2)),
            "null" => Value::Null,
            _ if schema["format"] == "date" => json!(format!("2026-11-{:02}", number % 30 + 1)),
            _ => json!(chance::pick(&self.words, number).copied().unwrap_or("unknown")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_matches_its_schema() {
        let schema = json!({"type": "object", "properties": {
            "kind": {"enum": ["shirt", "pants"]}, "count": {"type": "integer"}, "share": {"type": "number"},
            "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}}, "note": {"type": ["string", "null"]},
            "maybe": {"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "day": {"type": "string", "format": "date"}},
            "$defs": {"tag": {"type": "string"}}});
        for seed in 0..20 {
            let filled = BySchema::new(&schema, "blue pants, no other pants", Numbers::from(seed)).fill();
            assert_eq!(filled["kind"], "pants");
            assert!(filled["count"].is_u64() && filled["share"].is_f64() && filled["maybe"].is_boolean(), "{filled}");
            assert!(filled["tags"].as_array().unwrap().iter().all(Value::is_string), "{filled}");
            assert!("blue pants no other".contains(filled["note"].as_str().unwrap()), "{filled}");
            assert!(filled["day"].as_str().unwrap().starts_with("2026-11-"), "{filled}");
        }
    }
}
