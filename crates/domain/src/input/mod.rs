//! What a user asks for: the JSON that starts an execution, checked whole before anything else happens.

mod asking;
mod fields;
mod inference;
mod prompts;
mod request;
mod rows;

pub use asking::{Asking, ProcessingMode, RetryOn};
pub use fields::Fields;
pub use inference::Inference;
pub use prompts::{CATEGORY, DEFAULT, PromptConfig};
pub use request::{LONGEST_LINK_DAYS, OutputFormat, RunRequest, StackLimits};
pub use rows::{IMAGE_COLUMN, InputKind, InputType, PreviousRun, RowSource};
