//! Fifth component: the form of an answer.

use super::bullets::section;
use super::wording::wording;
use crate::prompt_generation::answer_fields::{AnswerField, FieldType, answer_fields, example_text};
use crate::prompt_generation::config::{ConfigFile, FormatType, OutputFormatConfig, PromptConfiguration};
use crate::prompt_generation::placeholders::Placeholders;
use crate::prompt_generation::settings::{Settings, ValidationLevel};
use serde_json::Value;

/// Returns the section of the output, as text that is not escaped yet.
pub(in crate::prompt_generation) fn output_format(
    config: &PromptConfiguration,
    settings: &Settings,
    placeholders: &mut Placeholders,
) -> String {
    let words = wording(settings.style);
    let format = &config.output_format;
    let fields = answer_fields(format);
    let names: Vec<String> = config.categories.iter().map(|category| category.name.clone()).collect();
    let mut resolve =
        |field: &str, text: &str| placeholders.resolved(&format!("{}.{field}", ConfigFile::OutputFormat.stem()), text);
    let (default_header, form) = match format.format_type {
        FormatType::StructuredJson => (words.json, json_form(&fields)),
        FormatType::StructuredText => (words.text, text_form(&fields)),
    };
    let header =
        format.header_text.as_ref().map_or_else(|| default_header.to_owned(), |text| resolve("header_text", text));
    let mut sections = vec![words.output.to_owned(), header, form];
    let mut add = |heading: &str, texts: &[String]| {
        let mut lines = Vec::new();
        section(&mut lines, heading, "- ", texts);
        if !lines.is_empty() {
            sections.push(lines.join("\n"));
        }
    };
    let descriptions = fields.iter().map(|field| {
        let text = resolve(&format!("field_descriptions.{}", field.name), &field.description);
        description(field, &text, format)
    });
    add(words.fields, &descriptions.collect::<Vec<_>>());
    add(words.category_names, &names);
    let mut rules = |field: &str, texts: &[String]| {
        let texts = texts.iter().enumerate().map(|(index, text)| resolve(&format!("{field}[{index}]"), text));
        texts.collect::<Vec<_>>()
    };
    if format.include_formatting_rules {
        add(words.formatting, &rules("formatting_rules", &format.formatting_rules));
    }
    if settings.level != ValidationLevel::Minimal {
        add(words.requirements, &rules("validation_requirements", &format.validation_requirements));
        add(words.evidence_rules, &rules("evidence_validation_rules", &format.evidence_validation_rules));
    }
    let example = format.example_output.as_ref();
    sections.extend(example.map(|example| format!("{}\n\n{}", words.example, example_text(example))));
    if settings.level == ValidationLevel::Strict {
        sections
            .push("Check each of these points before you answer. An answer that breaks one is discarded.".to_owned());
    }
    sections.join("\n\n")
}

/// Returns the object with a word in angle brackets for each value: a model that copies one gives no valid answer, while a
/// number in quotation marks would be copied as text.
fn json_form(fields: &[AnswerField]) -> String {
    let members = fields.iter().map(|field| {
        let value = match field.field_type {
            FieldType::Category => "\"<one of the category names>\"".to_owned(),
            FieldType::Confidence => "<number from 0.0 to 1.0>".to_owned(),
            FieldType::Text => format!("\"<{}>\"", field.name.replace(['_', '-'], " ")),
        };
        format!("    {}: {value}", Value::from(field.name.as_str()))
    });
    format!("{{\n{}\n}}", members.collect::<Vec<_>>().join(",\n"))
}

fn text_form(fields: &[AnswerField]) -> String {
    let lines = fields.iter().map(|field| {
        let value = match field.field_type {
            FieldType::Category => "one of the category names".to_owned(),
            FieldType::Confidence => "number from 0.0 to 1.0".to_owned(),
            FieldType::Text => field.name.replace(['_', '-'], " "),
        };
        format!("{}: <{value}>", field.label())
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn description(field: &AnswerField, text: &str, format: &OutputFormatConfig) -> String {
    let name = match format.format_type {
        FormatType::StructuredJson => field.name.clone(),
        FormatType::StructuredText => field.label(),
    };
    if !format.include_field_constraints {
        return format!("{name}: {text}");
    }
    let constraint = match field.field_type {
        FieldType::Category => "text, one of the category names",
        FieldType::Confidence => "number, 0.0 to 1.0",
        FieldType::Text => "text",
    };
    format!("{name} ({constraint}): {text}")
}
