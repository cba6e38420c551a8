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
mod show;
mod stack;
mod standing;
mod start;
mod status;
mod stop;
mod table;
mod totals;
mod upload;

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

/// One file of this crate each.
#[derive(Debug, Subcommand)]
enum Command {
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
    let stack = Stack::find(&cli.stack).await?;
    match cli.command {
        Command::Start(arguments) => Box::pin(start::run(&stack, &arguments)).await,
        Command::Status(arguments) => Box::pin(status::run(&stack, &arguments)).await,
        Command::Download(arguments) => Box::pin(download::run(&stack, &arguments)).await,
        Command::Show(arguments) => Box::pin(show::run(&stack, &arguments)).await,
        Command::Stop(arguments) => Box::pin(stop::run(&stack, &arguments)).await,
        Command::Resume(arguments) => Box::pin(resume::run(&stack, &arguments)).await,
        Command::Collect(arguments) => Box::pin(collect::run(&stack, &arguments)).await,
    }
}
