//! Which prompts rows are asked.

use schemars::JsonSchema;
use std::collections::BTreeMap;

/// Which prompts rows are asked.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(super) enum PromptConfig {
    Single(Single),
    Mapped(Mapped),
    Expanded(Expanded),
}

/// The same prompt for all rows.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub(super) struct Single {
    mode: Option<SingleMode>,
    /// A file of `prompt-templates/`, without `.toml`.
    prompt_id: String,
}

/// One prompt a row, by the value of a column.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub(super) struct Mapped {
    mode: MappedMode,
    /// The column that holds the `prompt_id`; with `category_to_prompt_mapping`, the column whose values are looked up
    /// there, or `category` where the rows have no such column.
    column_name: String,
    /// Prompts by value; the same as `category_to_prompt_mapping` beside `prompt_config`.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 10_000))]
    category_to_prompt_mapping: Option<BTreeMap<String, String>>,
}

/// Several prompts a row, by the value of a column.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub(super) struct Expanded {
    mode: ExpandedMode,
    /// The column whose values are looked up in `expansion_mapping`.
    category_column: String,
    /// Expansion rules by value; `default` for all other values. Case and outer spaces do not count.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 10_000))]
    expansion_mapping: BTreeMap<String, String>,
}

/// The same prompt for all rows.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
pub(super) enum SingleMode {
    Single,
}

/// One prompt a row.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
pub(super) enum MappedMode {
    Mapped,
}

/// Several prompts a row.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
pub(super) enum ExpandedMode {
    Expanded,
}

/// How several answers to one row come out.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
pub(super) enum ExpandedLayout {
    Long,
    Wide,
}
