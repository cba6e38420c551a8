//! Extraction of fields from the text of an answer.
//!
//! A template's `output_schema` defines the fields: by `JSONPath` into the JSON value in the answer (`find` locates it,
//! `near_json` and `repair` read what is nearly JSON if it does not parse otherwise), or by regular expression. [`FieldKinds`] determines
//! one column type per field for a whole stage. Without an `output_schema`, the `response_schema` defines the fields and
//! their types (`response_model`).
//!
//! The answer to a request of several rows is a list, which `listed` takes apart by the ids of its elements. Each element is
//! the answer to its row, from which fields are extracted as from any other answer. `plain` does both in one pass for the usual
//! answers.
//!
//! An answer that cannot be parsed is never an error of the run: it is [`Unparsed`], with a reason.
//!
//! To search for panics for hours, raise the number of cases of the property tests in `tests/extraction_properties.rs`:
//! `PROPTEST_CASES=100000000 cargo test --release -p bedrock-batch-domain --test extraction_properties -- --include-ignored`

mod candidate;
mod extraction;
mod find;
mod json;
mod kinds;
mod listed;
mod long_numbers;
mod near_json;
mod path;
mod path_cost;
mod pattern;
mod plain;
mod reasoning;
mod repair;
mod response_model;
mod unparsed;
mod value;

pub use extraction::Extraction;
pub use kinds::{Cell, ColumnType, FieldKinds};
pub use listed::{ListedAnswers, NotListed, read_list};
pub use plain::{CellColumns, PlainAnswer, PlainCell, PlainFields, PlainLists};
pub(crate) use response_model::describes_member;
pub use unparsed::Unparsed;
pub use value::FieldValue;

use crate::columns::{ADDED, INTERNAL};
use crate::problem::{Problem, Problems, listed, shortened};
use crate::prompt::{OutputSchema, SchemaType};
use crate::stop_reason::is_token_limit;
use json::{Checks, JsonFields, compiled};
use path::Path;
use pattern::Pattern;
use reasoning::after_reasoning;
use response_model::{columns_of, keyword_problems, matcher_of};
use serde_json::Value;
use std::collections::BTreeSet;

/// Compiled `output_schema` or response model, which can be applied to any number of answers.
#[derive(Debug)]
pub struct Extractor {
    names: Vec<String>,
    /// Types that the columns of the fields have; empty if their values determine the types.
    types: Vec<ColumnType>,
    /// Names of the fields whose values may be changed.
    changeable: Vec<String>,
    fields: FieldReader,
    /// Reader of the usual answers, if the fields and their schema are simple enough.
    plain: Option<PlainFields>,
}

#[derive(Debug)]
enum FieldReader {
    Json(Box<JsonFields>),
    Patterns(Vec<Pattern>),
}

impl Extractor {
    /// Compiles an `output_schema` and the `response_schema` of the same template.
    ///
    /// # Errors
    /// Returns all problems of both, field by field.
    pub fn new(schema: &OutputSchema, response_schema: Option<&Value>) -> Result<Self, Problems> {
        let mut problems = name_problems(&schema.fields);
        let mut parsed = |field: &str, text: &str, rule: String| {
            problems.push(Problem::new(format!("output_schema.fields.{field}"), text, rule));
        };
        let mut changeable = Vec::new();
        let fields = match schema.schema_type {
            SchemaType::Json => {
                let paths = each(&schema.fields, Path::parse, &mut parsed);
                let checks = response_schema.and_then(|schema| checks(schema, &mut changeable, &mut problems));
                FieldReader::Json(Box::new(JsonFields::new(paths, checks)))
            }
            SchemaType::Regex => {
                let patterns = each(&schema.fields, Pattern::parse, &mut parsed);
                if response_schema.is_some() {
                    let rule = "is only allowed with an `output_schema` of type \"json\"";
                    problems.push(Problem::without_value("response_schema", rule));
                }
                FieldReader::Patterns(patterns)
            }
        };
        Problems::check(problems)?;
        let names = schema.fields.iter().map(|(name, _)| name.clone()).collect();
        let plain = match &fields {
            FieldReader::Json(json) => {
                PlainFields::new(json.paths().map(|path| (path.only_member(), None)), response_schema)
            }
            FieldReader::Patterns(_) => None,
        };
        Ok(Self { names, types: Vec::new(), changeable, fields, plain })
    }

    /// Compiles a `response_schema` that defines the fields itself.
    ///
    /// # Errors
    /// Returns all problems of the schema.
    pub fn of_model(response_schema: &Value) -> Result<Self, Problems> {
        let mut problems = keyword_problems(response_schema);
        let columns = columns_of(response_schema).map_err(|problem| problems.push(problem)).unwrap_or_default();
        for (at, column) in columns.iter().enumerate() {
            let earlier = columns[..at].iter().find(|earlier| earlier.name == column.name);
            let rule = match earlier {
                Some(earlier) => Some(format!("is also the column of {}", listed(&[&earlier.path.join(".")]))),
                None => name_rule(&column.name).map(str::to_owned),
            };
            if let Some(rule) = rule {
                let (name, path) = (shortened(&column.name), shortened(&column.path.join(".")));
                let field = format!("response_schema, column `{name}` of `{path}`");
                problems.push(Problem::without_value(field, rule).remedy("rename the property"));
            }
        }
        // What the compiler does not accept is often reported already, by its keyword.
        let compiled = problems.is_empty().then(|| compiled(response_schema, true));
        let matchers = matcher_of(response_schema);
        problems.extend(matchers.problems);
        let validator = compiled.and_then(|compiled| {
            compiled.map_err(|rule| problems.push(Problem::without_value("response_schema", rule))).ok()
        });
        Problems::check(problems)?;
        let Some(validator) = validator else {
            return Err(Problem::without_value("response_schema", "is not a valid JSON Schema").into());
        };
        let checks = Checks { response_schema: validator, matcher: matchers.matcher };
        let changeable = matchers.fields;
        let names = columns.iter().map(|column| column.name.clone()).collect();
        let plain = PlainFields::new(
            columns.iter().map(|column| match column.path.as_slice() {
                [name] => (Some(name.as_str()), Some(column.column_type)),
                _ => (None, None),
            }),
            Some(response_schema),
        );
        let types = columns.iter().map(|column| column.column_type).collect();
        let fields = FieldReader::Json(Box::new(JsonFields::of_model(columns, checks)));
        Ok(Self { names, types, changeable, fields, plain })
    }

