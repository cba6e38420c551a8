//! System prompt and prefill of the requests with one prompt.

use crate::input::Inference;
use crate::prompt::{Piece, Prompt, PromptPlan, Template};

/// System prompt and prefill, each with the columns that it inserts; empty if there is none.
#[derive(Debug, Clone, Default)]
pub struct InstructionTexts {
    pub(super) system: Template,
    pub(super) prefill: Template,
}

impl InstructionTexts {
    /// Creates texts without columns. `system` and `prefill` are those of a prompt; the request's system prompt is placed
    /// before the former, and its prefill replaces the latter.
    pub fn literal(inference: &Inference, system: Option<&str>, prefill: Option<&str>) -> Self {
        let systems = inference.system_prompt.as_deref().into_iter().chain(system);
        let prefill = effective_prefill(inference, prefill).map(Template::literal);
        Self { system: joined(systems.map(Template::literal)), prefill: prefill.unwrap_or_default() }
    }

    /// Creates the texts of a prompt of `plan`, with references inserted.
    pub(super) fn of_prompt(plan: &PromptPlan, inference: &Inference, prompt: &Prompt) -> Self {
        let systems = inference.system_prompt.iter().chain(&prompt.system);
        let systems = systems.map(|text| plan.system_template(text, prompt));
        Self { system: joined(systems), prefill: plan.prefill_template(inference, prompt) }
    }

    /// Returns their literal texts.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.system.pieces().iter().chain(self.prefill.pieces()).filter_map(|piece| match piece {
            Piece::Literal(text) => Some(text.as_str()),
            Piece::Column(_) => None,
        })
    }
}

/// Returns the beginning of every answer: that of the request, else that of the template.
pub fn effective_prefill<'a>(inference: &'a Inference, template_prefill: Option<&'a str>) -> Option<&'a str> {
    inference.prefill.as_deref().or(template_prefill).filter(|text| !text.is_empty())
}

/// Joins system prompts, with an empty line in between.
fn joined(texts: impl Iterator<Item = Template>) -> Template {
    let joined = texts.reduce(|all, next| all.followed_by(Template::literal("\n\n")).followed_by(next));
    joined.unwrap_or_default()
}
