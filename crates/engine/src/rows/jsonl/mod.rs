//! JSON lines: one object per line. A first pass over all files of an input determines one table of them, a second pass reads it
//! in batches.

mod builder;
mod column_kinds;
mod json_table;
mod lines;
mod names;
mod problems;
mod read;
mod value;

pub use column_kinds::JsonType;
pub use json_table::{JsonColumns, JsonShape, JsonTable};
pub use read::JsonRows;

#[cfg(test)]
mod tests;
