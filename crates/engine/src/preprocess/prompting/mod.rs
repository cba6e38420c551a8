//! Conversion of the rows of an input to prompted rows, with ids, prompts and images.

mod images_ahead;
mod prompted_rows;
mod record_ids;
mod row_prompter;
mod screen;

pub use prompted_rows::{PromptedRows, numbered};
pub(super) use row_prompter::{RowPrompter, Survey};
pub(super) use screen::Screen;
