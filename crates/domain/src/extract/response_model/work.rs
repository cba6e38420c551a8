//! Number of schemas that a value is checked against, which few lines can make endless.

use super::node::Document;
use serde_json::{Map, Value};

/// Maximum number of schemas that one value, with all values in it, is checked against; those of a list or of an object whose
/// members have no names count once, and so does a schema that describes values within itself.
const MAX_SCHEMAS: usize = 20_000;
/// Maximum number of schemas within each other, references included.
const MAX_DEPTH: usize = 1000;

/// Keywords whose schemas apply to the same value.
const SAME_VALUE: [&str; 8] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"];
/// Keywords whose schemas apply to all values within the value, or to any of them.
const ANY_MEMBER: [&str; 10] = [
    "additionalItems",
    "additionalProperties",
    "contains",
    "dependencies",
    "items",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Checks that the number of schemas that a value is checked against is bounded.
///
/// # Errors
/// Returns the rule that the schema breaks.
pub(crate) fn check_work(root: &Value) -> Result<(), String> {
    let mut walk =
        Walk { document: Document::new(root), schemas: 0, open: Vec::new(), within: Vec::new(), again: Vec::new() };
    walk.schema(root)
}

/// Schema that describes values within itself.
struct Again<'s> {
    schema: *const Map<String, Value>,
    /// Members that lead from the outer value to the inner one; `None` for any member.
    path: Vec<Option<&'s str>>,
}

struct Walk<'s> {
    document: Document<'s>,
    schemas: usize,
    /// Schemas around the current one, each with the number of members that lead to its value.
    open: Vec<(*const Map<String, Value>, usize)>,
    /// Members that lead to the current value.
    within: Vec<Option<&'s str>>,
    again: Vec<Again<'s>>,
}

impl<'s> Walk<'s> {
    fn schema(&mut self, schema: &'s Value) -> Result<(), String> {
        let Some(object) = schema.as_object() else { return Ok(()) };
        let this = std::ptr::from_ref(object);
        if let Some((_, depth)) = self.open.iter().rev().find(|(open, _)| *open == this) {
            let path = self.within[*depth..].to_vec();
            return self.again(Again { schema: this, path });
        }
        self.schemas += 1;
        if self.schemas > MAX_SCHEMAS {
            return Err(format!(
                "checks a value against more than {MAX_SCHEMAS} schemas, references counted each time"
            ));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("has more than {MAX_DEPTH} schemas within each other, references included"));
        }
        self.open.push((this, self.within.len()));
        for (keyword, value) in object {
            match keyword.as_str() {
                "$ref" => {
                    let target = value.as_str().and_then(|reference| self.document.target(reference));
                    target.map_or(Ok(()), |target| self.schema(target))?;
                }
                "properties" => {
                    for (name, inner) in value.as_object().into_iter().flatten() {
                        self.member(Some(name), inner)?;
                    }
                }
                keyword if SAME_VALUE.contains(&keyword) => {
                    self.all(value, keyword == "dependentSchemas", Self::schema)?;
                }
                keyword if ANY_MEMBER.contains(&keyword) => {
                    let by_name = matches!(keyword, "patternProperties" | "dependencies");
                    self.all(value, by_name, |walk, inner| walk.member(None, inner))?;
                }
                _ => {}
            }
        }
        self.open.pop();
        Ok(())
    }

    /// Visits a schema, each of a list, or each of an object of schemas.
    fn all(
        &mut self,
        schemas: &'s Value,
        by_name: bool,
        visit: impl Fn(&mut Self, &'s Value) -> Result<(), String>,
    ) -> Result<(), String> {
        match schemas {
            Value::Array(list) => list.iter().try_for_each(|inner| visit(self, inner)),
            Value::Object(named) if by_name => named.values().try_for_each(|inner| visit(self, inner)),
            inner => visit(self, inner),
        }
    }

    fn member(&mut self, name: Option<&'s str>, schema: &'s Value) -> Result<(), String> {
        self.within.push(name);
        self.schema(schema)?;
        self.within.pop();
        Ok(())
    }

    /// Records a schema that describes values within itself. If it does so twice for one value, the work doubles with each level
    /// of an answer.
    fn again(&mut self, found: Again<'s>) -> Result<(), String> {
        if found.path.is_empty() {
            return Err("refers to itself for the same value, which never ends".to_owned());
        }
        if self.again.iter().any(|earlier| earlier.may_be_same(&found)) {
            return Err("describes a value within itself twice, so that the work doubles with each level".to_owned());
        }
        self.again.push(found);
        if self.again.len() > MAX_DEPTH {
            return Err(format!("describes values within themselves in more than {MAX_DEPTH} places"));
        }
        Ok(())
    }
}

