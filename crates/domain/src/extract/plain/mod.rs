//! The usual answers, read without a tree in between: lists of flat objects whose fields a simple schema checks.
//!
//! Everything else, and whatever does not match, is left to the general way, which decides and has the messages. Both have the
//! same fields for whatever is read here.

mod cell;
mod fields;
mod list;
mod rule;
#[cfg(test)]
mod tests;

pub use cell::PlainCell;
pub use fields::PlainFields;
pub use list::{CellColumns, PlainAnswer, PlainLists};
