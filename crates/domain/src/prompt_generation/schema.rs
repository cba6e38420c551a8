//! `validation_schema_<time>.json`: the JSON Schema of an answer.

use super::answer_fields::{FieldType, answer_fields};
use super::config::{CATEGORY_FIELD, PromptConfiguration};
use super::properties::Properties;
use super::settings::{Settings, TemplateStyle, ValidationLevel};
use super::time::GenerationTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

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
            FieldType::Category => json!({"type": "string", "enum": names}),
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
