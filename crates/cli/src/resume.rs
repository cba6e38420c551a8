//! `bedrock-batch resume`: submits the rows that an ended run left unsent or unanswered.

use crate::continue_run::{Arguments, Continuation, continue_run};
use crate::failure::Failure;
use crate::stack::Stack;

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    continue_run(stack, arguments, Continuation::Resume).await
}
