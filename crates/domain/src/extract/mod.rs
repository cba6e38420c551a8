//! Extraction of fields from the text of an answer.
//!
//! A template's `output_schema` defines the fields: by `JSONPath` into the JSON value in the answer (`find` locates it,
//! `repair` repairs typographic quotes if it does not parse otherwise), or by regular expression. [`FieldKinds`] determines
//! one column type per field for a whole stage.
//!
//! The answer to a request of several rows is a list, which `listed` takes apart by the ids of its elements. Each element is
//! the answer to its row, from which fields are extracted as from any other answer.
//!
//! An answer that cannot be parsed is never an error of the run: it is [`Unparsed`], with a reason.
//!
//! To search for panics for hours, raise the number of cases of the property tests in `tests/extraction_properties.rs`:
//! `PROPTEST_CASES=100000000 cargo test --release -p bedrock-batch-domain --test extraction_properties -- --include-ignored`

mod find;
mod json;
mod kinds;
mod listed;
mod path;
mod pattern;
mod repair;
mod unparsed;
mod value;

pub use kinds::{Cell, ColumnType, FieldKinds};
pub use listed::{ListedAnswers, NotListed, read_list};
pub use unparsed::Unparsed;
pub use value::FieldValue;

use crate::columns::{ADDED, INTERNAL};
use crate::problem::{Problem, Problems};
use crate::prompt::{OutputSchema, SchemaType};
use json::JsonFields;
use path::Path;
use pattern::Pattern;
use serde_json::Value;

/// Stop reasons of a model that reached its token limit: Bedrock's name, OpenAI's, and the one for a full context.
const TOKEN_LIMIT_REASONS: [&str; 3] = ["max_tokens", "length", "model_context_window_exceeded"];

/// Compiled `output_schema`, which can be applied to any number of answers.
#[derive(Debug)]
pub struct Extractor {
    names: Vec<String>,
    fields: FieldReader,
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
        let fields = match schema.schema_type {
            SchemaType::Json => {
                let paths = each(&schema.fields, Path::parse, &mut parsed);
                let response_schema = response_schema.map(json::compiled).transpose().unwrap_or_else(|rule| {
                    problems.push(Problem::without_value("response_schema", rule));
                    None
                });
                FieldReader::Json(Box::new(JsonFields::new(paths, response_schema)))
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
        Ok(Self { names: schema.fields.iter().map(|(name, _)| name.clone()).collect(), fields })
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
        let cut_off = stop_reason.is_some_and(|reason| TOKEN_LIMIT_REASONS.contains(&reason));
        let fields = match &self.fields {
            FieldReader::Json(json) => match find::after_reasoning(text) {
                Some(answer) => json.extract(answer).map_err(|error| error.further_down(text, answer)),
                // The answer is only reasoning that never ends, unless the model merely forgot the closing tag.
                None if cut_off => Err(Unparsed::CutOff),
                None => json.extract(text),
            },
            FieldReader::Patterns(patterns) => pattern::extract(patterns, text),
        };
        fields.map_err(|error| match error {
            // The value was complete.
            Unparsed::Mismatch { .. } => error,
            _ if cut_off => Unparsed::CutOff,
            _ => error,
        })
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
    for (at, (name, _)) in fields.iter().enumerate() {
        let rule = if name.trim().is_empty() || name.trim() != name || name.contains(char::is_control) {
            "is not a valid column name: it is empty, or has surrounding spaces or control characters"
        } else if ADDED.contains(&name.as_str()) || INTERNAL.contains(&name.as_str()) {
            "is the name of a column that every output has; choose another name for the field"
        } else if fields[..at].iter().any(|(earlier, _)| earlier == name) {
            "is named twice"
        } else {
            continue;
        };
        problems.push(Problem::without_value(format!("output_schema.fields.{name}"), rule));
    }
    problems
}
