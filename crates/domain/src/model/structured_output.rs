//! Structured output: JSON Schemas that Bedrock makes a model's answer match (Bedrock user guide, "structured-output").

use crate::problem::Problem;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Maximum depth of a schema whose references are followed.
const MAX_DEPTH: usize = 200;

/// Keywords that Bedrock documents as supported, beside those with a rule of their own.
const SUPPORTED: [&str; 5] = ["const", "description", "required", "title", "type"];
/// Keywords that limit nothing, and that are removed from the schema that is sent.
const REMOVED: [&str; 10] = [
    "$comment",
    "$id",
    "$schema",
    "default",
    "deprecated",
    "discriminator",
    "example",
    "examples",
    "readOnly",
    "writeOnly",
];
/// Formats of texts that Bedrock documents as supported.
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
/// Keywords whose value is an object of schemas.
const SCHEMAS_BY_NAME: [&str; 3] = ["$defs", "definitions", "properties"];

/// Returns the problems for which Bedrock would refuse `schema`. Their fields are places in the schema.
pub fn structured_output_problems(schema: &Value) -> Vec<Problem> {
    let mut check = Check { problems: Vec::new() };
    if schema["type"] != "object" && schema.get("$ref").is_none() && schema.get("allOf").is_none() {
        let problem = Problem::without_value("response_schema.type", "must be \"object\" to be enforced");
        check.problems.push(problem);
    }
    check.schema(schema, "response_schema");
    let mut search = CycleSearch { root: schema, open: HashSet::new(), done: HashSet::new() };
    if search.is_recursive(schema, 0) {
        let rule = "refers to itself or is nested very deeply, and Bedrock does not accept recursive schemas";
        let remedy = "describe a fixed number of levels, or leave out enforce_schema";
        check.problems.push(Problem::without_value("response_schema", rule).remedy(remedy));
    }
    check.problems
}

/// Returns `schema` as it is sent: without keywords that limit nothing, and without our own.
pub(super) fn sent_schema(schema: &Value) -> Value {
    match schema {
        Value::Object(object) => {
            let is_sent = |name: &str| !REMOVED.contains(&name) && !name.starts_with("x-");
            let kept = object.iter().filter(|(name, _)| is_sent(name)).map(|(name, value)| {
                let value = match value {
                    Value::Object(schemas) if SCHEMAS_BY_NAME.contains(&name.as_str()) => {
                        let schemas = schemas.iter().map(|(name, schema)| (name.clone(), sent_schema(schema)));
                        Value::Object(schemas.collect())
                    }
                    Value::Array(schemas) if matches!(name.as_str(), "allOf" | "anyOf") => {
                        schemas.iter().map(sent_schema).collect()
                    }
                    Value::Object(_) if name == "items" => sent_schema(value),
                    other => other.clone(),
                };
                (name.clone(), value)
            });
            Value::Object(kept.collect())
        }
        other => other.clone(),
    }
}

struct Check {
    problems: Vec<Problem>,
}

impl Check {
    fn schema(&mut self, schema: &Value, path: &str) {
        let Some(object) = schema.as_object() else {
            let rule = "must be an object: Bedrock accepts no schemas `true` and `false`";
            self.problems.push(Problem::without_value(path, rule).remedy("name a `type`"));
            return;
        };
        let is_object =
            |types: &Value| types == "object" || types.as_array().is_some_and(|all| all.contains(&"object".into()));
        let is_object = object.get("type").is_some_and(is_object) || object.contains_key("properties");
        if is_object && object.get("additionalProperties") != Some(&Value::Bool(false)) {
            let rule = "must be false in every object to be enforced";
            let problem = Problem::without_value(format!("{path}.additionalProperties"), rule);
            self.problems.push(problem.remedy("write additionalProperties = false"));
        }
        for (keyword, value) in object {
            self.keyword(keyword, value, &format!("{path}.{keyword}"));
        }
    }

    fn keyword(&mut self, keyword: &str, value: &Value, path: &str) {
        let is_ours = keyword.starts_with("x-") || REMOVED.contains(&keyword);
        let rule = match keyword {
            _ if is_ours || keyword == "additionalProperties" || SUPPORTED.contains(&keyword) => return,
            "$ref" if value.as_str().is_some_and(|reference| reference.starts_with('#')) => return,
            "$ref" => "refers to another document",
            "enum" if value.as_array().is_some_and(|values| values.iter().any(|v| v.is_object() || v.is_array())) => {
                "may contain only texts, numbers, true, false and null"
            }
            "enum" => return,
            "format" if value.as_str().is_some_and(|format| FORMATS.contains(&format)) => return,
            "format" => "is not one of the formats that Bedrock accepts",
            "minItems" if value == &Value::from(0) || value == &Value::from(1) => return,
            "minItems" => "may only be 0 or 1",
            _ if SCHEMAS_BY_NAME.contains(&keyword) => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    self.schema(inner, &format!("{path}.{name}"));
                }
                return;
            }
            "allOf" | "anyOf" => {
                for (at, inner) in value.as_array().into_iter().flatten().enumerate() {
                    self.schema(inner, &format!("{path}[{at}]"));
                }
                return;
            }
            "items" if value.is_object() => return self.schema(value, path),
            _ => "is a keyword that Bedrock does not accept in structured outputs",
        };
        self.problems.push(Problem::without_value(path, rule).remedy("leave it out, or leave out enforce_schema"));
    }
}

