//! Response models: a JSON Schema as the definition of the fields of an answer.
//!
//! A [`Document`](node::Document) resolves the references of a schema, [`columns`] flattens its properties to typed columns,
//! [`matchers`] replaces what stands for an allowed value by that value, [`keywords`] finds what could not be held, and [`work`] what
//! would never end.

mod columns;
mod keywords;
mod matchers;
mod node;
mod work;

pub(super) use columns::{ModelColumn, columns_of};
pub(super) use keywords::keyword_problems;
pub(super) use matchers::{ValueMatcher, matcher_of};
pub(super) use work::check_work;

/// Returns true if a value of the schema `root` has a member of this name: one that is described, or required.
pub(crate) fn describes_member(root: &serde_json::Value, name: &str) -> bool {
    let node = node::Document::new(root).root_node();
    let mut required = node.all("required").filter_map(serde_json::Value::as_array).flatten();
    required.any(|member| member == name) || node.all("properties").any(|members| members.get(name).is_some())
}
