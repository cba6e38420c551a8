//! `bedrock-batch prompts`: prompts that are generated from definitions of categories.

mod folder;
mod generate;
mod report;

use crate::failure::Failure;
use bedrock_batch_domain::prompt_generation::{self, GenerationTime, PromptConfiguration, Settings};
use clap::{Args, Subcommand};
use folder::Folder;
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

/// Checks a folder of prompt configurations and prints the report.
pub(crate) fn validate(folder: &Path) -> Result<(), Failure> {
    let Folder { files, mut problems } = folder::read(folder)?;
    let (config, found) = PromptConfiguration::read(&files);
    problems.extend(found);
    let Some(config) = config.filter(|_| problems.is_empty()) else {
        return Err(Failure::Failed(report::problems(folder, &problems)));
    };
    // No problem and no issue depends on the time.
    let generated = prompt_generation::generate(&config, &Settings::default(), GenerationTime::from_unix_seconds(0))
        .map_err(|problem| Failure::Failed(report::problems(folder, &[problem])))?;
    report::valid(folder, &generated.metadata);
    report::quality(&generated.metadata);
    Ok(())
}
