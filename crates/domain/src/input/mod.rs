//! Execution inputs: the JSON that starts an execution, which is validated completely before anything else happens.

mod answers;
mod caps;
mod continued_run;
mod dataset;
mod fields;
mod inference;
mod inference_check;
mod inline_prompts;
mod invocation;
mod ordered;
mod pinned_object;
mod prompt_templates;
mod prompts;
mod references;
mod request;
mod rows;
mod sending;
mod stored_request;

pub use answers::{AnswerOptions, ResponseFormat};
pub use caps::{MAX_COST_USD, MAX_RECORDS_TOTAL, RunCaps};
pub use continued_run::{COLLECT_RUN, RESUME_RUN, continued_run, continued_run_of};
pub use dataset::DATASET_FIELDS;
pub use fields::Fields;
pub use inference::Inference;
pub(crate) use inference_check::prefill_problem;
pub(crate) use inline_prompts::read_library;
pub use inline_prompts::{MAX_INLINE_PROMPT_BYTES, MAX_INLINE_PROMPTS};
pub use invocation::{InvocationOptions, ProcessingMode, RetryOn};
pub use ordered::{deserialize_input, parse_input};
pub use pinned_object::{deleted, is_same_etag, overwritten};
pub use prompt_templates::TemplateSource;
pub use prompts::{CATEGORY, DEFAULT, PromptConfig};
pub use request::{MAX_LINK_DAYS, OutputFormat, RunRequest, StackLimits};
pub use rows::{IMAGE_COLUMN, InputKind, InputType, PreviousRun, RowSource};
pub use sending::SendingOptions;
