//! Following a run to its end, for those who wait for it.

use crate::failure::Failure;
use crate::progress::watch;
use crate::stack::Stack;
use crate::totals::print_totals;

/// Watches the execution that has the run in hand, and prints what the run came to; fails if the execution does.
pub(crate) async fn follow(stack: &Stack, run: &str, execution_arn: &str) -> Result<(), Failure> {
    let execution = watch(stack, run, execution_arn).await?;
    if !execution.has_succeeded() {
        return Err(Failure::Failed(format!("run {run} {}", execution.end())));
    }
    print_totals(stack, run).await
}