/// Search for a schema that contains itself. Each schema is visited once, however often it is referred to.
struct CycleSearch<'s> {
    root: &'s Value,
    /// Schemas around the current one.
    open: HashSet<*const Map<String, Value>>,
    /// Schemas that do not contain themselves.
    done: HashSet<*const Map<String, Value>>,
}

impl<'s> CycleSearch<'s> {
    fn is_recursive(&mut self, schema: &'s Value, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return true;
        }
        match schema {
            Value::Object(object) => {
                let identity: *const Map<String, Value> = object;
                if self.done.contains(&identity) {
                    return false;
                }
                if !self.open.insert(identity) {
                    return true;
                }
                let reference = object.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
                let target = reference.and_then(|pointer| self.root.pointer(pointer));
                // Definitions count where they are referred to.
                let inner = object.iter().filter(|(name, _)| !matches!(name.as_str(), "$defs" | "definitions"));
                let found =
                    inner.map(|(_, value)| value).chain(target).any(|inner| self.is_recursive(inner, depth + 1));
                self.open.remove(&identity);
                self.done.insert(identity);
                found
            }
            Value::Array(list) => list.iter().any(|inner| self.is_recursive(inner, depth + 1)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn object(properties: &Value) -> Value {
        json!({"type": "object", "additionalProperties": false, "properties": properties, "$defs": {
            "point": {"type": "object", "additionalProperties": false, "properties": {"x": {"type": "number"}}},
            "tree": {"type": "object", "additionalProperties": false, "properties": {"left": {"$ref": "#/$defs/tree"}}}}})
    }

    #[rstest]
    #[case(json!({"a": {"type": "number", "minimum": 0}}), "response_schema.properties.a.minimum: is a keyword that Bedrock does not accept")]
    #[case(json!({"a": {"type": "number", "multipleOf": 2}}), "a.multipleOf: is a keyword")]
    #[case(json!({"a": {"type": "string", "maxLength": 2}}), "a.maxLength: is a keyword")]
    #[case(json!({"a": {"type": "string", "pattern": "a"}}), "a.pattern: is a keyword")]
    #[case(json!({"a": {"oneOf": [{"type": "string"}]}}), "a.oneOf: is a keyword")]
    #[case(json!({"a": {"type": "array", "minItems": 2, "items": {"type": "string"}}}), "a.minItems: may only be 0 or 1")]
    #[case(json!({"a": {"type": "array", "items": {"type": "number", "maximum": 1}}}), "a.items.maximum: is a keyword")]
    #[case(json!({"a": {"anyOf": [{"type": "null"}, {"type": "number", "maximum": 1}]}}), "a.anyOf[1].maximum: is a keyword")]
    #[case(json!({"a": {"type": "object", "properties": {}}}), "a.additionalProperties: must be false in every object")]
    #[case(json!({"a": {"type": "object", "additionalProperties": true}}), "a.additionalProperties: must be false in every object")]
    #[case(json!({"a": {"type": ["object", "null"]}}), "a.additionalProperties: must be false in every object")]
    #[case(json!({"a": {"enum": [["x"]]}}), "a.enum: may contain only texts")]
    #[case(json!({"a": {"type": "string", "format": "regex"}}), "a.format: is not one of the formats")]
    #[case(json!({"a": {"$ref": "other.json"}}), "a.$ref: refers to another document")]
    #[case(json!({"a": true}), "a: must be an object")]
    #[case(json!({"a": {"$ref": "#/$defs/tree"}}), "response_schema: refers to itself")]
    fn what_bedrock_refuses_is_reported_with_its_place(#[case] properties: Value, #[case] expected: &str) {
        let problems = structured_output_problems(&object(&properties));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].to_string().contains(expected), "{}", problems[0]);
    }

    #[test]
    fn supported_schemas_have_no_problems_and_are_sent_without_our_own_keywords() {
        let schema = object(&json!({"a": {"enum": ["x", null], "x-aliases": {"X": "x"}, "description": "d"},
            "at": {"$ref": "#/$defs/point"}, "to": {"anyOf": [{"$ref": "#/$defs/point"}, {"type": "null"}], "default": null},
            "list": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "date", "examples": ["1"]}},
            "examples": {"type": "string"}}));
        assert_eq!(structured_output_problems(&schema), []);
        let mut expected = schema.clone();
        for (pointer, name) in
            [("/properties/a", "x-aliases"), ("/properties/to", "default"), ("/properties/list/items", "examples")]
        {
            expected.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(name);
        }
        assert_eq!(sent_schema(&schema), expected);
    }

    #[test]
    fn a_schema_that_refers_to_others_very_often_is_searched_quickly() {
        let mut defs = Map::new();
        for level in 0..60 {
            let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
            let properties = json!({"a": next, "b": next});
            defs.insert(
                format!("l{level}"),
                json!({"type": "object", "additionalProperties": false, "properties": properties}),
            );
        }
        let schema = json!({"$defs": defs, "$ref": "#/$defs/l0"});
        assert_eq!(structured_output_problems(&schema), []);
    }

    #[test]
    fn a_schema_that_is_no_object_is_reported() {
        let problems = structured_output_problems(&json!({"type": "array", "items": {"type": "string"}}));
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().starts_with("response_schema.type: must be \"object\""));
    }
}
