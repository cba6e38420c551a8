//! `bedrock-batch status`.

use crate::failure::Failure;
use crate::outputs::run_output;
use crate::progress::Standing;
use crate::say::say;
use crate::stack::Stack;
use crate::totals::print_totals;
use bedrock_batch_domain::layout::run_id;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The run's name
    run: String,
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    let run = &arguments.run;
    let execution = stack.execution(run).await?;
    say!("run {run}: {}", execution.status);
    if let Some(plan) = stack.plan(run).await? {
        let standing = Standing::of(&plan, &stack.jobs(&plan).await?);
        say!("  {}", standing.line());
    }
    match execution.status.as_str() {
        "SUCCEEDED" => print_totals(&run_output(stack, &run_id(run)).await?),
        "RUNNING" => {}
        _ => say!("  {}: {}", execution.error.unwrap_or_default(), execution.cause.unwrap_or_default()),
    }
    Ok(())
}
