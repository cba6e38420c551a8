//! Inference parameters.

use super::Fields;
use crate::model::Family;
use crate::problem::Problem;
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

    /// Returns the problems of parameters that exclude each other or are not supported by this model. Source: the model
    /// parameter pages of the Bedrock user guide.
    pub fn problems_with(&self, family: Family, model_id: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut refuse = |field: &str, value: String, rule: &str| {
            problems.push(Problem::new(format!("inference.{field}"), value, rule).remedy("leave it out"));
        };
        if family.is_embedding() {
            for (field, set) in self.text_only_fields() {
                if set {
                    refuse(field, String::new(), "is not a parameter of embedding models");
                }
            }
            if let Some(normalize) = self.normalize.filter(|_| !family.takes_normalize()) {
                refuse("normalize", normalize.to_string(), "is not a parameter of this model");
            }
            if let Some(dimensions) = self.dimensions
                && !family.embedding_dimensions().contains(&dimensions)
            {
                let rule = format!("must be one of {:?} for {model_id}", family.embedding_dimensions());
                refuse("dimensions", dimensions.to_string(), &rule);
            }
            return problems;
        }
        if let Some(dimensions) = self.dimensions {
            refuse("dimensions", dimensions.to_string(), "is only for embedding models");
        }
        if let Some(normalize) = self.normalize {
            refuse("normalize", normalize.to_string(), "is only for embedding models");
        }
        if let Some(budget) = self.thinking_budget_tokens {
            if family != Family::AnthropicMessages {
                refuse("thinking_budget_tokens", budget.to_string(), "is only for Anthropic models");
            }
            if budget >= self.max_tokens {
                let rule = format!("must be less than max_tokens, which is {}", self.max_tokens);
                refuse("thinking_budget_tokens", budget.to_string(), &rule);
            }
            if self.prefill.is_some() {
                refuse("prefill", String::new(), "cannot be combined with thinking_budget_tokens");
            }
            if self.temperature.is_some() || self.top_p.is_some() || self.top_k.is_some() {
                refuse("temperature, top_p, top_k", String::new(), "cannot be combined with thinking_budget_tokens");
            }
        }
        let one_of_two = ["claude-sonnet-4-5", "claude-haiku-4-5"].iter().any(|name| model_id.contains(name));
        if one_of_two && self.temperature.is_some() && self.top_p.is_some() {
            refuse("top_p", String::new(), "this model accepts either temperature or top_p, not both");
        }
        if family == Family::Converse && self.top_k.is_some() {
            refuse("top_k", String::new(), "is not a parameter of Converse, through which this model is invoked");
        }
        if family == Family::Converse && self.prefill.is_some() {
            refuse("prefill", String::new(), "is not known to be supported by this model");
        }
        problems
    }

    fn text_only_fields(&self) -> [(&'static str, bool); 7] {
        [
            ("temperature", self.temperature.is_some()),
            ("top_p", self.top_p.is_some()),
            ("top_k", self.top_k.is_some()),
            ("stop_sequences", !self.stop_sequences.is_empty()),
            ("system_prompt", self.system_prompt.is_some()),
            ("prefill", self.prefill.is_some()),
            ("thinking_budget_tokens", self.thinking_budget_tokens.is_some()),
        ]
    }
}

fn as_u32(number: u64) -> Option<u32> {
    u32::try_from(number).ok()
}
