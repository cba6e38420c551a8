//! `bedrock-batch collect`: joins the answers that a run has and sends no requests.

use crate::continue_run::{Arguments, Continuation, continue_run};
use crate::failure::Failure;
use crate::stack::Stack;

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    continue_run(stack, arguments, Continuation::Collect).await
}
