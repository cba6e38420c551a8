//! What a user asks for: the JSON that starts an execution, checked whole before anything else happens.

mod fields;
mod inference;
mod request;

pub use fields::Fields;
pub use inference::Inference;
pub use request::{OutputFormat, RunRequest, StackLimits};
