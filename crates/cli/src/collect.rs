//! `bedrock-batch collect`: joins the answers that a run has, and asks nothing.

use crate::failure::Failure;
use crate::go_on::{Arguments, GoOn, go_on};
use crate::stack::Stack;

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    go_on(stack, arguments, GoOn::Collect).await
}