    /// Creates a reader of answers that have to contain JSON, of which no fields are extracted.
    pub fn of_any_json() -> Self {
        let fields = FieldReader::Json(Box::new(JsonFields::of_any_json()));
        Self { names: Vec::new(), types: Vec::new(), changeable: Vec::new(), fields, plain: None }
    }

    /// Returns the reader of the usual answers, if the fields and their schema are simple enough.
    pub fn plain(&self) -> Option<&PlainFields> {
        self.plain.as_ref()
    }

    /// Returns true if the fields are those of a JSON value, which is complete or has none.
    pub fn reads_json(&self) -> bool {
        matches!(self.fields, FieldReader::Json(_))
    }

    /// Returns the types of the columns of the fields; empty if their values determine the types.
    pub fn types(&self) -> &[ColumnType] {
        &self.types
    }

    /// Returns the names of the fields that [`Extraction::changed`] refers to.
    pub fn changeable(&self) -> &[String] {
        &self.changeable
    }

    /// Returns the names of the fields, in the order of the template.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the fields of an answer, in the order of [`Self::names`], with `None` for fields that are missing or `null`.
    /// `text` is the complete answer, including its prefill.
    ///
    /// # Errors
    /// Returns an error if the answer contains none of the fields, or does not match the response schema.
    pub fn extract(&self, text: &str, stop_reason: Option<&str>) -> Result<Vec<Option<FieldValue>>, Unparsed> {
        self.extract_with_changes(text, stop_reason).map(|extraction| extraction.values)
    }

    /// Returns the same as [`Self::extract`], and the fields whose values were changed.
    ///
    /// # Errors
    /// Returns an error like [`Self::extract`].
    pub fn extract_with_changes(&self, text: &str, stop_reason: Option<&str>) -> Result<Extraction, Unparsed> {
        let cut_off = stop_reason.is_some_and(is_token_limit);
        let is_ended = stop_reason.is_some() && !cut_off;
        let fields = match &self.fields {
            FieldReader::Json(json) => match after_reasoning(text) {
                Some(answer) => json.extract(answer, is_ended).map_err(|error| error.further_down(text, answer)),
                // The answer is only reasoning that never ends, unless the model merely forgot the closing tag.
                None if cut_off => Err(Unparsed::CutOff),
                None => json.extract(text, is_ended),
            },
            FieldReader::Patterns(patterns) => {
                pattern::extract(patterns, text).map(|values| Extraction { values, ..Extraction::default() })
            }
        };
        fields.map_err(|error| match error {
            // The value was complete.
            Unparsed::Mismatch { .. } => error,
            _ if cut_off => Unparsed::CutOff,
            _ => error,
        })
    }
}

/// Compiles the rules of a response schema; returns `None` and adds the problem if it is not valid.
fn checks(schema: &Value, changeable: &mut Vec<String>, problems: &mut Vec<Problem>) -> Option<Checks> {
    let matchers = matcher_of(schema);
    problems.extend(matchers.problems);
    *changeable = matchers.fields;
    match compiled(schema, false) {
        Ok(response_schema) => Some(Checks { response_schema, matcher: matchers.matcher }),
        Err(rule) => {
            problems.push(Problem::without_value("response_schema", rule));
            None
        }
    }
}

fn each<T>(
    fields: &[(String, String)],
    parse: fn(&str) -> Result<T, String>,
    wrong: &mut impl FnMut(&str, &str, String),
) -> Vec<T> {
    let parsed = fields.iter().filter_map(|(name, text)| parse(text).map_err(|rule| wrong(name, text, rule)).ok());
    parsed.collect()
}

fn name_problems(fields: &[(String, String)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    if fields.is_empty() {
        problems.push(Problem::without_value("output_schema.fields", "must name at least one field"));
    }
    let mut seen = BTreeSet::new();
    for (name, _) in fields {
        let is_repeated = !seen.insert(name);
        if let Some(rule) = name_rule(name).or(is_repeated.then_some("is named twice")) {
            problems.push(Problem::without_value(format!("output_schema.fields.{name}"), rule));
        }
    }
    problems
}

/// Returns the rule that a field's name breaks as the name of a column.
fn name_rule(name: &str) -> Option<&'static str> {
    if name.trim().is_empty() || name.trim() != name || name.contains(char::is_control) {
        return Some("is not a valid column name: it is empty, or has surrounding spaces or control characters");
    }
    (ADDED.contains(&name) || INTERNAL.contains(&name))
        .then_some("is the name of a column that every output has; choose another name for the field")
}
