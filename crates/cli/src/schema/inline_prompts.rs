//! Prompts in an input: the fields of a file of `prompt-templates/`.

use schemars::JsonSchema;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Prompt, with the fields of a file of `prompt-templates/`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Prompt")]
pub(super) struct InlinePrompt {
    /// Purpose of the prompt, for people; never sent to the model.
    #[schemars(length(min = 1))]
    description: String,
    /// User message, with a placeholder `{column}` for each cell to insert. Write `{{` and `}}` for braces.
    #[schemars(length(min = 1))]
    template: String,
    /// System prompt; placed after `inference.system_prompt`.
    system: Option<String>,
    /// First words of the answer, which the model continues.
    prefill: Option<String>,
    /// Fields to extract from each answer.
    output_schema: Option<OutputSchema>,
    /// JSON Schema that the JSON value of an answer must match. Without an `output_schema`, its properties are the columns.
    response_schema: Option<Map<String, Value>>,
    /// Fields of `output_schema` that may only have values of the run's reference data, with the source of these values:
    /// `reference.name.column`, or `reference.name` for a JSON list of texts.
    allowed_values: Option<BTreeMap<String, String>>,
    /// Part that is repeated for each row of a request, in place of `{rows}` in `template`. The answer must be a list of
    /// objects with the `id` of the row each.
    rows: Option<RowsPart>,
}

/// Part of a prompt that is repeated for each row of a request.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
struct RowsPart {
    /// Text of one row, with a placeholder `{column}` for each cell to insert, and `{row_id}` for the id of the row within its
    /// request.
    #[schemars(length(min = 1))]
    template: String,
}

/// Fields to extract from each answer; each becomes a column.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
struct OutputSchema {
    /// `json`: each field has a `JSONPath`. `regex`: each field has a pattern.
    #[schemars(rename = "type")]
    schema_type: SchemaType,
    /// Names of the fields with a `JSONPath` or pattern each, in the order of the columns.
    fields: AnswerFields,
}

/// Way to find the fields of an answer.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum SchemaType {
    Json,
    Regex,
}

/// Fields of answers: an object, or a list of pairs for tools that sort the members of objects.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum AnswerFields {
    #[schemars(extend("minProperties" = 1))]
    Object(BTreeMap<String, String>),
    #[schemars(extend("minItems" = 1))]
    Pairs(Vec<(String, String)>),
}

/// Several prompts that are all sent for one row.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "ExpansionRule")]
pub(super) struct InlineRule {
    /// Purpose of the rule, for people.
    #[schemars(length(min = 1))]
    description: String,
    /// Distinguishes a rule from a prompt.
    #[schemars(extend("const" = true))]
    expansion_rule: bool,
    /// Names of the prompts, in the order of the answers.
    #[schemars(length(min = 1, max = 50), extend("uniqueItems" = true))]
    prompts: Vec<String>,
}

/// Prompt or expansion rule.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(super) enum PromptOrRule {
    Prompt(InlinePrompt),
    Rule(InlineRule),
}
