//! Fields selected from the JSON value in an answer: by `JSONPath`, or as the properties of a response model.

use super::candidate::{Candidate, only_value_in};
use super::extraction::Extraction;
use super::find::{NoValue, Values};
use super::kinds::ColumnType;
use super::long_numbers::{has_long_number, quoted_long_numbers};
use super::near_json::translated;
use super::path::Path;
use super::path_cost::PathCost;
use super::pattern::MAX_PATTERN_BYTES;
use super::response_model::{ModelColumn, ValueMatcher, check_work};
use super::{FieldValue, Unparsed};
use crate::printable;
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;
use std::borrow::Cow;

/// Maximum number of characters of a place in an answer or a schema, and of a rule, in messages. Names in answers come from
/// the model, and rules may quote parts of the schema.
const MAX_PLACE_CHARS: usize = 300;
const MAX_RULE_CHARS: usize = 500;

/// Maximum number of lists and objects around the fields that `output_schema` does not know of.
const MAX_WRAPPERS: usize = 3;
/// Opening brackets of full width, and the maximum number of them in an answer that are tried.
const FULL_WIDTH: [char; 2] = ['｛', '［'];
const MAX_FULL_WIDTH: usize = 4;

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
        /// If true, every path begins with the name of a member.
        begin_with_names: bool,
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
        let begin_with_names = paths.iter().all(Path::begins_with_name);
        Self { selection: Selection::Paths { paths, apart, begin_with_names }, checks }
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

    /// Returns the fields of the value in `text` that has them: of several, the last one that matches the schema and has most
    /// of the fields, since models repeat the form or a draft before they answer. If `is_ended`, the model ended the text itself.
    ///
    /// # Errors
    /// Returns the reason if there is no such value.
    pub(super) fn extract(&self, text: &str, is_ended: bool) -> Result<Extraction, Unparsed> {
        let mut values = Values::<Value>::new(text, is_ended);
        let is_long = has_long_number(text);
        let mut best: Option<Candidate> = None;
        // A value without any of the fields is often not the answer: for example the `[1]` of a footnote.
        let mut longest_without = None;
        while let Some((value, length)) = values.next_after(best.as_ref().is_some_and(|best| best.is_hinted)) {
            let is_hinted = values.is_hinted();
            let written = is_long.then(|| values.latest_text());
            let found = match self.candidate(value, written) {
                Ok(found) => found,
                // What comes after an answer does not take it away.
                Err(_) if best.is_some() => break,
                Err(error) => return Err(error),
            };
            let Some(found) = found else {
                longest_without = longest_without.max(Some(length));
                continue;
            };
            let found = Candidate { is_hinted, is_repaired: values.is_repaired(), ..found };
            if best.as_ref().is_none_or(|best| found.rank() >= best.rank()) {
                best = Some(found);
            }
            if !self.selection.names_members() {
                break;
            }
        }
        if let Some(best) = best {
            return best.extraction();
        }
        if let Some(found) = self.whole_or_full_width(text, is_ended)? {
            return found.extraction();
        }
        Err(match (values.failure(), longest_without) {
            ((_, length), Some(without)) if without >= length => self.selection.without_fields(),
            ((NoValue::Unended, _), _) => Unparsed::Unended,
            ((NoValue::Broken(at), _), _) => Unparsed::broken_at(text, at),
            ((NoValue::Nothing, _), _) => Unparsed::NoJson,
        })
    }

    /// Returns the fields of a text in which no bracket begins a value with any of them.
    fn whole_or_full_width(&self, text: &str, is_ended: bool) -> Result<Option<Candidate>, Unparsed> {
        // A number, text or literal is an answer too if a path is `$`, and a text may be JSON itself.
        if let Ok(value) = serde_json::from_str::<Value>(text.trim())
            && let Some(found) = self.candidate(value, Some(text.trim()))?
        {
            return Ok(Some(found));
        }
        let mut budget = text.len();
        for (at, _) in text.match_indices(FULL_WIDTH).take(MAX_FULL_WIDTH) {
            let translation = match translated(&text[at..], is_ended) {
                Ok(translation) => translation,
                Err(read) if read < budget => {
                    budget -= read;
                    continue;
                }
                Err(_) => break,
            };
            let Ok(value) = serde_json::from_str(&translation.json) else { continue };
            if let Some(found) = self.candidate(value, None)? {
                return Ok(Some(Candidate { is_repaired: true, ..found }));
            }
        }
        Ok(None)
    }

    /// Returns the fields of a value, or of the only value that it is wrapped around, if it has any. Long numbers are read from
    /// `written`, the text of the value.
    ///
    /// # Errors
    /// Returns an error if the value cannot be searched within bounds.
    fn candidate(&self, value: Value, written: Option<&str>) -> Result<Option<Candidate>, Unparsed> {
        let exact = written.map(quoted_long_numbers).filter(|json| matches!(json, Cow::Owned(_)));
        let exact: Option<Value> = exact.and_then(|json| serde_json::from_str(&json).ok());
        if let Some(exact) = exact
            && let Some(found) = self.candidate_of(exact)?
            && found.extraction.is_ok()
        {
            return Ok(Some(found));
        }
        // A schema may ask for a number, which is the nearest float then.
        self.candidate_of(value)
    }

    fn candidate_of(&self, value: Value) -> Result<Option<Candidate>, Unparsed> {
        let is_direct = self.has_fields(&value)?;
        let value = if is_direct { Some(value) } else { self.unwrapped(value)? };
        let Some(value) = value else { return Ok(None) };
        let fields = self.selection.members_in(&value);
        let extraction = self.read(value);
        Ok(Some(Candidate { extraction, is_direct, fields, is_hinted: false, is_repaired: false }))
    }

    /// Returns the object with the fields within lists and objects of one element, or in a JSON text.
    fn unwrapped(&self, mut value: Value) -> Result<Option<Value>, Unparsed> {
        if !self.selection.names_members() {
            return Ok(None);
        }
        for _ in 0..MAX_WRAPPERS {
            let Some(inner) = only_value_in(value) else { return Ok(None) };
            if self.has_fields(&inner)? {
                return Ok(Some(inner));
            }
            value = inner;
        }
        Ok(None)
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
        Ok(Extraction { values: self.selection.fields(value)?, changed, repaired: false })
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

    /// Returns true if every field is a member of an object, by its name: only then a value with fields is hardly anything else.
    fn names_members(&self) -> bool {
        match self {
            Self::Paths { begin_with_names, .. } => *begin_with_names,
            Self::Properties(_) => true,
            Self::Nothing => false,
        }
    }

    /// Returns the number of fields that are members of an object, and exist in `value`.
    fn members_in(&self, value: &Value) -> usize {
        match self {
            Self::Paths { paths, .. } => {
                paths.iter().filter(|path| matches!(path, Path::Members(_)) && path.exists(value)).count()
            }
            Self::Properties(properties) => properties.iter().filter(|(path, _)| path.begins_in(value)).count(),
            Self::Nothing => 0,
        }
    }

    /// Returns the fields of `value`, `None` for those that are missing or `null`.
    fn fields(&self, mut value: Value) -> Result<Vec<Option<FieldValue>>, Unparsed> {
        match self {
            Self::Paths { paths, apart: true, .. } => {
                Ok(paths.iter().map(|path| path.take(&mut value).ok().flatten()).collect())
            }
            Self::Paths { paths, apart: false, .. } => {
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
            let found = fields.extract(r#"{"a": "x", "b": {"c": "y"}}"#, true).unwrap();
            let texts: Vec<String> = found.values.into_iter().map(|field| field.unwrap().into_text()).collect();
            assert_eq!(texts, expected);
        }
    }
}
