//! Prompts: files of `prompt-templates/` or parts of an input, their selection for a row, and the insertion of its cells.

mod choice;
mod field_limit;
mod file;
mod library;
mod named_braces;
mod output_schema;
mod plan_texts;
mod rows_part;
mod template;
mod toml_problem;

pub use choice::{Choice, ExpandedLayout, NamedPrompt, NoPrompt, PromptPlan, PromptReader, normalized};
pub use field_limit::{FieldLimit, hold_to_limits};
pub use file::Prompt;
pub use library::{ExpansionRule, LibraryEntry, MAX_PROMPTS_PER_RULE, PromptLibrary};
pub use named_braces::{NamedBraces, names_in_braces};
pub use output_schema::{OutputSchema, SchemaType};
pub use rows_part::{ROW_ID, ROWS, RowsPart};
pub(crate) use template::looks_like_json;
pub use template::{Piece, Template, TemplateMistake};
