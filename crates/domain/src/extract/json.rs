//! Fields selected by `JSONPath` from the JSON value in an answer.

use super::find::{NoValue, Values};
use super::path::Path;
use super::pattern::MAX_PATTERN_BYTES;
use super::{FieldValue, Unparsed};
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// Extractor of fields from answers that contain JSON.
#[derive(Debug)]
pub(super) struct JsonFields {
    paths: Vec<Path>,
    response_schema: Option<Validator>,
    /// If true, a field's value may be moved out of the JSON, since nothing else reads it: that avoids a copy.
    taken: bool,
}

/// Compiles a JSON Schema.
///
/// # Errors
/// Returns the rule that the schema breaks.
pub(super) fn compiled(schema: &Value) -> Result<Validator, String> {
    // Patterns must match in linear time, since answers are untrusted. References to other documents are refused, since
    // nothing here can read them.
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN_BYTES));
    options.build(schema).map_err(|error| match error.instance_path().as_str() {
        "" => format!("is not a valid JSON Schema: {error}"),
        path => format!("is not a valid JSON Schema at {path}: {error}"),
    })
}

impl JsonFields {
    /// Creates an extractor of the fields at these paths, from values that match `response_schema`.
    pub(super) fn new(paths: Vec<Path>, response_schema: Option<Validator>) -> Self {
        let shared = |at: usize, path: &Path| paths[..at].iter().any(|earlier| earlier.may_meet(path));
        let taken = response_schema.is_none() && !paths.iter().enumerate().any(|(at, path)| shared(at, path));
        Self { paths, response_schema, taken }
    }

    /// Returns the fields of the first value in `text` that has any of them.
    ///
    /// # Errors
    /// Returns the reason if there is no such value.
    pub(super) fn extract(&self, text: &str) -> Result<Vec<Option<FieldValue>>, Unparsed> {
        let mut values = Values::new(text);
        // A value without any of the fields is often not the answer: for example the `[1]` of a footnote.
        let mut longest_without = None;
        for (mut value, length) in values.by_ref() {
            if let Some(fields) = self.fields(&mut value) {
                return self.guarded(&value, fields);
            }
            longest_without = longest_without.max(Some(length));
        }
        // A number, text or literal is an answer too if a path is `$`.
        if let Ok(mut value) = serde_json::from_str::<Value>(text.trim())
            && let Some(fields) = self.fields(&mut value)
        {
            return self.guarded(&value, fields);
        }
        Err(match (values.failure(), longest_without) {
            ((_, length), Some(without)) if without >= length => Unparsed::NoFields,
            ((NoValue::Unended, _), _) => Unparsed::Unended,
            ((NoValue::Broken(at), _), _) => Unparsed::broken_at(text, at),
            ((NoValue::Nothing, _), _) => Unparsed::NoJson,
        })
    }

    /// Returns the fields of `value`, unless it has none of them. A `null` exists, but has no value.
    fn fields(&self, value: &mut Value) -> Option<Vec<Option<FieldValue>>> {
        let mut any = false;
        let fields = self.paths.iter().map(|path| {
            let field = if self.taken { path.take(value) } else { path.field(value) };
            any |= field.is_ok();
            field.ok().flatten()
        });
        let fields = fields.collect();
        any.then_some(fields)
    }

    fn guarded(&self, value: &Value, fields: Vec<Option<FieldValue>>) -> Result<Vec<Option<FieldValue>>, Unparsed> {
        let Some(schema) = &self.response_schema else { return Ok(fields) };
        schema.validate(value).map_err(|error| Unparsed::Mismatch {
            path: Some(error.instance_path().as_str()).filter(|path| !path.is_empty()).unwrap_or("the top").to_owned(),
            rule: error.masked().to_string(),
        })?;
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&["$.a", "$.b"], true, &["x", r#"{"c":"y"}"#])]
    #[case(&["$.a", "$.a"], false, &["x", "x"])]
    #[case(&["$.b", "$.b.c"], false, &[r#"{"c":"y"}"#, "y"])]
    #[case(&["$.b.c", "$.b"], false, &["y", r#"{"c":"y"}"#])]
    #[case(&["$.a", "$['a']"], false, &["x", "x"])]
    #[case(&["$..c", "$.b.c"], false, &["y", "y"])]
    fn values_are_moved_only_if_no_other_field_needs_them(
        #[case] paths: &[&str],
        #[case] taken: bool,
        #[case] expected: &[&str],
    ) {
        let fields = JsonFields::new(paths.iter().map(|path| Path::parse(path).unwrap()).collect(), None);
        assert_eq!(fields.taken, taken);
        let found = fields.extract(r#"{"a": "x", "b": {"c": "y"}}"#).unwrap();
        let texts: Vec<String> = found.into_iter().map(|field| field.unwrap().into_text()).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn values_checked_by_a_schema_are_not_moved() {
        let schema = serde_json::json!({"required": ["a"], "properties": {"a": {"type": "string"}}});
        let fields = JsonFields::new(vec![Path::parse("$.a").unwrap()], Some(compiled(&schema).unwrap()));
        assert!(!fields.taken);
        assert_eq!(fields.extract(r#"{"a": "x"}"#), Ok(vec![Some(FieldValue::Text("x".to_owned()))]));
    }
}
