//! Fields selected from the JSON value in an answer: by `JSONPath`, or as the properties of a response model.

use super::extraction::Extraction;
use super::find::{NoValue, Values};
use super::kinds::ColumnType;
use super::path::Path;
use super::path_cost::PathCost;
use super::pattern::MAX_PATTERN_BYTES;
use super::response_model::{ModelColumn, ValueMatcher, check_work};
use super::{FieldValue, Unparsed};
use crate::printable;
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// Maximum number of characters of a place in an answer or a schema, and of a rule, in messages. Names in answers come from
/// the model, and rules may quote parts of the schema.
const MAX_PLACE_CHARS: usize = 300;
const MAX_RULE_CHARS: usize = 500;

/// Extractor of fields from answers that contain JSON.
#[derive(Debug)]
pub(super) struct JsonFields {
    selection: Selection,
    checks: Option<Checks>,
}

/// Rules for a value, in addition to those for its fields.
#[derive(Debug)]
pub(super) struct Checks {
    pub(super) response_schema: Validator,
    /// Replaces texts that stand for allowed values, before the schema is applied.
    pub(super) matcher: Option<ValueMatcher>,
}

/// Way to find the fields in a value.
#[derive(Debug)]
enum Selection {
    Paths {
        paths: Vec<Path>,
        /// If true, no path meets another one, so that values may be moved out of the JSON: that avoids copies.
        apart: bool,
    },
    /// Properties of a response model, with the types of their columns.
    Properties(Vec<(Path, ColumnType)>),
    /// No fields: the answer only has to contain a value.
    Nothing,
}

/// Compiles a JSON Schema. If `asserts_formats` is true, `format` is a rule in all drafts.
///
/// # Errors
/// Returns the rule that the schema breaks.
pub(super) fn compiled(schema: &Value, asserts_formats: bool) -> Result<Validator, String> {
    check_work(schema)?;
    // Patterns must match in linear time, since answers are untrusted. References to other documents are refused, since
    // nothing here can read them.
    let mut options = jsonschema::options().with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN_BYTES));
    if asserts_formats {
        options = options.should_validate_formats(true);
    }
    options.build(schema).map_err(|error| {
        let rule = printable::shortened(&error.to_string(), MAX_RULE_CHARS);
        match error.instance_path().as_str() {
            "" => format!("is not a valid JSON Schema: {rule}"),
            path => format!("is not a valid JSON Schema at {}: {rule}", printable::shortened(path, MAX_PLACE_CHARS)),
        }
    })
}

impl JsonFields {
    /// Creates an extractor of the fields at these paths.
    pub(super) fn new(paths: Vec<Path>, checks: Option<Checks>) -> Self {
        let shared = |at: usize, path: &Path| paths[..at].iter().any(|earlier| earlier.may_meet(path));
        let apart = !paths.iter().enumerate().any(|(at, path)| shared(at, path));
        Self { selection: Selection::Paths { paths, apart }, checks }
    }

    /// Creates an extractor of the properties of a response model.
    pub(super) fn of_model(columns: Vec<ModelColumn>, checks: Checks) -> Self {
        let properties = columns.into_iter().map(|column| (Path::Members(column.path), column.column_type));
        Self { selection: Selection::Properties(properties.collect()), checks: Some(checks) }
    }

    /// Creates a reader of answers that have to contain JSON, of which no fields are extracted.
    pub(super) fn of_any_json() -> Self {
        Self { selection: Selection::Nothing, checks: None }
    }

    /// Returns the paths of the fields, if these are selected by paths.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        let paths = match &self.selection {
            Selection::Paths { paths, .. } => paths.as_slice(),
            Selection::Properties(_) | Selection::Nothing => &[],
        };
        paths.iter()
    }

    /// Returns the fields of the first value in `text` that has any of them.
    ///
    /// # Errors
    /// Returns the reason if there is no such value.
    pub(super) fn extract(&self, text: &str) -> Result<Extraction, Unparsed> {
        let mut values = Values::<Value>::new(text);
        // A value without any of the fields is often not the answer: for example the `[1]` of a footnote.
        let mut longest_without = None;
        for (value, length) in values.by_ref() {
            if self.has_fields(&value)? {
                return self.read(value);
            }
            longest_without = longest_without.max(Some(length));
        }
        // A number, text or literal is an answer too if a path is `$`.
        if let Ok(value) = serde_json::from_str::<Value>(text.trim())
            && self.has_fields(&value)?
        {
            return self.read(value);
        }
        Err(match (values.failure(), longest_without) {
            ((_, length), Some(without)) if without >= length => self.selection.without_fields(),
            ((NoValue::Unended, _), _) => Unparsed::Unended,
            ((NoValue::Broken(at), _), _) => Unparsed::broken_at(text, at),
            ((NoValue::Nothing, _), _) => Unparsed::NoJson,
        })
    }

    /// Returns true if the value has any of the fields.
    ///
    /// # Errors
    /// Returns an error if it cannot be searched within bounds.
    fn has_fields(&self, value: &Value) -> Result<bool, Unparsed> {
        if self.selection.is_too_complex(value) { Err(Unparsed::TooComplex) } else { Ok(self.selection.is_in(value)) }
    }

    /// Reads the fields of a value that has some of them.
    fn read(&self, mut value: Value) -> Result<Extraction, Unparsed> {
        let mut changed = Vec::new();
        if let Some(checks) = &self.checks {
            if let Some(matcher) = &checks.matcher {
                matcher.apply(&mut value, &mut changed);
            }
            checks.response_schema.validate(&value).map_err(|error| {
                let path = error.instance_path().as_str();
                mismatch(path, &error.masked().to_string())
            })?;
        }
        Ok(Extraction { values: self.selection.fields(value)?, changed })
    }
}

