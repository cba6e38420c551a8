//! What reads the answers to each prompt of a run.

use bedrock_batch_domain::input::Inference;
use bedrock_batch_domain::model::effective_prefill;
use bedrock_batch_domain::problem::Problems;
use bedrock_batch_domain::prompt::{PromptPlan, PromptReader};
use std::collections::HashMap;

/// The prompts of a run, as far as reading their answers goes.
#[derive(Debug, Default)]
pub struct PromptsRead {
    readers: Vec<PromptReader>,
    /// What every answer to a prompt begins with; empty for nothing.
    prefills: Vec<String>,
    /// The fields of all prompts, each once.
    pub(super) fields: Vec<String>,
    numbers: HashMap<String, u16>,
    /// Whether rows have different prompts, and say which.
    pub(super) named: bool,
}

/// The number of no prompt.
pub(super) const NONE: u16 = u16::MAX;

impl PromptsRead {
    /// The prompts of a plan, asked with these parameters.
    ///
    /// # Errors
    /// As [`PromptPlan::readers`].
    pub fn new(plan: &PromptPlan, inference: &Inference) -> Result<Self, Problems> {
        let (readers, fields) = plan.readers()?;
        let prefills = plan
            .prompts
            .iter()
            .map(|named| effective_prefill(inference, named.prompt.prefill.as_deref()).unwrap_or_default().to_owned());
        let numbers = readers.iter().zip(0..).map(|(reader, number)| (reader.id.clone(), number)).collect();
        Ok(Self { prefills: prefills.collect(), numbers, fields, named: plan.names_prompts(), readers })
    }

    /// The number of the prompt of this name.
    pub(super) fn number(&self, id: Option<&str>) -> u16 {
        id.and_then(|id| self.numbers.get(id)).copied().unwrap_or(NONE)
    }

    /// The name of the prompt of this number.
    pub(super) fn id(&self, number: u16) -> Option<&str> {
        self.readers.get(usize::from(number)).map(|reader| reader.id.as_str())
    }

    /// The names of all prompts, in order.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.readers.iter().map(|reader| reader.id.as_str())
    }

    /// Whether a prompt's answers have this column: every column that is no field, and the prompt's own fields.
    pub(super) fn has_column(&self, id: &str, column: &str) -> bool {
        let Some(field) = self.fields.iter().position(|field| field == column) else { return true };
        self.readers.iter().any(|reader| reader.id == id && reader.columns.contains(&field))
    }

    /// What reads the answers to a prompt.
    pub(super) fn reader(&self, number: u16) -> Option<&PromptReader> {
        self.readers.get(usize::from(number))
    }

    /// What every answer to a prompt begins with.
    pub(super) fn prefill(&self, number: u16) -> &str {
        self.prefills.get(usize::from(number)).map_or("", String::as_str)
    }
}
