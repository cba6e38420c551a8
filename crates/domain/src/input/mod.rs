//! Execution inputs: the JSON that starts an execution, which is validated completely before anything else happens.

mod dataset;
mod fields;
mod inference;
mod inference_check;
mod inline_prompts;
mod invocation;
mod ordered;
mod prompts;
mod references;
mod request;
mod rows;

pub use dataset::DATASET_FIELDS;
pub use fields::Fields;
pub use inference::Inference;
pub(crate) use inline_prompts::read_library;
pub use inline_prompts::{MAX_INLINE_PROMPT_BYTES, MAX_INLINE_PROMPTS};
pub use invocation::{InvocationOptions, ProcessingMode, RetryOn};
pub use ordered::{deserialize_input, parse_input};
pub use prompts::{CATEGORY, DEFAULT, PromptConfig};
pub use request::{MAX_LINK_DAYS, OutputFormat, RunRequest, StackLimits};
pub use rows::{IMAGE_COLUMN, InputKind, InputType, PreviousRun, RowSource};
