//! `bedrock-batch schema`: JSON Schemas of what executions are started with, made from the types in this folder. Their
//! doc comments are what editors show.
#![expect(dead_code, reason = "the types are never made: they are here for their shape")]

mod execution_input;
mod inference;
mod pipeline;
mod prompts;
mod run_fields;
#[cfg(test)]
mod tests;

use crate::failure::Failure;
use crate::say::say;
use clap::{Args, ValueEnum};
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Of what
    #[arg(value_enum)]
    of: Kind,
}

/// What a schema is of.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// The input of a run
    ExecutionInput,
    /// The input of a pipeline
    Pipeline,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let text = text(arguments.of).map_err(|error| Failure::Failed(error.to_string()))?;
    say!("{}", text.trim_end());
    Ok(())
}

/// The schema, as the file in `pipeline-configs/` holds it.
fn text(kind: Kind) -> serde_json::Result<String> {
    let schema = match kind {
        Kind::ExecutionInput => schema_of::<execution_input::ExecutionInput>(),
        Kind::Pipeline => schema_of::<pipeline::PipelineInput>(),
    };
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

/// In the draft that editors know best.
fn schema_of<T: JsonSchema>() -> Schema {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(|schema: &mut Schema| {
        // `uint32` and the like mean nothing to a person who writes JSON.
        schema.remove("format");
        // The source breaks lines where it has to, an editor where it wants to.
        if let Some(Value::String(description)) = schema.get_mut("description") {
            *description = description.replace('\n', " ");
        }
    })
    .transform(&mut schema);
    schema
}

/// What is wanted is one of these sets of fields.
fn one_of_the_sets(schema: &mut Schema, sets: &[&[&str]]) {
    schema.remove("required");
    let sets: Vec<_> = sets.iter().map(|set| serde_json::json!({"required": set})).collect();
    schema.insert("anyOf".to_owned(), sets.into());
}
