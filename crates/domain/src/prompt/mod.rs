//! Prompt templates: the files of `prompt-templates/`, and how a row's cells get into them.

mod file;
mod output_schema;
mod template;

pub use file::Prompt;
pub use output_schema::{OutputSchema, SchemaType};
pub use template::{Piece, Template};
