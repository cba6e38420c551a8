//! Schemas with their references resolved: everything that applies to one value.

use crate::extract::kinds::ColumnType;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Maximum number of schemas that are combined for one value. Each may refer to others, so that few lines could name many.
const MAX_PARTS: usize = 100;

/// Schema with the definitions that it refers to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'s> {
    root: &'s Value,
}

/// Everything that a schema requires of one value: its own keywords, and those of the schemas that it refers to.
#[derive(Debug, Clone, Default)]
pub(super) struct Node<'s> {
    parts: Vec<&'s Map<String, Value>>,
    /// If true, the value matches one of several schemas.
    is_union: bool,
}

/// Type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueType {
    Object,
    List,
    Text,
    Integer,
    Number,
    Boolean,
    /// Several types, or an unknown one.
    Mixed,
}

impl<'s> Document<'s> {
    pub(super) fn new(root: &'s Value) -> Self {
        Self { root }
    }

    /// Returns the schema that `reference` names, which must be in this document.
    pub(super) fn target(self, reference: &str) -> Option<&'s Value> {
        self.root.pointer(reference.strip_prefix('#')?)
    }

    /// Returns the node of a value to which all of `schemas` apply.
    pub(super) fn node(self, schemas: impl IntoIterator<Item = &'s Value>) -> Node<'s> {
        let mut node = Node::default();
        for schema in schemas {
            self.add(schema, &mut node);
        }
        node
    }

    pub(super) fn root_node(self) -> Node<'s> {
        self.node([self.root])
    }

    fn add(self, schema: &'s Value, node: &mut Node<'s>) {
        let Some(object) = schema.as_object() else { return };
        if node.parts.len() >= MAX_PARTS || node.parts.iter().any(|part| std::ptr::eq(*part, object)) {
            return;
        }
        node.parts.push(object);
        let reference = object.get("$ref").and_then(Value::as_str);
        let all = object.get("allOf").and_then(Value::as_array).into_iter().flatten();
        for schema in reference.and_then(|reference| self.target(reference)).into_iter().chain(all) {
            self.add(schema, node);
        }
        for branches in ["anyOf", "oneOf"].iter().filter_map(|keyword| object.get(*keyword)?.as_array()) {
            // `null` beside one schema only makes the value optional.
            let mut branches = branches.iter().filter(|branch| !is_null(branch));
            match (branches.next(), branches.next()) {
                (Some(only), None) => self.add(only, node),
                _ => node.is_union = true,
            }
        }
    }
}

/// Returns true for the schema of `null`.
fn is_null(schema: &Value) -> bool {
    schema["type"] == "null"
        || schema.get("const").is_some_and(Value::is_null)
        || schema["enum"].as_array().is_some_and(|values| !values.is_empty() && values.iter().all(Value::is_null))
}

