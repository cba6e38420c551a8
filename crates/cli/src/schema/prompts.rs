//! Selection of the prompts for each row.

use super::inline_prompts::InlinePrompt;
use super::required_sets::require_any_set;
use schemars::{JsonSchema, Schema};
use std::collections::BTreeMap;

/// Selection of the prompts for each row.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(super) enum PromptConfig {
    Single(Single),
    Mapped(Mapped),
    Expanded(Expanded),
}

/// The same prompt for every row.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline, transform = require_prompt)]
pub(super) struct Single {
    mode: Option<SingleMode>,
    /// Name of a prompt in `prompts`, or of a file in `prompt-templates/`, without `.toml`.
    prompt_id: Option<String>,
    /// The prompt itself, in place of its name.
    prompt: Option<InlinePrompt>,
}

fn require_prompt(schema: &mut Schema) {
    require_any_set(schema, &[&["prompt_id"], &["prompt"], &["mode"]]);
}

/// One prompt per row, by the value of a column.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub(super) struct Mapped {
    mode: MappedMode,
    /// Column that holds the `prompt_id`; with `category_to_prompt_mapping`, the column whose values are looked up there,
    /// or `category` if the rows do not have that column.
    column_name: String,
    /// Prompts by value; equivalent to `category_to_prompt_mapping` next to `prompt_config`.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 10_000))]
    category_to_prompt_mapping: Option<BTreeMap<String, String>>,
}

/// Several prompts per row, by the value of a column.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub(super) struct Expanded {
    mode: ExpandedMode,
    /// Column whose values are looked up in `expansion_mapping`.
    category_column: String,
    /// Expansion rules by value; `default` applies to all other values. Case and surrounding spaces are ignored.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 10_000))]
    expansion_mapping: BTreeMap<String, String>,
}

/// The same prompt for every row.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
pub(super) enum SingleMode {
    Single,
}

/// One prompt per row.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
pub(super) enum MappedMode {
    Mapped,
}

/// Several prompts per row.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
pub(super) enum ExpandedMode {
    Expanded,
}

/// Layout of several answers to one row.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
pub(super) enum ExpandedLayout {
    Long,
    Wide,
}
