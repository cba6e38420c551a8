//! Human-readable totals of a run.

mod lines;
mod unpriced;

use crate::failure::Failure;
use crate::outputs::run_output;
use crate::stack::Stack;
use crate::terminal::outln;
use bedrock_batch_domain::ids::RunId;
pub(crate) use lines::usd;
use unpriced::Unpriced;

/// Prints the totals of a run that has finished.
pub(crate) async fn print_totals(stack: &Stack, run: &str) -> Result<(), Failure> {
    let output = run_output(stack, &RunId::of_execution(run)).await?;
    let unpriced = stack.plan(run).await?.as_ref().map(Unpriced::of).unwrap_or_default();
    for line in lines::lines(&output, &unpriced) {
        outln!("{line}");
    }
    Ok(())
}