impl<'s> Node<'s> {
    /// Returns the values of a keyword, of all schemas that apply.
    pub(super) fn all(&self, keyword: &'s str) -> impl Iterator<Item = &'s Value> {
        self.parts.iter().filter_map(move |part| part.get(keyword))
    }

    /// Returns the schemas themselves.
    pub(super) fn parts(&self) -> &[&'s Map<String, Value>] {
        &self.parts
    }

    /// Returns the schemas that describe the property `name`. A value within that property to which one of them applies as
    /// well is one within itself; the other schemas may apply to both without that.
    pub(super) fn parts_with(&self, name: &'s str) -> impl Iterator<Item = &'s Map<String, Value>> {
        let describes =
            move |part: &&&'s Map<String, Value>| part.get("properties").is_some_and(|all| all.get(name).is_some());
        self.parts.iter().filter(describes).copied()
    }

    /// Returns the names of the properties with their schemas: those that are required first, in the order in which they
    /// are listed, then the others by name.
    pub(super) fn properties(&self) -> Vec<(&'s str, Vec<&'s Value>)> {
        let of_part = |part: &Value| part.as_object().is_some_and(|properties| !properties.is_empty());
        let maps: Vec<&'s Map<String, Value>> =
            self.all("properties").filter(|part| of_part(part)).filter_map(Value::as_object).collect();
        let required = self.all("required").filter_map(Value::as_array).flatten().filter_map(Value::as_str);
        let mut others: Vec<&str> = maps.iter().flat_map(|map| map.keys()).map(String::as_str).collect();
        others.sort_unstable();
        let mut known = HashSet::new();
        let is_property = |name: &&'s str| known.insert(*name) && maps.iter().any(|map| map.contains_key(*name));
        let names: Vec<&str> = required.chain(others).filter(is_property).collect();
        let schemas = |name: &'s str| maps.iter().filter_map(|map| map.get(name)).collect::<Vec<_>>();
        names.into_iter().map(|name| (name, schemas(name))).collect()
    }

    /// Returns the node of the elements of a list.
    pub(super) fn elements(&self, document: Document<'s>) -> Node<'s> {
        // A list of schemas, as in old drafts, is one per position, and those of `prefixItems` are too.
        if self.all("prefixItems").next().is_some() {
            return Node::default();
        }
        document.node(self.all("items"))
    }

    pub(super) fn value_type(&self) -> ValueType {
        let declared = self.all("type").next().map(type_names);
        let of_values = || {
            let listed = self.all("enum").filter_map(Value::as_array).flatten().chain(self.all("const"));
            let mut names: Vec<&str> = listed.map(type_name).collect();
            names.dedup();
            names
        };
        let mut names = declared.unwrap_or_else(of_values);
        names.retain(|name| *name != "null");
        names.sort_unstable();
        names.dedup();
        match names.as_slice() {
            ["object"] => ValueType::Object,
            ["array"] => ValueType::List,
            ["string"] => ValueType::Text,
            ["integer"] => ValueType::Integer,
            ["number"] | ["integer", "number"] => ValueType::Number,
            ["boolean"] => ValueType::Boolean,
            [] if self.is_union => ValueType::Mixed,
            [] if self.all("properties").next().is_some() => ValueType::Object,
            [] if self.all("items").next().is_some() => ValueType::List,
            _ => ValueType::Mixed,
        }
    }

    /// Returns the type of the column of such values.
    pub(super) fn column_type(&self, document: Document<'s>) -> ColumnType {
        match self.value_type() {
            ValueType::Integer => ColumnType::Integer,
            ValueType::Number => ColumnType::Float,
            ValueType::Boolean => ColumnType::Boolean,
            ValueType::List if self.elements(document).value_type() == ValueType::Text => ColumnType::List,
            ValueType::Text | ValueType::List | ValueType::Object | ValueType::Mixed => ColumnType::Text,
        }
    }
}

fn type_names(types: &Value) -> Vec<&str> {
    match types {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::text(json!({"type": "string"}), ColumnType::Text)]
    #[case::optional_text(json!({"type": ["string", "null"]}), ColumnType::Text)]
    #[case::integer(json!({"type": "integer", "minimum": 1}), ColumnType::Integer)]
    #[case::number(json!({"type": "number"}), ColumnType::Float)]
    #[case::both_numbers(json!({"type": ["integer", "number", "null"]}), ColumnType::Float)]
    #[case::flag(json!({"type": "boolean"}), ColumnType::Boolean)]
    #[case::allowed_texts(json!({"enum": ["a", "b", null]}), ColumnType::Text)]
    #[case::allowed_integers(json!({"enum": [1, 2]}), ColumnType::Integer)]
    #[case::allowed_numbers(json!({"enum": [1, 0.5]}), ColumnType::Float)]
    #[case::allowed_anything(json!({"enum": ["a", 1]}), ColumnType::Text)]
    #[case::constant(json!({"const": true}), ColumnType::Boolean)]
    #[case::texts(json!({"type": "array", "items": {"type": "string"}}), ColumnType::List)]
    #[case::allowed_elements(json!({"items": {"$ref": "#/$defs/word"}}), ColumnType::List)]
    #[case::numbers(json!({"type": "array", "items": {"type": "number"}}), ColumnType::Text)]
    #[case::texts_after_a_number(json!({"type": "array", "prefixItems": [{"type": "number"}], "items": {"type": "string"}}), ColumnType::Text)]
    #[case::anything_in_a_list(json!({"type": "array"}), ColumnType::Text)]
    #[case::any_object(json!({"type": "object"}), ColumnType::Text)]
    #[case::anything(json!({}), ColumnType::Text)]
    #[case::anything_at_all(json!(true), ColumnType::Text)]
    #[case::several_types(json!({"type": ["string", "integer"]}), ColumnType::Text)]
    #[case::union(json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), ColumnType::Text)]
    #[case::optional(json!({"anyOf": [{"type": "integer"}, {"type": "null"}], "default": null}), ColumnType::Integer)]
    #[case::referred(json!({"$ref": "#/$defs/count", "description": "d"}), ColumnType::Integer)]
    #[case::all_of(json!({"allOf": [{"$ref": "#/$defs/count"}, {"minimum": 3}]}), ColumnType::Integer)]
    #[case::typed_union(json!({"type": "string", "anyOf": [{"minLength": 1}, {"pattern": "^$"}]}), ColumnType::Text)]
    #[case::to_itself(json!({"$ref": "#/$defs/loop"}), ColumnType::Text)]
    fn the_schema_decides_the_type_of_a_column(#[case] schema: Value, #[case] expected: ColumnType) {
        let defs = json!({"count": {"type": "integer"}, "word": {"enum": ["a"]}, "loop": {"$ref": "#/$defs/loop"}});
        let root = json!({"$defs": defs, "properties": {"x": schema}});
        let document = Document::new(&root);
        assert_eq!(document.node([&root["properties"]["x"]]).column_type(document), expected);
    }

    #[test]
    fn schemas_that_multiply_by_references_are_cut_off() {
        let mut defs = Map::new();
        for level in 0..60 {
            let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
            defs.insert(format!("l{level}"), json!({"allOf": [{"allOf": [next]}, next]}));
        }
        let root = json!({"$defs": defs, "$ref": "#/$defs/l0"});
        assert_eq!(Document::new(&root).root_node().parts().len(), MAX_PARTS);
    }
}
