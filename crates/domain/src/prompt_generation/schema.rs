//! `validation_schema_<time>.json`: the JSON Schema of an answer.

use super::answer_fields::{FieldType, answer_fields};
use super::config::{CATEGORY_FIELD, Category, PromptConfiguration};
use super::properties::Properties;
use super::settings::{Settings, TemplateStyle, ValidationLevel};
use super::time::GenerationTime;
use crate::matching::folded;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// JSON Schema of an answer, with what its reader needs to know beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationSchema {
    /// Title of the schema.
    #[serde(default)]
    pub title: String,
    /// Purpose of the schema.
    #[serde(default)]
    pub description: String,
    /// Type of an answer: `object`.
    #[serde(rename = "type")]
    pub schema_type: String,
    /// Schemas of the fields, in the order of the columns.
    pub properties: Properties,
    /// Fields that an answer must have.
    #[serde(default)]
    pub required: Vec<String>,
    /// If not false, an answer may have other fields too.
    #[serde(rename = "additionalProperties", default = "anything")]
    pub additional_properties: Value,
    /// Use of the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processing_config: Option<ProcessingConfig>,
    /// Origin of the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_metadata: Option<SchemaMetadata>,
}

fn anything() -> Value {
    Value::Bool(true)
}

/// Use of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessingConfig {
    /// Form of an answer: `structured_json` or `structured_text`.
    pub format_type: String,
    /// Name of the model of an answer.
    #[serde(default)]
    pub response_model_name: String,
    /// Strictness: `minimal`, `standard` or `strict`.
    #[serde(default)]
    pub validation_level: String,
}

/// Origin of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaMetadata {
    /// Version of the prompt.
    #[serde(default)]
    pub template_version: String,
    /// Time of the generation, as in the file's name.
    #[serde(default)]
    pub generation_timestamp: String,
    /// Type of the task.
    #[serde(default)]
    pub task_type: String,
    /// Wording of the prompt.
    #[serde(default)]
    pub template_style: Option<TemplateStyle>,
    /// Number of categories.
    #[serde(default)]
    pub category_count: usize,
    /// Names of the categories, in the order of the prompt.
    #[serde(default)]
    pub category_names: Vec<String>,
}

impl ValidationSchema {
    /// Returns the schema alone, without titles and descriptions: what an answer is checked by.
    pub fn response_schema(&self) -> Value {
        let mut properties: Map<String, Value> = self.properties.0.iter().cloned().collect();
        for property in properties.values_mut().filter_map(Value::as_object_mut) {
            property.remove("description");
        }
        let mut schema = json!({"type": self.schema_type, "required": self.required, "properties": properties});
        if self.additional_properties != Value::Bool(true) {
            schema["additionalProperties"] = self.additional_properties.clone();
        }
        schema
    }
}

/// Returns the schema of the name of a category. An alias that could stand for another category, or that is the name of
/// one, stands for none; the report on quality names it.
fn category_schema(names: &[String], categories: &[Category]) -> Value {
    let mut schema = json!({"type": "string", "enum": names});
    let taken: BTreeSet<String> = names.iter().map(|name| folded(name)).collect();
    let mut owners: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let all = || categories.iter().flat_map(|category| category.aliases.iter().map(|alias| (alias, &category.name)));
    for (alias, name) in all() {
        owners.entry(folded(alias)).or_default().insert(name);
    }
    let is_clear = |alias: &str| {
        let alias = folded(alias);
        !taken.contains(&alias) && owners.get(&alias).is_some_and(|owners| owners.len() == 1)
    };
    let aliases: BTreeMap<&String, &String> = all().filter(|(alias, _)| is_clear(alias)).collect();
    if !aliases.is_empty() {
        schema["x-aliases"] = json!(aliases);
    }
    schema
}

/// Returns the schema of the answers.
pub(super) fn validation_schema(
    config: &PromptConfiguration,
    settings: &Settings,
    time: &GenerationTime,
) -> ValidationSchema {
    let names: Vec<String> = config.categories.iter().map(|category| category.name.clone()).collect();
    let fields = answer_fields(&config.output_format);
    let properties = fields.iter().map(|field| {
        let mut schema = match field.field_type {
            FieldType::Category => category_schema(&names, &config.categories),
            FieldType::Confidence => json!({"type": "number", "minimum": 0.0, "maximum": 1.0}),
            FieldType::Text if settings.level == ValidationLevel::Strict => json!({"type": "string", "minLength": 1}),
            FieldType::Text => json!({"type": "string"}),
        };
        schema["description"] = field.description.as_str().into();
        (field.name.clone(), schema)
    });
    let is_minimal = settings.level == ValidationLevel::Minimal;
    ValidationSchema {
        title: "Schema of an answer".to_owned(),
        description: format!("Answers to the prompt `{}` must match this schema.", settings.prompt_id),
        schema_type: "object".to_owned(),
        properties: Properties(properties.collect()),
        required: if is_minimal {
            vec![CATEGORY_FIELD.to_owned()]
        } else {
            config.output_format.required_fields.clone()
        },
        additional_properties: is_minimal.into(),
        processing_config: Some(ProcessingConfig {
            format_type: config.output_format.format_type.name().to_owned(),
            response_model_name: settings.response_model_name(),
            validation_level: settings.level.name().to_owned(),
        }),
        template_metadata: Some(SchemaMetadata {
            template_version: settings.template_version.clone(),
            generation_timestamp: time.compact(),
            task_type: settings.task_type.clone(),
            template_style: Some(settings.style),
            category_count: names.len(),
            category_names: names,
        }),
    }
}
