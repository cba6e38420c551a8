//! Reference data of a request: small tables, lists and texts that prompts insert (`{reference.name}`), and that hold the
//! fields of answers to their values ([`ValueSource`]).
//!
//! A reference is read once, when a run starts, and is frozen in the plan. `{reference.name}` is the same text in every record;
//! it is never read as a template.

mod compact_json;
mod content;
mod csv_table;
mod json_values;
mod name;
mod placeholder;
mod value_source;

pub use content::{Reference, ReferenceFormat, ReferenceSource, address_rule};
pub use name::{name_rule, reference_of};
pub use placeholder::names_in_text;
pub use value_source::ValueSource;

use crate::problem::Problem;

/// Maximum number of references of a request.
pub const MAX_REFERENCES: usize = 10;
/// Maximum size of all references of a request together. They are in the plan, which every function reads.
pub const MAX_REFERENCE_BYTES: u64 = 4_000_000;
/// Number of bytes that are assumed per token.
const BYTES_PER_TOKEN: u64 = 4;

/// Estimates the number of tokens of a text. The real number depends on the model and the language.
pub fn estimated_tokens(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// Returns the problem of references that are too large together.
pub fn total_size_problem(references: &[Reference]) -> Option<Problem> {
    let bytes: u64 = references.iter().map(|reference| reference.text.len() as u64).sum();
    (bytes > MAX_REFERENCE_BYTES).then(|| {
        let rule =
            format!("has {bytes} bytes, but all references of a run together may have at most {MAX_REFERENCE_BYTES}");
        Problem::without_value("reference", rule).remedy("shorten them")
    })
}

/// Finds a reference by its name.
pub fn find<'a>(references: &'a [Reference], name: &str) -> Option<&'a Reference> {
    references.iter().find(|reference| reference.name == name)
}
