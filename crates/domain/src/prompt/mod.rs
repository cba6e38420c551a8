//! Prompt templates: the files of `prompt-templates/`, their selection for a row, and the insertion of its cells.

mod choice;
mod file;
mod library;
mod output_schema;
mod rows_part;
mod template;

pub use choice::{Choice, ExpandedLayout, NamedPrompt, NoPrompt, PromptPlan, PromptReader, normalized};
pub use file::Prompt;
pub use library::{ExpansionRule, MAX_PROMPTS_PER_RULE, PromptLibrary};
pub use output_schema::{OutputSchema, SchemaType};
pub use rows_part::{ROW_ID, ROWS, RowsPart};
pub use template::{Piece, Template, TemplateMistake};
