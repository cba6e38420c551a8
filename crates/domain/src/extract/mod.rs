//! From the text of an answer to fields.
//!
//! A template's `output_schema` says which: by `JSONPath` of the JSON value in the answer (`find` finds it, `repair`
//! mends typographic quotes where it does not parse otherwise), or by regular expression. [`FieldKinds`] gives each
//! field one column type for a whole stage.
//!
//! What cannot be parsed is never an error of a run: it is [`Unparsed`], and says why.
//!
//! To look for panics for hours, raise the cases of the property tests of `tests/extraction_properties.rs`:
//! `PROPTEST_CASES=100000000 cargo test --release -p bedrock-batch-domain --test extraction_properties -- --include-ignored`

mod find;
mod json;
mod kinds;
mod path;
mod pattern;
mod repair;
mod unparsed;
mod value;

pub use kinds::{Cell, ColumnType, FieldKinds};
pub use unparsed::Unparsed;
pub use value::FieldValue;

use crate::columns::{ADDED, INTERNAL};
use crate::problem::{Problem, Problems};
use crate::prompt::{OutputSchema, SchemaType};
use json::JsonFields;
use path::Path;
use pattern::Pattern;
use serde_json::Value;

/// The most memory that one regular expression may take.
const MOST_PATTERN_BYTES: usize = 2 << 20;
/// Why a model stopped when it ran into its limit of tokens: Bedrock's name, OpenAI's, and that of a full context.
const CUT_OFF: [&str; 3] = ["max_tokens", "length", "model_context_window_exceeded"];

/// An `output_schema`, ready for any number of answers.
#[derive(Debug)]
pub struct Extractor {
    names: Vec<String>,
    how: How,
}

#[derive(Debug)]
enum How {
    Json(Box<JsonFields>),
    Patterns(Vec<Pattern>),
}

impl Extractor {
    /// Reads an `output_schema` and the `response_schema` beside it.
    ///
    /// # Errors
    /// All that is wrong with them, field by field.
    pub fn new(schema: &OutputSchema, response_schema: Option<&Value>) -> Result<Self, Problems> {
        let mut problems = wrong_names(&schema.fields);
        let mut parsed = |field: &str, text: &str, rule: String| {
            problems.push(Problem::new(format!("output_schema.fields.{field}"), text, rule));
        };
        let how = match schema.schema_type {
            SchemaType::Json => {
                let paths = each(&schema.fields, Path::parse, &mut parsed);
                let response_schema = response_schema.map(json::compiled).transpose().unwrap_or_else(|rule| {
                    problems.push(Problem::without_value("response_schema", rule));
                    None
                });
                How::Json(Box::new(JsonFields::new(paths, response_schema)))
            }
            SchemaType::Regex => {
                let patterns = each(&schema.fields, Pattern::parse, &mut parsed);
                if response_schema.is_some() {
                    let rule = "goes with an `output_schema` of type \"json\" only";
                    problems.push(Problem::without_value("response_schema", rule));
                }
                How::Patterns(patterns)
            }
        };
        Problems::check(problems)?;
        Ok(Self { names: schema.fields.iter().map(|(name, _)| name.clone()).collect(), how })
    }

    /// The names of the fields, in the order of the template.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The fields of an answer, in the order of [`Self::names`]: `None` for what the answer leaves out or says `null`
    /// to. `text` is the whole answer, its prefill put back in front.
    ///
    /// # Errors
    /// If the answer holds none of the fields, or does not match the response schema.
    pub fn extract(&self, text: &str, stop_reason: Option<&str>) -> Result<Vec<Option<FieldValue>>, Unparsed> {
        let cut_off = stop_reason.is_some_and(|reason| CUT_OFF.contains(&reason));
        let fields = match &self.how {
            How::Json(json) => match find::after_reasoning(text) {
                Some(answer) => json.extract(answer).map_err(|error| error.further_down(text, answer)),
                // Reasoning that never ends is all there is, unless the model just forgot to end it.
                None if cut_off => Err(Unparsed::CutOff),
                None => json.extract(text),
            },
            How::Patterns(patterns) => pattern::extract(patterns, text),
        };
        fields.map_err(|error| match error {
            // The value was whole.
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

fn wrong_names(fields: &[(String, String)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    if fields.is_empty() {
        problems.push(Problem::without_value("output_schema.fields", "must name at least one field"));
    }
    for (at, (name, _)) in fields.iter().enumerate() {
        let rule = if name.trim().is_empty() || name.trim() != name || name.contains(char::is_control) {
            "is no name for a column: it is empty, or has space around it or control characters"
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
