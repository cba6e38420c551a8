//! Columns of a response model: the properties of its schema, those of nested objects flattened with `_`.

use super::node::{Document, Node, ValueType};
use crate::extract::kinds::ColumnType;
use crate::problem::Problem;
use serde_json::{Map, Value};

/// Maximum number of columns of a response model.
const MAX_COLUMNS: usize = 500;
/// Maximum number of objects around a column. References can nest them deeper than any JSON.
const MAX_DEPTH: usize = 32;

/// Column of a response model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelColumn {
    /// Names of the properties on the way to the value, joined with `_`.
    pub(crate) name: String,
    /// Names of the properties on the way to the value.
    pub(crate) path: Vec<String>,
    pub(crate) column_type: ColumnType,
}

/// Returns the columns of the schema `root`: the required properties of each object first, in the order in which they are
/// listed, then its other properties by name.
///
/// # Errors
/// Returns a problem if the schema does not describe an object with properties, or too many of them.
pub(crate) fn columns_of(root: &Value) -> Result<Vec<ModelColumn>, Problem> {
    let document = Document::new(root);
    let node = document.root_node();
    if node.value_type() != ValueType::Object || node.properties().is_empty() {
        let rule = "describes no object with `properties`, so that it gives no columns";
        let remedy = "write type = \"object\" and `properties`, or add an `[output_schema]` of type \"json\"";
        return Err(Problem::without_value("response_schema", rule).remedy(remedy));
    }
    let mut flattening = Flattening { document, open: Vec::new(), columns: Vec::new() };
    flattening.add(&node, &mut Vec::new());
    if flattening.columns.len() > MAX_COLUMNS {
        let rule = format!("gives more than {MAX_COLUMNS} columns");
        let remedy = "describe parts of the answer as objects without `properties`, which become JSON text";
        return Err(Problem::without_value("response_schema", rule).remedy(remedy));
    }
    Ok(flattening.columns)
}

struct Flattening<'s> {
    document: Document<'s>,
    /// Schemas of the objects that are being flattened. One that occurs within itself becomes JSON text.
    open: Vec<&'s Map<String, Value>>,
    columns: Vec<ModelColumn>,
}

impl<'s> Flattening<'s> {
    fn add(&mut self, node: &Node<'s>, path: &mut Vec<String>) {
        let opened = self.open.len();
        for (name, schemas) in node.properties() {
            if self.columns.len() > MAX_COLUMNS {
                break;
            }
            self.open.extend(node.parts_with(name));
            path.push(name.to_owned());
            let value = self.document.node(schemas);
            if path.len() < MAX_DEPTH && self.is_flattened(&value) {
                self.add(&value, path);
            } else {
                let column_type = value.column_type(self.document);
                self.columns.push(ModelColumn { name: path.join("_"), path: path.clone(), column_type });
            }
            path.pop();
            self.open.truncate(opened);
        }
    }

    fn is_flattened(&self, node: &Node<'s>) -> bool {
        let is_open = |part: &&Map<String, Value>| self.open.iter().any(|open| std::ptr::eq(*open, *part));
        node.value_type() == ValueType::Object && !node.properties().is_empty() && !node.parts().iter().any(is_open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn columns(root: &Value) -> String {
        let columns = columns_of(root).unwrap();
        columns.iter().map(|column| format!("{}:{:?}", column.name, column.column_type)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn nested_objects_are_flattened_and_required_fields_come_first() {
        let root = json!({"type": "object", "required": ["topic", "place"], "properties": {
            "tags": {"type": "array", "items": {"type": "string"}},
            "place": {"type": "object", "required": ["zip"], "properties": {
                "city": {"type": ["string", "null"]}, "zip": {"type": "string"}, "at": {"$ref": "#/$defs/point"}}},
            "topic": {"enum": ["a", "b"]}, "extra": {"type": "object"},
            "maybe": {"anyOf": [{"$ref": "#/$defs/point"}, {"type": "null"}]}},
            "$defs": {"point": {"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "number"}}}}});
        assert_eq!(
            columns(&root),
            "topic:Text place_zip:Text place_at_x:Float place_at_y:Float place_city:Text extra:Text maybe_x:Float \
             maybe_y:Float tags:List"
        );
    }

    #[test]
    fn an_object_within_itself_is_json_text() {
        let root = json!({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}}});
        assert_eq!(columns(&root), "name:Text next:Text");
    }

    #[test]
    fn an_object_that_shares_a_part_with_the_one_around_it_is_flattened() {
        let root = json!({"allOf": [{"$ref": "#/$defs/noted"}], "type": "object", "properties": {
            "inner": {"allOf": [{"$ref": "#/$defs/noted"}], "properties": {"x": {"type": "integer"}}}},
            "$defs": {"noted": {"type": "object", "properties": {"note": {"type": "string"}}}}});
        assert_eq!(columns(&root), "inner_note:Text inner_x:Integer note:Text");
    }

    #[test]
    fn properties_of_all_parts_are_columns() {
        let root = json!({"allOf": [{"$ref": "#/$defs/base"}, {"properties": {"b": {"minimum": 1}}}],
            "$defs": {"base": {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "integer"}}}}});
        assert_eq!(columns(&root), "a:Boolean b:Integer");
    }

    #[test]
    fn a_schema_that_gives_no_or_too_many_columns_is_refused() {
        for none in [json!({}), json!({"type": "object"}), json!({"type": "array", "items": {"properties": {"a": {}}}})]
        {
            assert!(columns_of(&none).unwrap_err().rule.contains("gives no columns"), "{none}");
        }
        let mut defs = Map::new();
        for level in 0..30 {
            let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
            defs.insert(format!("l{level}"), json!({"properties": {"a": next, "b": next}}));
        }
        let many = json!({"$defs": defs, "$ref": "#/$defs/l0"});
        assert!(columns_of(&many).unwrap_err().rule.contains("more than 500 columns"));
    }
}
