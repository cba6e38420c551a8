//! Follows a run to its end, for `--wait`.

use crate::failure::Failure;
use crate::stack::Stack;
use crate::totals::print_totals;
use crate::watch::watch;
use bedrock_batch_domain::ids::ExecutionArn;

/// Watches the execution that owns the run and prints the run's totals.
///
/// # Errors
/// Returns an error if the execution fails or cannot be observed.
pub(crate) async fn follow(stack: &Stack, run: &str, execution_arn: &ExecutionArn) -> Result<(), Failure> {
    let execution = watch(stack, run, execution_arn).await?;
    if !execution.has_succeeded() {
        return Err(Failure::Failed(format!("run {run} {}", execution.outcome())));
    }
    print_totals(stack, run).await
}
