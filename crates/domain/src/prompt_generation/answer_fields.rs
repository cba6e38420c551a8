//! Fields of an answer, with their types.

use super::config::{CATEGORY_FIELD, CONFIDENCE_FIELD, OutputFormatConfig};
use serde_json::Value;

/// Type of a field, which its name decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldType {
    /// Name of a category.
    Category,
    /// Number from 0 to 1.
    Confidence,
    /// Any text.
    Text,
}

impl FieldType {
    pub(super) fn of_name(name: &str) -> Self {
        match name {
            CATEGORY_FIELD => Self::Category,
            CONFIDENCE_FIELD => Self::Confidence,
            _ => Self::Text,
        }
    }
}

/// Field of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AnswerField {
    pub(super) name: String,
    pub(super) field_type: FieldType,
    pub(super) description: String,
}

impl AnswerField {
    /// Returns the name as a label of a line: `key_evidence` is `Key Evidence`.
    pub(super) fn label(&self) -> String {
        let words = self.name.split(['_', '-', ' ']).filter(|word| !word.is_empty()).map(|word| {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Returns the fields of an answer, in order.
pub(super) fn answer_fields(config: &OutputFormatConfig) -> Vec<AnswerField> {
    let fields = config.required_fields.iter().map(|name| {
        let description = config.field_descriptions.get(name).cloned();
        AnswerField {
            name: name.clone(),
            field_type: FieldType::of_name(name),
            description: description.unwrap_or_else(|| format!("The {}", name.replace(['_', '-'], " "))),
        }
    });
    fields.collect()
}

/// Returns an example of an answer as the prompt shows it.
pub(super) fn example_text(example: &Value) -> String {
    match example {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        // The alternate form of a JSON value is indented.
        other => format!("{other:#}"),
    }
}
