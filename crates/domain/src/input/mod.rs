//! What a user asks for: the JSON that starts an execution, checked whole before anything else happens.

mod asking;
mod fields;
mod inference;
mod request;

pub use asking::{Asking, ProcessingMode, RetryOn};
pub use fields::Fields;
pub use inference::Inference;
pub use request::{OutputFormat, RunRequest, StackLimits};
