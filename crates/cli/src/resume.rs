//! `bedrock-batch resume`: asks what a run that has ended left unasked or unanswered.

use crate::failure::Failure;
use crate::go_on::{Arguments, GoOn, go_on};
use crate::stack::Stack;

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    go_on(stack, arguments, GoOn::Resume).await
}
