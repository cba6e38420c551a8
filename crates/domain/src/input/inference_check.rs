//! Inference parameters that exclude each other, or that a model does not support.

use super::Inference;
use crate::model::{Family, Model, RefusedParameter};
use crate::printable::is_blank;
use crate::problem::Problem;
use serde_json::Value;

/// Returns the problem of a prefill that ends in white space, with which Claude models refuse every request.
pub(crate) fn prefill_problem(field: impl Into<String>) -> Problem {
    let rule = "ends in white space, and Claude models refuse every request with such a prefill";
    Problem::without_value(field, rule).remedy("remove the spaces and line breaks at its end")
}

impl Inference {
    /// Returns the problems of parameters that exclude each other or are not supported by this model. Source: the model
    /// parameter pages of the Bedrock user guide.
    pub fn problems_with(&self, model: &Model) -> Vec<Problem> {
        let (family, model_id) = (model.family, model.id.as_str());
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
        problems.extend(self.texts_refused_by(model));
        problems.extend(self.refused_by(model));
        problems
    }

    /// Returns the problems of texts of which the model refuses every request.
    fn texts_refused_by(&self, model: &Model) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.system_prompt.as_deref().is_some_and(|text| !text.is_empty() && is_blank(text)) {
            let rule = "has only white space, which models refuse";
            problems.push(Problem::without_value("inference.system_prompt", rule).remedy("leave it out"));
        }
        let refuses_white_space = model.family == Family::AnthropicMessages;
        let stops = &self.stop_sequences;
        if let Some(empty) =
            stops.iter().find(|text| text.is_empty() || (refuses_white_space && text.trim().is_empty()))
        {
            let rule = match empty.as_str() {
                "" => "contains an empty text".to_owned(),
                text => format!(
                    "contains {}, and Claude models refuse stop sequences of only white space",
                    Value::from(text)
                ),
            };
            problems.push(Problem::without_value("inference.stop_sequences", rule).remedy("leave it out"));
        }
        if refuses_white_space && self.prefill.as_deref().is_some_and(|text| text.ends_with(char::is_whitespace)) {
            problems.push(prefill_problem("inference.prefill"));
        }
        problems
    }

    /// Returns the problems of parameters that this model refuses, and of an answer that is longer than it can be.
    fn refused_by(&self, model: &Model) -> Vec<Problem> {
        let is_set = |parameter: RefusedParameter| match parameter {
            RefusedParameter::Temperature => self.temperature.is_some(),
            RefusedParameter::TopP => self.top_p.is_some(),
            RefusedParameter::TopK => self.top_k.is_some(),
            RefusedParameter::Prefill => self.prefill.is_some(),
            RefusedParameter::ThinkingBudgetTokens => self.thinking_budget_tokens.is_some(),
        };
        let refused = model.refuses.iter().filter(|parameter| is_set(**parameter)).map(|parameter| {
            let rule = format!("`{}` refuses every request with this parameter", model.id);
            let remedy = match parameter {
                RefusedParameter::Prefill => {
                    "leave it out, also of the prompt, and describe the form of the answer there"
                }
                RefusedParameter::ThinkingBudgetTokens => {
                    "leave it out: this model decides itself how much it thinks, within max_tokens"
                }
                _ => "leave it out: the prompt says how varied answers may be",
            };
            Problem::without_value(format!("inference.{}", parameter.field()), rule).remedy(remedy)
        });
        let mut problems: Vec<Problem> = refused.collect();
        if let Some(most) = model.max_output_tokens.filter(|most| self.max_tokens > *most) {
            let rule = format!("must be at most {most}, the longest answer of `{}`", model.id);
            let problem = Problem::new("inference.max_tokens", self.max_tokens, rule);
            problems.push(problem.remedy(format!("set it to {most}, or choose another model")));
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
