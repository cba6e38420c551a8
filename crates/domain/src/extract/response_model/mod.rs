//! Response models: a JSON Schema as the definition of the fields of an answer.
//!
//! A [`Document`](node::Document) resolves the references of a schema, [`columns`] flattens its properties to typed columns,
//! [`matchers`] replaces what stands for an allowed value by that value, and [`keywords`] finds what could not be held.

mod columns;
mod keywords;
mod matchers;
mod node;

pub(super) use columns::{ModelColumn, columns_of};
pub(super) use keywords::keyword_problems;
pub(super) use matchers::{ValueMatcher, matcher_of};
