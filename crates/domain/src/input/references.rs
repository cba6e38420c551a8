//! The field `reference`: names of references with their addresses.

use super::Fields;
use crate::problem::Problem;
use crate::reference::{MAX_REFERENCES, address_rule, name_rule};
use serde_json::Value;
use std::collections::BTreeMap;

/// Reads the field `reference`: addresses by name.
pub(super) fn read_references(fields: &mut Fields<'_>) -> BTreeMap<String, String> {
    let mut references = BTreeMap::new();
    let Some(object) = fields.object("reference") else { return references };
    if object.len() > MAX_REFERENCES {
        let rule = format!("must have at most {MAX_REFERENCES} references, but has {}", object.len());
        fields.note(Problem::without_value(fields.name("reference"), rule).remedy("put them together in one file"));
    }
    for (name, value) in object {
        let path = format!("{}.{name}", fields.name("reference"));
        if let Some(rule) = name_rule(name) {
            fields.note(Problem::without_value(&path, rule).remedy("choose another name"));
        }
        let address = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let rule = match value {
            Value::String(text) => address_rule(text),
            _ => Some("must be the address of an object: `s3://bucket/path.csv`"),
        };
        if let Some(rule) = rule {
            fields.note(Problem::new(path, &address, rule));
        }
        // One with a mistake exists, so that nothing else is reported because of it.
        references.insert(name.clone(), address);
    }
    references
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn read(references: &Value) -> (BTreeMap<String, String>, Vec<String>) {
        let input = json!({ "reference": references });
        let mut fields = Fields::new("stages[1]", input.as_object().unwrap());
        let references = read_references(&mut fields);
        (references, fields.finish().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn references_are_read_by_name() {
        let (references, problems) = read(&json!({"codes": "s3://bucket/a.csv", "Rules_1": "s3://bucket/b/c.TXT"}));
        assert_eq!(problems, Vec::<String>::new());
        let expected = [("Rules_1", "s3://bucket/b/c.TXT"), ("codes", "s3://bucket/a.csv")];
        assert_eq!(references, expected.map(|(name, uri)| (name.to_owned(), uri.to_owned())).into());
        assert_eq!(read(&json!(null)), (BTreeMap::new(), vec![]));
    }

    #[rstest]
    #[case(json!("s3://bucket/a.csv"), "stages[1].reference is `\"s3://bucket/a.csv\"`: must be an object")]
    #[case(json!({"a": 7}), "stages[1].reference.a is `7`: must be the address of an object")]
    #[case(json!({"a": "a.csv"}), "stages[1].reference.a is `a.csv`: must look like `s3://bucket/path`")]
    #[case(json!({"a": "s3://bucket/a.xlsx"}), "stages[1].reference.a is `s3://bucket/a.xlsx`: must be a `.csv`, `.json` or `.txt` object")]
    #[case(json!({"a": "s3://bucket/folder/"}), "must be a `.csv`, `.json` or `.txt` object")]
    #[case(json!({"a.b": "s3://bucket/a.csv"}), "stages[1].reference.a.b: is the name of a reference: it must have 1 to 50 characters")]
    fn mistakes_are_reported_with_their_path(#[case] references: Value, #[case] expected: &str) {
        let (_, problems) = read(&references);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(expected), "{problems:?}");
    }

    #[test]
    fn the_number_of_references_is_limited() {
        let many: serde_json::Map<String, Value> =
            (0..11).map(|at| (format!("r{at}"), json!("s3://bucket/a.csv"))).collect();
        let (_, problems) = read(&Value::Object(many));
        assert_eq!(
            problems,
            ["stages[1].reference: must have at most 10 references, but has 11; put them together in one file"]
        );
    }
}
