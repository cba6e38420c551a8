//! `bedrock-batch`: starts runs, watches them and fetches their answers. Results go to stdout or to files, messages for
//! the user to stderr.
#![cfg_attr(
    test,
    allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "tests print, and write files")
)]

mod collect;
mod continue_run;
mod doctor;
mod download;
mod executions;
mod failure;
mod follow;
mod follow_pipeline;
mod inline_prompts;
mod input_runs;
mod local_files;
mod models;
mod outputs;
mod pipeline_run;
mod pipeline_totals;
mod private_folder;
mod prompts;
mod resume;
mod run;
mod run_progress;
mod schema;
mod show;
mod stack;
mod start;
mod status;
mod stop;
mod table;
mod template_files;
mod terminal;
mod totals;
mod upload;
mod validate;
mod watch;

use clap::{Parser, Subcommand};
use failure::Failure;
use stack::{Stack, StackOptions};
use std::process::ExitCode;

/// Run Amazon Bedrock batch inference over tables
#[derive(Debug, Parser)]
#[command(name = "bedrock-batch", version)]
struct Cli {
    #[command(flatten)]
    stack: StackOptions,
    #[command(subcommand)]
    command: Command,
}

/// Commands; each has its own file or folder in this crate.
#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    OfStack(StackCommand),
    /// Check the input of a run or a pipeline without AWS; prints all problems, one per line
    Validate(validate::Arguments),
    /// List the complete ids of models, with their regions and inference profiles, without AWS
    Models(models::Arguments),
    /// Print the JSON Schema of an input or of a file of prompt configurations
    Schema(schema::Arguments),
    /// Look at an AWS account before the first run: each line says `ok`, or what to do
    Doctor(doctor::Arguments),
    /// Generate prompts from definitions of categories, without AWS
    Prompts(prompts::Arguments),
}

/// Commands that need a deployed stack.
#[derive(Debug, Subcommand)]
enum StackCommand {
    /// Start a run or a pipeline from a JSON file; local inputs that it names are uploaded
    Start(start::Arguments),
    /// Show a run's status
    Status(status::Arguments),
    /// Download a run's answers, as Parquet (or CSV) and as JSONL
    Download(download::Arguments),
    /// Show the first answered rows of a run
    Show(show::Arguments),
    /// Stop a run and its jobs
    Stop(stop::Arguments),
    /// Resume a run that has ended: submit the rows that have no answer yet
    Resume(continue_run::Arguments),
    /// Write out the answers that a stopped or failed run has; sends no requests to the model
    Collect(continue_run::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli: Cli = match terminal::parse_arguments() {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(u8::try_from(code).unwrap_or(2)),
    };
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::report_failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Models(arguments) => models::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Doctor(arguments) => Box::pin(doctor::run(&cli.stack, &arguments)).await,
        Command::Prompts(arguments) => prompts::run(&arguments),
        Command::OfStack(command) => Box::pin(run_on_stack(&Stack::find(&cli.stack).await?, command)).await,
    }
}

async fn run_on_stack(stack: &Stack, command: StackCommand) -> Result<(), Failure> {
    match command {
        StackCommand::Start(arguments) => Box::pin(start::run(stack, &arguments)).await,
        StackCommand::Status(arguments) => Box::pin(status::run(stack, &arguments)).await,
        StackCommand::Download(arguments) => Box::pin(download::run(stack, &arguments)).await,
        StackCommand::Show(arguments) => Box::pin(show::run(stack, &arguments)).await,
        StackCommand::Stop(arguments) => Box::pin(stop::run(stack, &arguments)).await,
        StackCommand::Resume(arguments) => Box::pin(resume::run(stack, &arguments)).await,
        StackCommand::Collect(arguments) => Box::pin(collect::run(stack, &arguments)).await,
    }
}
