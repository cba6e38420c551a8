//! Options for the answers: their format, the names of their columns, and the enforcement of schemas.

use super::Fields;
use crate::columns::RESERVED_PREFIX;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// Format that answers must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResponseFormat {
    /// Any text: no schema is applied.
    Text,
    /// A text with a JSON value.
    Json,
    /// Fields, which every prompt must define.
    Structured,
}

/// Options for the answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerOptions {
    /// Format that answers must have; by default that of each prompt.
    pub response_format: Option<ResponseFormat>,
    /// Prefix of the columns that the run adds.
    pub output_column_prefix: Option<String>,
    /// If true, the model is made to answer according to the prompt's response schema.
    pub enforce_schema: bool,
    /// If true, cells of CSV files that spreadsheets would take for formulas are guarded.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub csv_safe_cells: bool,
    /// If true, CSV files begin with a byte order mark, by which Excel knows that they are UTF-8.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub csv_byte_order_mark: bool,
}

/// Maximum number of characters of a prefix.
const MAX_PREFIX_CHARS: usize = 60;

impl AnswerOptions {
    /// Reads these options from the fields of an execution input.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let response_format = match fields.text("response_format") {
            None => None,
            Some("text") => Some(ResponseFormat::Text),
            Some("json") => Some(ResponseFormat::Json),
            Some("structured") => Some(ResponseFormat::Structured),
            Some(other) => {
                let rule = "must be `text`, `json` or `structured`";
                fields.note(Problem::new(fields.name("response_format"), other, rule));
                None
            }
        };
        let output_column_prefix = fields.text("output_column_prefix").filter(|prefix| {
            let rule = prefix_rule(prefix);
            if let Some(rule) = rule {
                let problem = Problem::new(fields.name("output_column_prefix"), prefix, rule);
                fields.note(problem.remedy("write a short word, such as `llm_`"));
            }
            rule.is_none()
        });
        let enforce_schema = fields.boolean("enforce_schema").unwrap_or(false);
        if enforce_schema && response_format == Some(ResponseFormat::Text) {
            let rule = "is not allowed with response_format `text`, which applies no schema";
            fields.note(Problem::without_value(fields.name("enforce_schema"), rule).remedy("leave out one of them"));
        }
        let output_column_prefix = output_column_prefix.map(str::to_owned);
        let csv_safe_cells = fields.boolean("csv_safe_cells").unwrap_or(false);
        let csv_byte_order_mark = fields.boolean("csv_byte_order_mark").unwrap_or(false);
        Self { response_format, output_column_prefix, enforce_schema, csv_safe_cells, csv_byte_order_mark }
    }
}

fn prefix_rule(prefix: &str) -> Option<&'static str> {
    if prefix.is_empty() || prefix.trim() != prefix || prefix.chars().count() > MAX_PREFIX_CHARS {
        return Some("must have 1 to 60 characters, without surrounding spaces");
    }
    if prefix.contains(['{', '}']) || prefix.contains(char::is_control) {
        return Some("must not contain braces and control characters: it is part of column names");
    }
    prefix.starts_with(RESERVED_PREFIX).then_some("begins like the names that are reserved for the orchestrator")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn read(input: &Value) -> (AnswerOptions, Vec<String>) {
        let mut fields = Fields::new("stages[1]", input.as_object().unwrap());
        let options = AnswerOptions::read(&mut fields);
        (options, fields.finish().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn options_are_read_and_absent_by_default() {
        assert_eq!(read(&json!({})), (AnswerOptions::default(), vec![]));
        let input = json!({"response_format": "structured", "output_column_prefix": "llm_", "enforce_schema": true,
            "csv_safe_cells": true, "csv_byte_order_mark": true});
        let expected = AnswerOptions {
            response_format: Some(ResponseFormat::Structured),
            output_column_prefix: Some("llm_".to_owned()),
            enforce_schema: true,
            csv_safe_cells: true,
            csv_byte_order_mark: true,
        };
        assert_eq!(read(&input), (expected.clone(), vec![]));
        assert_eq!(
            serde_json::from_value::<AnswerOptions>(serde_json::to_value(&expected).unwrap()).unwrap(),
            expected
        );
    }

    #[rstest]
    #[case(json!({"response_format": "xml"}), "stages[1].response_format is `xml`: must be `text`, `json` or `structured`")]
    #[case(json!({"output_column_prefix": ""}), "stages[1].output_column_prefix: must have 1 to 60 characters")]
    #[case(json!({"output_column_prefix": "x".repeat(61)}), "must have 1 to 60 characters")]
    #[case(json!({"output_column_prefix": " llm"}), "without surrounding spaces")]
    #[case(json!({"output_column_prefix": "{llm}"}), "must not contain braces")]
    #[case(json!({"output_column_prefix": "a\tb"}), "must not contain braces and control characters")]
    #[case(json!({"output_column_prefix": "bedrock_batch:"}), "reserved for the orchestrator")]
    #[case(json!({"output_column_prefix": 7}), "must be a text")]
    #[case(json!({"enforce_schema": "yes"}), "must be true or false")]
    #[case(json!({"csv_safe_cells": 1}), "csv_safe_cells is `1`: must be true or false")]
    #[case(json!({"csv_byte_order_mark": "no"}), "csv_byte_order_mark is `\"no\"`: must be true or false")]
    #[case(json!({"enforce_schema": true, "response_format": "text"}), "enforce_schema: is not allowed with response_format `text`")]
    fn invalid_options_are_reported(#[case] input: Value, #[case] expected: &str) {
        let (_, problems) = read(&input);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(expected), "{problems:?}");
    }
}
