//! Prompt templates: the files of `prompt-templates/`, which of them a row is asked, and how its cells get into them.

mod choice;
mod file;
mod library;
mod output_schema;
mod template;

pub use choice::{Choice, ExpandedLayout, NamedPrompt, NoPrompt, PromptPlan, PromptReader, normalized};
pub use file::Prompt;
pub use library::{ExpansionRule, MOST_PROMPTS_OF_A_RULE, PromptLibrary};
pub use output_schema::{OutputSchema, SchemaType};
pub use template::{Piece, Template};
