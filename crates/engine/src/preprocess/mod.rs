//! Preprocess: converts an execution input to the files of jobs, a job manifest and a frozen plan. Nothing is submitted
//! before it ends, and a repetition writes the same bytes.
//!
//! The parts, in the order in which a run passes through them: [`Preprocessor`] checks the request (`validated_request`)
//! against its `input`, counts the rows (`row_budget`), and writes them (`write_rows`): each batch is converted to
//! the run's `view`, gets its ids, prompts and images (`prompting`), and becomes records in chunk files (`chunks`). `freeze`
//! writes the plan.

mod chunks;
mod dataset_pin;
mod freeze;
mod input;
mod model_pin;
mod own_columns;
mod prompting;
mod row_budget;
mod row_hash;
mod start;
mod start_input;
mod validated_request;
mod view;
mod write_rows;

pub use chunks::{ChunkWriteSpec, Written, write_chunks};
pub use input::{InputReader, InputSummary};
pub use prompting::{PromptedRows, numbered};
pub use start::Preprocessor;
pub use start_input::StartInput;
