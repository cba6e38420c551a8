//! Fields of which one of several sets is required.

use schemars::Schema;

/// Requires one of these sets of fields to be present.
pub(super) fn require_any_set(schema: &mut Schema, sets: &[&[&str]]) {
    schema.remove("required");
    let sets: Vec<_> = sets.iter().map(|set| serde_json::json!({"required": set})).collect();
    schema.insert("anyOf".to_owned(), sets.into());
}