fn mismatch(path: &str, rule: &str) -> Unparsed {
    let path = if path.is_empty() { "the top" } else { path };
    let path = printable::shortened(path, MAX_PLACE_CHARS);
    Unparsed::Mismatch { path, rule: printable::shortened(rule, MAX_RULE_CHARS) }
}

impl Selection {
    /// Returns true if the paths could take long to evaluate.
    fn is_too_complex(&self, value: &Value) -> bool {
        let Self::Paths { paths, .. } = self else { return false };
        let mut costs = paths.iter().filter_map(Path::cost).peekable();
        costs.peek().is_some() && PathCost::is_too_high(costs, value)
    }

    /// Returns true if `value` has any of the fields. A `null` exists, but has no value.
    fn is_in(&self, value: &Value) -> bool {
        match self {
            Self::Paths { paths, .. } => paths.iter().any(|path| path.exists(value)),
            // An optional object may be `null` or empty, so that the value has a property and none of its columns.
            Self::Properties(properties) => properties.iter().any(|(path, _)| path.begins_in(value)),
            Self::Nothing => true,
        }
    }

    /// Returns the fields of `value`, `None` for those that are missing or `null`.
    fn fields(&self, mut value: Value) -> Result<Vec<Option<FieldValue>>, Unparsed> {
        match self {
            Self::Paths { paths, apart: true } => {
                Ok(paths.iter().map(|path| path.take(&mut value).ok().flatten()).collect())
            }
            Self::Paths { paths, apart: false } => {
                Ok(paths.iter().map(|path| path.field(&value).ok().flatten()).collect())
            }
            Self::Properties(properties) => {
                let mut read = |(path, column): &(Path, ColumnType)| {
                    // A schema with `properties` and without a `type` accepts other values than objects.
                    let found = path.take_value(&mut value).map_err(|place| mismatch(&place, "is not an object"))?;
                    let Some(found) = found else { return Ok(None) };
                    column.read(found).map_err(|rule| mismatch(&path.pointer(), rule))
                };
                properties.iter().map(&mut read).collect()
            }
            Self::Nothing => Ok(Vec::new()),
        }
    }

    /// Returns the reason of an answer with JSON that has none of the fields.
    fn without_fields(&self) -> Unparsed {
        match self {
            Self::Paths { .. } | Self::Nothing => Unparsed::NoFields,
            Self::Properties(_) => Unparsed::NoProperties,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(&["$.a", "$.b"], true, &["x", r#"{"c":"y"}"#])]
    #[case(&["$.a", "$.a"], false, &["x", "x"])]
    #[case(&["$.b", "$.b.c"], false, &[r#"{"c":"y"}"#, "y"])]
    #[case(&["$.b.c", "$.b"], false, &["y", r#"{"c":"y"}"#])]
    #[case(&["$.a", "$['a']"], false, &["x", "x"])]
    #[case(&["$..c", "$.b.c"], false, &["y", "y"])]
    fn values_are_moved_only_if_no_other_field_needs_them(
        #[case] paths: &[&str],
        #[case] expected_apart: bool,
        #[case] expected: &[&str],
    ) {
        let schema = json!({"properties": {"b": {"required": ["c"]}}});
        let checks = || Checks { response_schema: compiled(&schema, false).unwrap(), matcher: None };
        for checks in [None, Some(checks())] {
            let fields = JsonFields::new(paths.iter().map(|path| Path::parse(path).unwrap()).collect(), checks);
            assert!(matches!(&fields.selection, Selection::Paths { apart, .. } if *apart == expected_apart));
            let found = fields.extract(r#"{"a": "x", "b": {"c": "y"}}"#).unwrap();
            let texts: Vec<String> = found.values.into_iter().map(|field| field.unwrap().into_text()).collect();
            assert_eq!(texts, expected);
        }
    }
}
