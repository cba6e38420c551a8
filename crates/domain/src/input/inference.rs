//! Inference parameters.

use super::Fields;
use serde::{Deserialize, Serialize};

/// Inference parameters. Absent values are the defaults of the model, except for [`Inference::max_tokens`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inference {
    /// Maximum number of tokens of an answer, including thinking.
    pub max_tokens: u32,
    /// Randomness of the answer, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling: cumulative probability of the tokens to sample from, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Number of most likely tokens to sample from, 0 to 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    /// Texts that end the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop_sequences: Vec<String>,
    /// System prompt; placed before the `system` of the prompt template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// Beginning of the answer; by default that of the prompt template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill: Option<String>,
    /// Number of tokens within which Claude may think before it answers: at least 1,024 and less than `max_tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking_budget_tokens: Option<u32>,
    /// Number of dimensions of an embedding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u32>,
    /// If true, embeddings are normalized to length 1; the default of the model is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<bool>,
}

/// Default of `inference.max_tokens`.
const DEFAULT_MAX_TOKENS: u32 = 1024;

impl Default for Inference {
    fn default() -> Self {
        Self {
            max_tokens: DEFAULT_MAX_TOKENS,
            temperature: None,
            top_p: None,
            top_k: None,
            stop_sequences: Vec::new(),
            system_prompt: None,
            prefill: None,
            thinking_budget_tokens: None,
            dimensions: None,
            normalize: None,
        }
    }
}

impl Inference {
    /// Reads the object `inference`, adding problems of single fields to `fields`.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        let max_tokens = fields.integer("max_tokens", 1, 200_000);
        Self {
            max_tokens: max_tokens.and_then(as_u32).unwrap_or(DEFAULT_MAX_TOKENS),
            temperature: fields.number("temperature", 0.0, 1.0),
            top_p: fields.number("top_p", 0.0, 1.0),
            top_k: fields.integer("top_k", 0, 500).and_then(as_u32),
            stop_sequences: fields.texts("stop_sequences").unwrap_or_default().into_iter().map(str::to_owned).collect(),
            system_prompt: fields.text("system_prompt").map(str::to_owned),
            prefill: fields.text("prefill").map(str::to_owned),
            thinking_budget_tokens: fields.integer("thinking_budget_tokens", 1024, 199_999).and_then(as_u32),
            dimensions: fields.integer("dimensions", 1, 8192).and_then(as_u32),
            normalize: fields.boolean("normalize"),
        }
    }
}

fn as_u32(number: u64) -> Option<u32> {
    u32::try_from(number).ok()
}
