//! Inference parameters that exclude each other, or that a model does not support.

use super::Inference;
use crate::model::Family;
use crate::problem::Problem;

impl Inference {
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
