//! The whole generation.

use super::answer_fields::{AnswerField, answer_fields};
use super::braces::escaped;
use super::components::{categories, input, instructions, output_format, system_prompt};
use super::config::{FormatType, PromptConfiguration};
use super::metadata::{TemplateMetadata, metadata};
use super::placeholders::Placeholders;
use super::prompt_toml::prompt_toml;
use super::prompts_file::PromptsFile;
use super::properties::path_of_member;
use super::quality::quality;
use super::schema::{ValidationSchema, validation_schema};
use super::settings::Settings;
use super::text_pattern::text_patterns;
use super::time::GenerationTime;
use crate::problem::Problem;
use crate::prompt::{OutputSchema, Prompt, SchemaType};
use std::collections::BTreeMap;

/// Result of a generation.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedPrompt {
    /// `prompts.json`.
    pub prompts: PromptsFile,
    /// Schema of the answers, if one is wanted.
    pub schema: Option<ValidationSchema>,
    /// Circumstances of the generation, with the report on the quality of the definitions.
    pub metadata: TemplateMetadata,
    /// The same prompt as a template of a run.
    pub prompt: Prompt,
    /// Time of the generation.
    pub time: GenerationTime,
}

/// File of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Path in the folder of the output.
    pub path: String,
    /// Content.
    pub content: String,
}

/// Generates a prompt. The same input gives the same result, but for the time in metadata and schema.
///
/// # Errors
/// Returns the problem if a run would not accept the template, for example because the names of very many categories make a
/// pattern that is too large.
pub fn generate(
    config: &PromptConfiguration,
    settings: &Settings,
    time: GenerationTime,
) -> Result<GeneratedPrompt, Problem> {
    let names: Vec<&str> = config.categories.iter().map(|category| category.name.as_str()).collect();
    let fields = answer_fields(&config.output_format);
    let mut placeholders = Placeholders::new(&fields, &names);
    let mut parts = vec![escaped(&categories(&config.categories, settings)), input(settings)];
    let instructions = instructions(config, settings);
    if !instructions.is_empty() {
        parts.push(escaped(&instructions));
    }
    parts.push(escaped(&output_format(config, settings, &mut placeholders)));
    let prompts = PromptsFile {
        system_prompt: system_prompt(&config.system_prompt),
        user_prompt_template: parts.join("\n\n"),
        input_placeholders: settings.input_placeholders.clone(),
    };
    let schema = settings.generate_validation_schema.then(|| validation_schema(config, settings, &time));
    let prompt = template(config, settings, &prompts, schema.as_ref(), &fields);
    // Whatever the definitions contain, what is written can be used.
    Prompt::parse(&prompt_toml(&prompt)).map_err(|error| unusable(&error, &prompt, settings))?;
    let extractor = prompt.extractor().ok().flatten();
    let validation = placeholders.validation();
    let quality = quality(config, settings, &validation, extractor.as_ref());
    Ok(GeneratedPrompt {
        metadata: metadata(config, settings, &time, validation, quality),
        prompts,
        schema,
        prompt,
        time,
    })
}

/// Returns the problem of a template that a run would not accept.
fn unusable(error: &str, prompt: &Prompt, settings: &Settings) -> Problem {
    let rule = format!("a run would not accept the generated template: {}", error.replace('\n', " "));
    let problem = Problem::without_value(&settings.prompt_id, rule);
    let has_patterns = prompt.output_schema.as_ref().is_some_and(|schema| schema.schema_type == SchemaType::Regex);
    if has_patterns && prompt.extractor().is_err() {
        // All parts of a pattern are escaped: only its size can be wrong.
        return problem.remedy("shorten the names of the categories, or use `structured_json`");
    }
    problem
}

fn template(
    config: &PromptConfiguration,
    settings: &Settings,
    prompts: &PromptsFile,
    schema: Option<&ValidationSchema>,
    fields: &[AnswerField],
) -> Prompt {
    let names: Vec<&str> = config.categories.iter().map(|category| category.name.as_str()).collect();
    let is_json = config.output_format.format_type == FormatType::StructuredJson;
    let categories = if names.len() == 1 { "one category".to_owned() } else { format!("{} categories", names.len()) };
    Prompt {
        description: format!(
            "Assigns rows to {categories}. Generated from category definitions ({}, version {}).",
            settings.task_type, settings.template_version
        ),
        template: prompts.user_prompt_template.clone(),
        system: Some(prompts.system_prompt.clone()),
        prefill: None,
        output_schema: Some(OutputSchema {
            schema_type: if is_json { SchemaType::Json } else { SchemaType::Regex },
            fields: if is_json { json_paths(fields) } else { text_patterns(fields, &names) },
        }),
        // Only JSON values can be checked by a schema. Patterns hold the names of the categories themselves.
        response_schema: schema.filter(|_| is_json).map(ValidationSchema::response_schema),
        allowed_values: BTreeMap::new(),
        rows: None,
    }
}

/// Returns the name and the path of each field.
fn json_paths(fields: &[AnswerField]) -> Vec<(String, String)> {
    fields.iter().map(|field| (field.name.clone(), path_of_member(&field.name))).collect()
}

impl GeneratedPrompt {
    /// Returns the files of the result.
    ///
    /// # Errors
    /// Returns an error if something cannot be written as JSON, which does not happen.
    pub fn files(&self) -> serde_json::Result<Vec<GeneratedFile>> {
        let time = self.time.compact();
        let file = |path: String, content: String| GeneratedFile { path, content: content + "\n" };
        let mut files = vec![
            file("templates/prompts.json".to_owned(), serde_json::to_string_pretty(&self.prompts)?),
            file(format!("metadata/template_metadata_{time}.json"), serde_json::to_string_pretty(&self.metadata)?),
        ];
        if let Some(schema) = &self.schema {
            files.push(file(format!("schema/validation_schema_{time}.json"), serde_json::to_string_pretty(schema)?));
        }
        files.push(GeneratedFile {
            path: format!("prompt-templates/{}.toml", self.metadata.prompt_id),
            content: prompt_toml(&self.prompt),
        });
        Ok(files)
    }
}
