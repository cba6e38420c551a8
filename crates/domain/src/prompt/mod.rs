//! Prompt templates: the files of `prompt-templates/`, their selection for a row, and the insertion of its cells.

mod choice;
mod field_limit;
mod file;
mod library;
mod output_schema;
mod template;

pub use choice::{Choice, ExpandedLayout, NamedPrompt, NoPrompt, PromptPlan, PromptReader, normalized};
pub use field_limit::{FieldLimit, hold_to_limits};
pub use file::Prompt;
pub use library::{ExpansionRule, MAX_PROMPTS_PER_RULE, PromptLibrary};
pub use output_schema::{OutputSchema, SchemaType};
pub use template::{Piece, Template, TemplateMistake};
