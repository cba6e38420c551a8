//! Inference parameters.

use schemars::JsonSchema;

/// Inference parameters. Absent parameters have the default values of the model.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub(super) struct Inference {
    /// Maximum number of tokens of an answer, including thinking. Default: 1024.
    #[schemars(range(min = 1, max = 200_000))]
    max_tokens: Option<u32>,
    /// Randomness of the answer.
    #[schemars(range(min = 0.0, max = 1.0))]
    temperature: Option<f64>,
    /// Nucleus sampling: cumulative probability of the tokens to sample from.
    #[schemars(range(min = 0.0, max = 1.0))]
    top_p: Option<f64>,
    /// Number of most likely tokens to sample from.
    #[schemars(range(min = 0, max = 500))]
    top_k: Option<u32>,
    /// Texts that end the answer.
    stop_sequences: Option<Vec<String>>,
    /// System prompt; placed before the `system` of the prompt template.
    system_prompt: Option<String>,
    /// Beginning of the answer. Default: that of the prompt template.
    prefill: Option<String>,
    /// Number of tokens within which Claude may think before it answers; less than `max_tokens`.
    #[schemars(range(min = 1024, max = 199_999))]
    thinking_budget_tokens: Option<u32>,
    /// Embedding models: number of dimensions of an embedding.
    #[schemars(range(min = 1, max = 8192))]
    dimensions: Option<u32>,
    /// Embedding models: if true, embeddings are normalized to length 1. Default: that of the model, which is true.
    normalize: Option<bool>,
}
