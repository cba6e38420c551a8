//! Keywords of a schema that could not be held: unknown ones, formats that are not checked, references to elsewhere.

use super::node::Document;
use crate::problem::{Problem, nearest};
use jsonschema::Draft;
use serde_json::{Map, Value};

/// Maximum number of references: the compiler of schemas recurses for chains of them.
const MAX_REFERENCES: usize = 500;

/// Keywords whose value is a schema, or a list of schemas.
const SCHEMAS: [&str; 15] = [
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "oneOf",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value is an object of schemas.
const SCHEMAS_BY_NAME: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];
/// Other keywords that are checked.
const RULES: [&str; 22] = [
    "$ref",
    "const",
    "dependentRequired",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "type",
    "uniqueItems",
];
/// Keywords that limit nothing.
const NOTES: [&str; 12] = [
    "$comment",
    "$id",
    "$schema",
    "default",
    "deprecated",
    "description",
    "discriminator",
    "example",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];
/// Keywords that JSON Schema has, and that are not held here.
const NOT_HELD: [&str; 9] = [
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
    "$vocabulary",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
];

/// Returns the problems of all keywords in the schema `root`.
pub(crate) fn keyword_problems(root: &Value) -> Vec<Problem> {
    let draft = Draft::Draft202012.detect(root);
    let mut check = Check { document: Document::new(root), draft, references: 0, problems: Vec::new() };
    check.schema(root, "response_schema");
    if check.references > MAX_REFERENCES {
        let rule = format!("has {} references; at most {MAX_REFERENCES} are accepted", check.references);
        check.problems.push(Problem::without_value("response_schema", rule).remedy("describe fewer objects"));
    }
    check.problems
}

/// Returns true for keywords that answers are checked by. Definitions are checked only where they are referred to.
fn is_rule(keyword: &str) -> bool {
    let is_listed = [&SCHEMAS[..], &SCHEMAS_BY_NAME, &RULES].iter().any(|list| list.contains(&keyword));
    is_listed && !matches!(keyword, "$defs" | "definitions")
}

