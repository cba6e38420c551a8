//! Content of references: it must have the values that fields are held to, and fit into requests.

use super::Resolved;
use crate::input::RunRequest;
use crate::lane::Lane;
use crate::problem::Problem;
use crate::prompt::{NamedPrompt, Piece, PromptPlan, Template};
use crate::reference::{estimated_tokens, find, names_in_text, reference_of};
use std::fmt::Write as _;

/// Returns the problems of the content of references, as far as it is known: `resolved.prompts` has it. If rows name their
/// prompts, only the rows determine which of them are used: then they are checked once they are known (see
/// [`used_reference_problems`]).
pub fn reference_problems(request: &RunRequest, resolved: &Resolved) -> Vec<Problem> {
    if resolved.prompts.names_prompts_by_row() { Vec::new() } else { used_reference_problems(request, resolved) }
}

/// Returns the problems of the content of references for the prompts that are used.
pub fn used_reference_problems(request: &RunRequest, resolved: &Resolved) -> Vec<Problem> {
    let plan = &resolved.prompts;
    if plan.references.is_empty() {
        return Vec::new();
    }
    let mut problems = match plan.readers() {
        Ok(_) => Vec::new(),
        Err(found) => found.as_slice().to_vec(),
    };
    let models = [Some(&resolved.model), Some(&resolved.on_demand.model), resolved.on_demand.fallback.as_ref()];
    let Some(model) = models.into_iter().flatten().min_by_key(|model| model.context_tokens) else { return problems };
    let room = model.context_tokens.saturating_sub(u64::from(request.inference.max_tokens));
    for named in &plan.prompts {
        let tokens = inserted_tokens(request, plan, named);
        if tokens > room {
            let rule = format!(
                "inserts references of about {tokens} tokens into each request (4 bytes per token), but beside `max_tokens` the \
                 context of `{}` has {room}",
                model.id
            );
            let remedy = "shorten the references, or choose a model with a larger context (`context_tokens` in \
                          infra/model-overrides.toml)";
            problems.push(Problem::without_value(format!("prompt `{}`", named.id), rule).remedy(remedy));
        }
    }
    problems
}

/// Returns the tokens that references add to each request, in words, if they add any.
pub fn reference_note(request: &RunRequest, resolved: &Resolved) -> Option<String> {
    let (tokens, at_most) = added_tokens(request, &resolved.prompts)?;
    Some(format!("references add {at_most}about {tokens} input tokens to each request"))
}

/// Returns the warning of the tokens and the cost that references add to a run of this many records, if they add any.
pub fn reference_warning(request: &RunRequest, resolved: &Resolved, lane: Lane, records: u64) -> Option<String> {
    let (tokens, at_most) = added_tokens(request, &resolved.prompts)?;
    let mut warning = reference_note(request, resolved)?;
    let price = match lane {
        Lane::Batch => resolved.model.batch_price,
        Lane::OnDemand => resolved.on_demand.model.on_demand_price,
    };
    if let Some(price) = price {
        let cost = price.cost_usd(tokens.saturating_mul(records), 0, 0);
        let lane = if lane == Lane::Batch { "in batch" } else { "on demand" };
        let _ = write!(warning, ", {at_most}about ${cost:.2} for all of them {lane}");
    }
    Some(warning)
}

/// Estimates the tokens that references add to each request; with several prompts, those of the longest, since it is not counted
/// which rows have which prompt.
fn added_tokens(request: &RunRequest, plan: &PromptPlan) -> Option<(u64, &'static str)> {
    let tokens = plan.prompts.iter().map(|named| inserted_tokens(request, plan, named)).max().unwrap_or(0);
    let at_most = if plan.prompts.len() > 1 { "at most " } else { "" };
    (tokens > 0).then_some((tokens, at_most))
}

/// Estimates the tokens that references add to each request with a prompt.
fn inserted_tokens(request: &RunRequest, plan: &PromptPlan, named: &NamedPrompt) -> u64 {
    let tokens_of =
        |name: &str| find(&plan.references, name).map_or(0, |reference| estimated_tokens(reference.text.len() as u64));
    let in_template = |template: &Template| -> u64 {
        let inserted = template.pieces().iter().filter_map(|piece| match piece {
            Piece::Column(name) => reference_of(name),
            Piece::Literal(_) => None,
        });
        inserted.map(tokens_of).sum()
    };
    let prompt = &named.prompt;
    let once = prompt.parsed_template().map_or(0, |template| in_template(&template));
    let per_row = prompt.rows.as_ref().and_then(|rows| rows.parsed_template().ok()).map_or(0, |row| in_template(&row));
    let systems = [request.inference.system_prompt.as_deref(), prompt.system.as_deref()];
    let in_system: u64 = systems.into_iter().flatten().flat_map(names_in_text).map(tokens_of).sum();
    once + in_system + per_row.saturating_mul(u64::from(request.rows_per_request()))
}

#[cfg(test)]
mod tests;
