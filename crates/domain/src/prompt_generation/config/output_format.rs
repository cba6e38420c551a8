//! `output_format.json`: the form of an answer.

use super::choice::choice;
use super::texts::{list, text, text_at, texts};
use crate::columns::{ADDED, INTERNAL};
use crate::input::Fields;
use crate::problem::Problem;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Maximum number of fields of an answer.
const MAX_FIELDS: usize = 50;
/// Maximum length of a field's name.
const MAX_FIELD_NAME_CHARS: usize = 60;

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FormatType {
    /// One JSON object.
    StructuredJson,
    /// Lines that begin with the names of the fields.
    StructuredText,
}

impl FormatType {
    /// Returns the name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::StructuredJson => "structured_json",
            Self::StructuredText => "structured_text",
        }
    }
}

const FORMAT_TYPES: [(&str, FormatType); 2] =
    [("structured_json", FormatType::StructuredJson), ("structured_text", FormatType::StructuredText)];

/// Name of the field whose values are the names of the categories.
pub(in crate::prompt_generation) const CATEGORY_FIELD: &str = "category";
/// Name of the field that is a number from 0 to 1.
pub(in crate::prompt_generation) const CONFIDENCE_FIELD: &str = "confidence";
/// Name of the field that quotes the data.
pub(in crate::prompt_generation) const EVIDENCE_FIELD: &str = "key_evidence";
/// Name of the field that explains the choice.
pub(in crate::prompt_generation) const REASONING_FIELD: &str = "reasoning";

/// Content of `output_format.json`, merged over the defaults.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutputFormatConfig {
    /// Form of an answer.
    pub format_type: FormatType,
    /// Fields of an answer, in order.
    pub required_fields: Vec<String>,
    /// Descriptions of the fields, by name.
    pub field_descriptions: BTreeMap<String, String>,
    /// Rules for the whole answer.
    pub validation_requirements: Vec<String>,
    /// Rules for the evidence.
    pub evidence_validation_rules: Vec<String>,
    /// First sentence of the section, in place of the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_text: Option<String>,
    /// Rules for the form of the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub formatting_rules: Vec<String>,
    /// Example of a whole answer: an object, a text, or a list of lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example_output: Option<Value>,
    /// If false, the types and ranges of the fields are left out of the prompt.
    pub include_field_constraints: bool,
    /// If false, `formatting_rules` are left out.
    pub include_formatting_rules: bool,
}

impl Default for OutputFormatConfig {
    fn default() -> Self {
        let fields = [CATEGORY_FIELD, CONFIDENCE_FIELD, EVIDENCE_FIELD, REASONING_FIELD].map(str::to_owned).to_vec();
        Self {
            format_type: FormatType::StructuredJson,
            field_descriptions: described(&fields, BTreeMap::new()),
            validation_requirements: default_requirements(&fields),
            evidence_validation_rules: default_evidence_rules(&fields),
            required_fields: fields,
            header_text: None,
            formatting_rules: Vec::new(),
            example_output: None,
            include_field_constraints: true,
            include_formatting_rules: true,
        }
    }
}

impl OutputFormatConfig {
    /// Returns true if answers have a field of this name.
    pub fn has_field(&self, name: &str) -> bool {
        self.required_fields.iter().any(|field| field == name)
    }
}

/// Adds the default descriptions of those `fields` that have none.
fn described(fields: &[String], mut descriptions: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for field in fields {
        let text = match field.as_str() {
            CATEGORY_FIELD => "Name of the category, exactly as it is written above",
            CONFIDENCE_FIELD => "How certain the category is, from 0.0 (a guess) to 1.0 (beyond doubt)",
            EVIDENCE_FIELD => "Words or facts of the data that meet the conditions of the category, quoted exactly",
            REASONING_FIELD => {
                "Why the evidence leads to this category, and why the nearest other category was rejected"
            }
            _ => continue,
        };
        descriptions.entry(field.clone()).or_insert_with(|| text.to_owned());
    }
    descriptions
}

fn rules_of(fields: &[String], rules: &[(&str, &str)]) -> Vec<String> {
    let kept = rules.iter().filter(|(field, _)| fields.iter().any(|name| name == field));
    kept.map(|(_, rule)| (*rule).to_owned()).collect()
}

fn default_requirements(fields: &[String]) -> Vec<String> {
    rules_of(
        fields,
        &[
            (CATEGORY_FIELD, "category is exactly one of the category names"),
            (CONFIDENCE_FIELD, "confidence is a number from 0.0 to 1.0"),
            (EVIDENCE_FIELD, "key_evidence occurs in the data"),
            (REASONING_FIELD, "reasoning connects the evidence with the conditions of the category"),
        ],
    )
}

