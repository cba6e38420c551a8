//! Execution inputs: the JSON that starts an execution, which is validated completely before anything else happens.

mod dataset;
mod fields;
mod inference;
mod inference_check;
mod invocation;
mod prompts;
mod request;
mod rows;

pub use dataset::DATASET_FIELDS;
pub use fields::Fields;
pub use inference::Inference;
pub use invocation::{InvocationOptions, ProcessingMode, RetryOn};
pub use prompts::{CATEGORY, DEFAULT, PromptConfig};
pub use request::{MAX_LINK_DAYS, OutputFormat, RunRequest, StackLimits};
pub use rows::{IMAGE_COLUMN, InputKind, InputType, PreviousRun, RowSource};
