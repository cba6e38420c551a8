//! How a model is to answer.

use schemars::JsonSchema;

/// How the model is to answer. What is absent is the model's own default.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub(super) struct Inference {
    /// The most tokens of an answer, thinking included. Default: 1024.
    #[schemars(range(min = 1, max = 200_000))]
    max_tokens: Option<u32>,
    /// Randomness.
    #[schemars(range(min = 0.0, max = 1.0))]
    temperature: Option<f64>,
    /// Nucleus sampling.
    #[schemars(range(min = 0.0, max = 1.0))]
    top_p: Option<f64>,
    /// Sample from the k likeliest tokens.
    #[schemars(range(min = 0, max = 500))]
    top_k: Option<u32>,
    /// Texts that end the answer.
    stop_sequences: Option<Vec<String>>,
    /// Goes before the prompt template's own `system`.
    system_prompt: Option<String>,
    /// The first words of the answer. Default: the prompt template's own.
    prefill: Option<String>,
    /// Lets Claude think first, within so many tokens; under `max_tokens`.
    #[schemars(range(min = 1024, max = 199_999))]
    thinking_budget_tokens: Option<u32>,
    /// Embedding models: the length of an embedding.
    #[schemars(range(min = 1, max = 8192))]
    dimensions: Option<u32>,
    /// Embedding models: whether embeddings have length 1. The model's default is yes.
    normalize: Option<bool>,
}