struct Check<'s> {
    document: Document<'s>,
    /// Version of JSON Schema that `$schema` names.
    draft: Draft,
    references: usize,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn schema(&mut self, schema: &Value, path: &str) {
        // `true` and `false` are schemas too.
        let Some(object) = schema.as_object() else { return };
        let is_alone =
            matches!(self.draft, Draft::Draft4 | Draft::Draft6 | Draft::Draft7) && object.contains_key("$ref");
        for (keyword, value) in object {
            let path = format!("{path}.{keyword}");
            if is_alone && keyword != "$ref" && is_rule(keyword) {
                let rule = "has no effect beside a `$ref` in the version of JSON Schema that `$schema` names";
                self.problems.push(Problem::without_value(&path, rule).remedy("leave out `$schema`, or use `allOf`"));
            }
            self.keyword(keyword, value, &path);
        }
    }

    fn keyword(&mut self, keyword: &str, value: &Value, path: &str) {
        match keyword {
            _ if NOT_HELD.contains(&keyword) => {
                let rule = "is a keyword that answers are not checked by";
                self.problems.push(Problem::without_value(path, rule).remedy("leave it out"));
            }
            _ if is_rule(keyword) && !self.is_of_draft(keyword) => {
                let rule = match self.draft {
                    Draft::Draft202012 => {
                        "is not a keyword of JSON Schema 2020-12, so that answers are not checked by it"
                    }
                    _ => "is not a keyword of the version that `$schema` names, so that answers are not checked by it",
                };
                let remedy = "write it in the words of that version, or name another one in `$schema`";
                self.problems.push(Problem::without_value(path, rule).remedy(remedy));
            }
            // It would give references within this part another meaning.
            "$id" if path != "response_schema.$id" => {
                let rule = "gives a part of the schema an address of its own, which is not supported";
                self.problems.push(Problem::without_value(path, rule).remedy("leave it out"));
            }
            "$ref" => self.reference(value, path),
            "format" => self.format(value, path),
            _ if SCHEMAS.contains(&keyword) => match value {
                Value::Array(list) => {
                    list.iter().enumerate().for_each(|(at, inner)| self.schema(inner, &format!("{path}[{at}]")));
                }
                inner => self.schema(inner, path),
            },
            _ if SCHEMAS_BY_NAME.contains(&keyword) => self.schemas_by_name(value.as_object(), path),
            _ if RULES.contains(&keyword) || NOTES.contains(&keyword) || keyword.starts_with("x-") => {}
            _ => {
                let known = SCHEMAS.iter().chain(&SCHEMAS_BY_NAME).chain(&RULES).chain(&NOTES);
                let rule = "is not a keyword of JSON Schema, so that answers are not checked by it";
                self.problems.push(Problem::without_value(path, rule).remedy(nearest(keyword, known.copied())));
            }
        }
    }

    /// Returns true if answers are checked by this keyword in the version of JSON Schema that the schema is written for.
    fn is_of_draft(&self, keyword: &str) -> bool {
        match keyword {
            // It belongs to a list of schemas as `items`, which that version does not have.
            "additionalItems" => self.draft < Draft::Draft202012,
            _ => self.draft.is_known_keyword(keyword),
        }
    }

    fn schemas_by_name(&mut self, schemas: Option<&Map<String, Value>>, path: &str) {
        for (name, inner) in schemas.into_iter().flatten() {
            self.schema(inner, &format!("{path}.{name}"));
        }
    }

    fn reference(&mut self, value: &Value, path: &str) {
        self.references += 1;
        // Other types are reported by the compiler of the schema.
        let Some(reference) = value.as_str() else { return };
        if !reference.starts_with('#') {
            let rule = "refers to another document, which is not read";
            let remedy = "put that schema under `$defs`, and refer to `#/$defs/<name>`";
            self.problems.push(Problem::new(path, reference, rule).remedy(remedy));
        } else if self.document.target(reference).is_none() {
            let rule = "refers to a place that the schema does not have";
            self.problems.push(Problem::new(path, reference, rule).remedy("write `#/$defs/<name>`"));
        }
    }

    fn format(&mut self, value: &Value, path: &str) {
        let Some(format) = value.as_str() else { return };
        if !jsonschema::options().is_known_format(self.draft, format) {
            let rule = "is a format that answers are not checked by";
            let remedy =
                "leave it out, or use `pattern`; known are `date`, `date-time`, `email`, `time`, `uri`, `uuid`";
            self.problems.push(Problem::new(path, format, rule).remedy(remedy));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({"$ref": "https://example.com/a"}), "response_schema.properties.a.$ref is `https://example.com/a`: refers to another document")]
    #[case(json!({"$ref": "other.json#/a"}), "$ref is `other.json#/a`: refers to another document")]
    #[case(json!({"$ref": "#/$defs/nothing"}), "$ref is `#/$defs/nothing`: refers to a place that the schema does not have")]
    #[case(json!({"minimun": 1}), "response_schema.properties.a.minimun: is not a keyword of JSON Schema, so that answers are not checked by it; did you mean `minimum`")]
    #[case(json!({"items": {"anyOf": [{"enums": ["x"]}]}}), "response_schema.properties.a.items.anyOf[0].enums: is not a keyword")]
    #[case(json!({"contentEncoding": "base64"}), "contentEncoding: is a keyword that answers are not checked by; leave it out")]
    #[case(json!({"format": "isbn"}), "format is `isbn`: is a format that answers are not checked by")]
    fn keywords_that_cannot_be_held_are_reported(#[case] property: Value, #[case] expected: &str) {
        let problems = keyword_problems(&json!({"properties": {"a": property, "minimun": {"title": "a name"}}}));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].to_string().contains(expected), "{}", problems[0]);
    }

    #[rstest]
    #[case::default(None, json!({"type": "array", "items": {}, "additionalItems": false}), "additionalItems: is not a keyword of JSON Schema 2020-12")]
    #[case::later(Some("http://json-schema.org/draft-07/schema#"), json!({"prefixItems": [{"type": "string"}]}), "prefixItems: is not a keyword of the version")]
    #[case::later_still(Some("https://json-schema.org/draft/2019-09/schema"), json!({"prefixItems": [{"type": "string"}]}), "prefixItems: is not a keyword of the version")]
    #[case::required(Some("http://json-schema.org/draft-07/schema"), json!({"dependentRequired": {"a": ["b"]}}), "dependentRequired: is not a keyword of the version")]
    #[case::condition(Some("http://json-schema.org/draft-06/schema#"), json!({"if": {"const": 1}}), "if: is not a keyword of the version")]
    #[case::constant(Some("http://json-schema.org/draft-04/schema#"), json!({"const": 1}), "const: is not a keyword of the version")]
    #[case::format(Some("http://json-schema.org/draft-07/schema#"), json!({"format": "uuid"}), "format is `uuid`: is a format that answers are not checked by")]
    #[case::beside(Some("http://json-schema.org/draft-07/schema#"), json!({"$ref": "#/definitions/n", "maximum": 5, "description": "d"}), "a.maximum: has no effect beside a `$ref`")]
    #[case::address(None, json!({"$id": "https://example.com/a"}), "a.$id: gives a part of the schema an address")]
    fn keywords_that_the_version_of_the_schema_ignores_are_reported(
        #[case] version: Option<&str>,
        #[case] property: Value,
        #[case] expected: &str,
    ) {
        let mut schema = json!({"$id": "https://example.com/model", "properties": {"a": property},
            "definitions": {"n": {"type": "number"}}, "$defs": {"m": {"type": "number"}}});
        if let Some(version) = version {
            schema["$schema"] = json!(version);
        }
        let problems = keyword_problems(&schema);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].to_string().contains(expected), "{}", problems[0]);
    }

    #[test]
    fn a_schema_of_an_earlier_version_has_no_problems_if_it_is_checked_by_all_of_its_keywords() {
        let schema = json!({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/ticket",
            "definitions": {"ticket": {"type": "object", "properties": {
                "mood": {"$ref": "#/definitions/mood", "description": "d"},
                "pair": {"type": "array", "items": [{"type": "string"}], "additionalItems": false},
                "day": {"type": "string", "format": "date"}}, "dependencies": {"day": ["mood"]},
                "if": {"required": ["day"]}, "then": {"required": ["pair"]}}, "mood": {"enum": ["good", "bad"]}}});
        assert_eq!(keyword_problems(&schema), []);
    }

    #[test]
    fn chains_of_references_are_limited() {
        let defs = |count: usize| {
            let link =
                |level: usize| (format!("l{level}"), json!({"$ref": format!("#/$defs/l{}", (level + 1) % count)}));
            json!({"$defs": (0..count).map(link).collect::<Map<_, _>>()})
        };
        assert_eq!(keyword_problems(&defs(500)), []);
        assert!(keyword_problems(&defs(501))[0].rule.starts_with("has 501 references"));
    }

    #[test]
    fn a_schema_of_pydantic_has_no_problems() {
        let schema = json!({"$defs": {"Mood": {"enum": ["good", "bad"], "title": "Mood", "type": "string"}},
            "properties": {"mood": {"$ref": "#/$defs/Mood", "description": "d"},
                "score": {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "null"}], "default": null, "title": "Score"},
                "day": {"format": "date", "title": "Day", "type": "string"},
                "tags": {"items": {"type": "string"}, "title": "Tags", "type": "array", "x-note": 1, "uniqueItems": true}},
            "required": ["mood", "day"], "title": "Review", "type": "object", "additionalProperties": false});
        assert_eq!(keyword_problems(&schema), []);
    }
}
