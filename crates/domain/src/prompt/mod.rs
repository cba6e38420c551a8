//! Prompt templates: the files of `prompt-templates/`, and how a row's cells get into them.

mod file;
mod template;

pub use file::Prompt;
pub use template::{Piece, Template};
