//! `bedrock-batch`: start runs, watch them, get their answers. Answers go to stdout or files, talk goes to stderr.
#![expect(clippy::print_stderr, reason = "a command line program talks to people on stderr")]

mod collect;
mod download;
mod executions;
mod failure;
mod follow;
mod follow_pipeline;
mod go_on;
mod outputs;
mod pipeline_run;
mod pipeline_totals;
mod progress;
mod resume;
mod run;
mod say;
mod schema;
mod show;
mod stack;
mod standing;
mod start;
mod status;
mod stop;
mod table;
mod totals;
mod upload;
mod validate;

use clap::{Parser, Subcommand};
use failure::Failure;
use stack::{Stack, StackOptions};
use std::process::ExitCode;

/// Runs Amazon Bedrock batch inference over tables.
#[derive(Debug, Parser)]
#[command(name = "bedrock-batch", version)]
struct Cli {
    #[command(flatten)]
    stack: StackOptions,
    #[command(subcommand)]
    command: Command,
}

/// One file or folder of this crate each.
#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    OfStack(StackCommand),
    /// Check the input of a run or a pipeline without AWS: says all that is wrong, a problem a line
    Validate(validate::Arguments),
    /// Print the JSON Schema of an input
    Schema(schema::Arguments),
}

/// What needs a deployed stack.
#[derive(Debug, Subcommand)]
enum StackCommand {
    /// Start a run from a JSON file; local inputs that it names are uploaded
    Start(start::Arguments),
    /// Say how a run stands
    Status(status::Arguments),
    /// Get a run's answers, as Parquet (or CSV) and as JSONL
    Download(download::Arguments),
    /// Show the first answered rows of a run
    Show(show::Arguments),
    /// Stop a run and its jobs
    Stop(stop::Arguments),
    /// Go on with a run that has ended: ask what is not answered yet
    Resume(go_on::Arguments),
    /// Join the answers that a run has that was stopped or failed; asks nothing
    Collect(go_on::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
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
