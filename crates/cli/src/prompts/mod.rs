//! `bedrock-batch prompts`: prompts that are generated from definitions of categories.

mod folder;
mod generate;
mod output_folder;
mod report;

use crate::failure::Failure;
use bedrock_batch_domain::prompt_generation::{GenerationTime, SettingTexts};
use clap::{Args, Subcommand};
pub(crate) use folder::folder_of;
use std::path::Path;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: PromptsCommand,
}

#[derive(Debug, Subcommand)]
enum PromptsCommand {
    /// Generate a prompt, its metadata and the schema of its answers
    Generate(generate::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        PromptsCommand::Generate(arguments) => generate::run(arguments),
    }
}

/// Checks a folder of prompt configurations, with the settings of the environment, and prints the report.
pub(crate) fn validate(folder: &Path) -> Result<(), Failure> {
    let texts = SettingTexts::of_variables(|name| std::env::var(name).ok());
    // No problem and no issue depends on the time.
    let generated = folder::generated(folder, &texts, GenerationTime::default())?
        .map_err(|problems| Failure::Failed(report::problems(folder, &problems)))?;
    report::valid(folder, &generated.metadata);
    report::quality(&generated.metadata, false);
    Ok(())
}
