//! `bedrock-batch schema`: JSON Schemas of execution inputs and of prompt configurations, generated from the types in this
//! folder. Editors show the doc comments of these types.
#![expect(dead_code, reason = "the types are never constructed: only their shape is used")]

mod classifier;
mod csv;
mod execution_input;
mod inference;
mod inline_prompts;
mod pipeline;
mod prompt_configs;
mod prompts;
mod required_sets;
mod run_fields;
#[cfg(test)]
mod tests;

use crate::failure::Failure;
use crate::terminal::print_lines;
use clap::{Args, ValueEnum};
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Input to describe
    #[arg(value_enum)]
    of: Kind,
}

/// Input that a schema describes.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// Input of a run
    ExecutionInput,
    /// Input of a pipeline
    Pipeline,
    /// Payload of the classifier
    ClassifierPayload,
    /// `category_definitions.json` of a folder of prompt configurations
    CategoryDefinitions,
    /// `system_prompt.json` of such a folder
    SystemPrompt,
    /// `output_format.json` of such a folder
    OutputFormat,
    /// `instruction.json` of such a folder
    Instruction,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let text = text(arguments.of).map_err(|error| Failure::Failed(error.to_string()))?;
    print_lines("", &text);
    Ok(())
}

/// Returns the schema as it is stored in `pipeline-configs/`, `payloads/` or `prompt-configs/`.
fn text(kind: Kind) -> serde_json::Result<String> {
    let schema = match kind {
        Kind::ExecutionInput => schema_of::<execution_input::ExecutionInput>(),
        Kind::Pipeline => schema_of::<pipeline::PipelineInput>(),
        Kind::ClassifierPayload => schema_of::<classifier::ClassifierPayload>(),
        Kind::CategoryDefinitions => schema_of::<prompt_configs::CategoryDefinitions>(),
        Kind::SystemPrompt => schema_of::<prompt_configs::SystemPrompt>(),
        Kind::OutputFormat => schema_of::<prompt_configs::OutputFormat>(),
        Kind::Instruction => schema_of::<prompt_configs::Instruction>(),
    };
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

/// Generates a schema in the draft with the best editor support.
fn schema_of<T: JsonSchema>() -> Schema {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(|schema: &mut Schema| {
        // Formats such as `uint32` mean nothing to authors of JSON.
        schema.remove("format");
        // Line breaks of the source are removed, so that editors can wrap the text to their width.
        if let Some(Value::String(description)) = schema.get_mut("description") {
            *description = description.replace('\n', " ");
        }
    })
    .transform(&mut schema);
    schema
}
