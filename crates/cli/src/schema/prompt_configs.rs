//! Files of a folder of prompt configurations.

use schemars::JsonSchema;
use serde_json::Value;
use std::collections::BTreeMap;

/// Categories that an answer may name.
#[derive(JsonSchema)]
#[schemars(title = "Category definitions")]
pub(super) struct CategoryDefinitions(#[schemars(length(min = 1, max = 500))] Vec<Category>);

/// Category that an answer may name.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Category {
    /// Name, which answers repeat exactly. Unique; case and outer spaces do not count.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// Meaning of the category.
    #[schemars(length(min = 1, max = 10_000))]
    description: String,
    /// Conditions that hold for it.
    #[schemars(length(min = 1))]
    conditions: Vec<String>,
    /// Words and facts that point to it.
    #[schemars(length(min = 1))]
    key_indicators: Vec<String>,
    /// What looks like the category and does not belong to it.
    exceptions: Option<Vec<String>>,
    /// Real texts that belong to it.
    examples: Option<Vec<String>>,
    /// Rank: categories with lower numbers come first and win where several fit.
    #[schemars(range(min = 0, max = 1_000_000))]
    priority: Option<u32>,
    /// Rules that an answer with this category has to keep.
    validation_rules: Option<Vec<String>>,
    /// Other names of the category, which answers must not use.
    aliases: Option<Vec<String>>,
}

/// Role of the model, merged over the defaults.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "System prompt")]
pub(super) struct SystemPrompt {
    /// JSON Schema with which editors complete and validate this file. Otherwise ignored.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// Role that the model takes. Default: `expert analyst`.
    role_definition: Option<String>,
    /// Fields that it knows.
    expertise_areas: Option<Vec<String>>,
    /// Its tasks, as infinitives: `read the data completely`.
    responsibilities: Option<Vec<String>>,
    /// Its conduct, as imperatives: `be precise`.
    behavioral_guidelines: Option<Vec<String>>,
    /// Tone of the system prompt. Default: `professional`.
    tone: Option<Tone>,
    /// If false, `expertise_areas` are left out. Default: true.
    include_expertise_statement: Option<bool>,
    /// If false, `responsibilities` are left out. Default: true.
    include_task_context: Option<bool>,
}

/// Tone of the system prompt.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
enum Tone {
    Professional,
    Casual,
    Technical,
    Formal,
}

/// Form of an answer, merged over the defaults.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "Output format")]
pub(super) struct OutputFormat {
    /// JSON Schema with which editors complete and validate this file. Otherwise ignored.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// `structured_json` (default): one JSON object. `structured_text`: lines that begin with the names of the fields.
    format_type: Option<FormatType>,
    /// Fields of an answer, in order; `category` is one of them, and `confidence` is a number. Default: `category`,
    /// `confidence`, `key_evidence`, `reasoning`.
    #[schemars(length(min = 1, max = 50))]
    required_fields: Option<Vec<String>>,
    /// Descriptions of the fields, by name.
    field_descriptions: Option<BTreeMap<String, String>>,
    /// Rules for the whole answer.
    validation_requirements: Option<Vec<String>>,
    /// Rules for the evidence.
    evidence_validation_rules: Option<Vec<String>>,
    /// First sentence of the section.
    header_text: Option<String>,
    /// Rules for the form of the answer.
    formatting_rules: Option<Vec<String>>,
    /// Example of a whole answer: an object, a text, or a list of lines.
    example_output: Option<Value>,
    /// If false, the types and ranges of the fields are left out of the prompt. Default: true.
    include_field_constraints: Option<bool>,
    /// If false, `formatting_rules` are left out. Default: true.
    include_formatting_rules: Option<bool>,
}

/// Form of an answer.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum FormatType {
    StructuredJson,
    StructuredText,
}

/// Parts of the instructions, all of which are included by default.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "Instruction")]
pub(super) struct Instruction {
    /// JSON Schema with which editors complete and validate this file. Otherwise ignored.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// If true, the steps of the analysis are listed.
    include_analysis_steps: Option<bool>,
    /// If true, the prompt says how to decide between categories.
    include_decision_criteria: Option<bool>,
    /// If true, the prompt says what to do with data that fits no category or several.
    include_edge_case_handling: Option<bool>,
    /// If true, the prompt says what the values of `confidence` mean.
    include_confidence_guidance: Option<bool>,
    /// If true, the prompt says what the reasoning has to explain.
    include_reasoning_requirements: Option<bool>,
    /// If true, the steps of the analysis are numbered.
    step_by_step_format: Option<bool>,
    /// If true, the prompt says what counts as evidence.
    include_evidence_validation: Option<bool>,
}