fn default_evidence_rules(fields: &[String]) -> Vec<String> {
    rules_of(
        fields,
        &[
            (EVIDENCE_FIELD, "Evidence meets at least one condition of the category"),
            (EVIDENCE_FIELD, "Evidence matches nothing that the category must not include"),
            (EVIDENCE_FIELD, "Evidence is quoted from the data and never invented"),
        ],
    )
}

/// Reads the object. Fields that are absent or wrong have their default values.
pub(super) fn read(fields: &mut Fields<'_>) -> OutputFormatConfig {
    let default = OutputFormatConfig::default();
    let format_type = choice(fields, "format_type", &FORMAT_TYPES).unwrap_or(default.format_type);
    let required_fields = required_fields(fields).unwrap_or(default.required_fields);
    let descriptions = descriptions(fields);
    let requirements = texts(fields, "validation_requirements");
    let evidence_rules = texts(fields, "evidence_validation_rules");
    OutputFormatConfig {
        format_type,
        field_descriptions: described(&required_fields, descriptions),
        validation_requirements: requirements.unwrap_or_else(|| default_requirements(&required_fields)),
        evidence_validation_rules: evidence_rules.unwrap_or_else(|| default_evidence_rules(&required_fields)),
        header_text: text(fields, "header_text"),
        formatting_rules: texts(fields, "formatting_rules").unwrap_or_default(),
        example_output: example(fields),
        include_field_constraints: fields.boolean("include_field_constraints").unwrap_or(true),
        include_formatting_rules: fields.boolean("include_formatting_rules").unwrap_or(true),
        required_fields,
    }
}

fn required_fields(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let names = texts(fields, "required_fields")?;
    let path = fields.name("required_fields");
    if names.len() > MAX_FIELDS {
        let rule = format!("has {} fields, but the maximum is {MAX_FIELDS}", names.len());
        fields.note(Problem::without_value(path, rule));
        return None;
    }
    for (index, name) in names.iter().enumerate() {
        if let Some(rule) = rule_of_name(name, &names[..index]) {
            fields.note(Problem::new(format!("{path}[{index}]"), name, rule));
        }
    }
    if !names.iter().any(|name| name == CATEGORY_FIELD) {
        let rule = format!("must contain `{CATEGORY_FIELD}`, whose values are the names of the categories");
        fields.note(Problem::without_value(path, rule));
    }
    Some(names)
}

/// Returns the rule that a name breaks. Names become columns, members of JSON objects and labels of lines.
fn rule_of_name(name: &str, earlier: &[String]) -> Option<String> {
    let begins = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
    let allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ' ');
    if !begins || !name.chars().all(allowed) {
        return Some("must begin with a letter and consist of letters, digits, `_`, `-` and spaces".to_owned());
    }
    if name.chars().count() > MAX_FIELD_NAME_CHARS {
        return Some(format!("must have at most {MAX_FIELD_NAME_CHARS} characters"));
    }
    if ADDED.contains(&name) || INTERNAL.contains(&name) {
        return Some("is the name of a column that every output has; choose another name".to_owned());
    }
    // `structured_text` recognizes a field by its label, in which case and `_` do not count.
    let label = |name: &str| name.to_lowercase().replace(['_', '-'], " ");
    let twice = earlier.iter().any(|other| label(other) == label(name));
    twice.then(|| "is named twice, as case, `_` and `-` do not count".to_owned())
}

fn descriptions(fields: &mut Fields<'_>) -> BTreeMap<String, String> {
    let Some(object) = fields.object("field_descriptions") else { return BTreeMap::new() };
    let path = fields.name("field_descriptions");
    let mut descriptions = BTreeMap::new();
    for (name, value) in object {
        let path = format!("{path}.{name}");
        match value.as_str() {
            Some(text) => descriptions.extend(text_at(fields, path, text).map(|text| (name.clone(), text))),
            None => fields.note(Problem::new(path, value, "must be a text")),
        }
    }
    descriptions
}

fn example(fields: &mut Fields<'_>) -> Option<Value> {
    let value = fields.value("example_output")?;
    let path = fields.name("example_output");
    match value {
        Value::Object(_) => Some(value.clone()),
        Value::String(_) => text(fields, "example_output").map(Value::from),
        Value::Array(_) => list(fields, &path, value).map(Value::from),
        _ => {
            fields.note(Problem::new(path, value, "must be an object, a text or a list of lines"));
            None
        }
    }
}