impl Again<'_> {
    fn may_be_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.schema, other.schema)
            && self.path.len() == other.path.len()
            && self.path.iter().zip(&other.path).all(|(one, other)| one.is_none() || other.is_none() || one == other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::list(json!({"$defs": {"n": {"properties": {"name": {}, "parts": {"items": {"$ref": "#/$defs/n"}}}}}, "$ref": "#/$defs/n"}))]
    #[case::optional(json!({"properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}))]
    #[case::both_sides(json!({"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}))]
    #[case::other_depth(json!({"properties": {"a": {"$ref": "#"}, "b": {"properties": {"a": {"$ref": "#"}}}}}))]
    #[case::referred_to_often(json!({"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}, "b": {"allOf": [{"$ref": "#/$defs/n"}, {"$ref": "#/$defs/n"}]}}}))]
    fn ordinary_schemas_are_accepted(#[case] schema: Value) {
        assert_eq!(check_work(&schema), Ok(()));
    }

    #[rstest]
    #[case::itself(json!({"anyOf": [{"$ref": "#"}]}), "refers to itself for the same value")]
    #[case::through_another(json!({"$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"if": {"$ref": "#/$defs/a"}}}, "properties": {"x": {"$ref": "#/$defs/a"}}}), "refers to itself for the same value")]
    #[case::twice(json!({"oneOf": [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}}}]}), "describes a value within itself twice")]
    #[case::by_name_and_pattern(json!({"properties": {"a": {"$ref": "#"}}, "patternProperties": {"^a": {"$ref": "#"}}}), "describes a value within itself twice")]
    #[case::by_name_and_any(json!({"allOf": [{"properties": {"a": {"$ref": "#"}}}, {"additionalProperties": {"$ref": "#"}}]}), "describes a value within itself twice")]
    fn schemas_whose_work_is_endless_are_refused(#[case] schema: Value, #[case] expected: &str) {
        let rule = check_work(&schema).unwrap_err();
        assert!(rule.starts_with(expected), "{rule}");
    }

    #[rstest]
    #[case("allOf")]
    #[case("anyOf")]
    #[case("oneOf")]
    fn references_that_multiply_are_refused(#[case] keyword: &str) {
        let link = |level: usize| json!({"$ref": format!("#/$defs/l{level}")});
        let level = |level: usize| (format!("l{level}"), json!({keyword: [link(level + 1), link(level + 1)]}));
        let schema = |count: usize| {
            let levels: Map<String, Value> = (0..count).map(level).collect();
            json!({"$defs": levels, "properties": {"a": link(0)}})
        };
        assert_eq!(check_work(&schema(10)), Ok(()));
        assert!(check_work(&schema(60)).unwrap_err().contains("more than 20000 schemas"));
    }

    #[test]
    fn long_chains_of_references_are_refused() {
        let link = |level: usize| (format!("l{level}"), json!({"$ref": format!("#/$defs/l{}", level + 1)}));
        let chain = |count: usize| {
            let links: Map<String, Value> = (0..count).map(link).collect();
            json!({"$defs": links, "$ref": "#/$defs/l0"})
        };
        assert_eq!(check_work(&chain(900)), Ok(()));
        assert!(check_work(&chain(25_000)).unwrap_err().contains("more than 1000 schemas within each other"));
    }
}
