//! `template_metadata_<time>.json`: the circumstances of a generation.

use super::config::{InstructionConfig, OutputFormatConfig, PromptConfiguration, SystemPromptConfig};
use super::placeholders::PlaceholderValidation;
use super::quality::Quality;
use super::settings::{Settings, TemplateStyle, ValidationLevel};
use super::time::GenerationTime;
use serde::Serialize;

/// Content of `metadata/template_metadata_<time>.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TemplateMetadata {
    /// Version of the prompt.
    pub template_version: String,
    /// Time of the generation.
    pub generation_timestamp: String,
    /// Type of the task.
    pub task_type: String,
    /// Wording of the prompt.
    pub template_style: TemplateStyle,
    /// `prompt_id` of the template in TOML.
    pub prompt_id: String,
    /// Number of categories.
    pub category_count: usize,
    /// Names of the categories, in the order of the prompt.
    pub category_names: Vec<String>,
    /// Columns that the prompt shows.
    pub input_placeholders: Vec<String>,
    /// Form of an answer.
    pub output_format: &'static str,
    /// Strictness towards answers and definitions.
    pub validation_level: ValidationLevel,
    /// True if the prompt contains the examples of the categories.
    pub includes_examples: bool,
    /// Configurations, merged over the defaults.
    pub generator_config: GeneratorConfig,
    /// Placeholders of texts that were resolved, and those that were not.
    pub placeholder_validation: PlaceholderValidation,
    /// Quality of the definitions.
    pub validation_results: Quality,
}

/// Configurations, merged over the defaults.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GeneratorConfig {
    /// Role of the model.
    #[serde(rename = "system_prompt_config")]
    pub system_prompt: SystemPromptConfig,
    /// Form of an answer.
    #[serde(rename = "output_format_config")]
    pub output_format: OutputFormatConfig,
    /// Parts of the instructions.
    #[serde(rename = "instruction_config")]
    pub instruction: InstructionConfig,
}

/// Returns the metadata of a generation.
pub(super) fn metadata(
    config: &PromptConfiguration,
    settings: &Settings,
    time: &GenerationTime,
    placeholder_validation: PlaceholderValidation,
    validation_results: Quality,
) -> TemplateMetadata {
    TemplateMetadata {
        template_version: settings.template_version.clone(),
        generation_timestamp: time.iso(),
        task_type: settings.task_type.clone(),
        template_style: settings.style,
        prompt_id: settings.prompt_id.clone(),
        category_count: config.categories.len(),
        category_names: config.categories.iter().map(|category| category.name.clone()).collect(),
        input_placeholders: settings.input_placeholders.clone(),
        output_format: config.output_format.format_type.name(),
        validation_level: settings.level,
        includes_examples: settings.include_examples,
        generator_config: GeneratorConfig {
            system_prompt: config.system_prompt.clone(),
            output_format: config.output_format.clone(),
            instruction: config.instruction.clone(),
        },
        placeholder_validation,
        validation_results,
    }
}
