//! References of a request: what prompts insert must be there and fit, and what is there must be used.

use super::Resolved;
use crate::input::RunRequest;
use crate::lane::Lane;
use crate::problem::{Problem, nearest};
use crate::prompt::{Choice, NamedPrompt, Piece, PromptPlan, Template};
use crate::reference::{ValueSource, estimated_tokens, find, names_in_text, reference_of};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Returns the problems of the names of references: those that prompts use and that the request does not have, and those of the
/// request that no prompt uses. A placeholder in a template is a column if no reference has its name, and is checked as such.
pub(super) fn name_problems(request: &RunRequest, plan: &PromptPlan) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut used: BTreeSet<&str> =
        request.inference.system_prompt.as_deref().map(names_in_text).into_iter().flatten().collect();
    for name in used.iter().filter(|name| !request.references.contains_key(**name)) {
        problems.push(unknown("inference.system_prompt", "inserts", name, request));
    }
    // If rows name their prompts, only the rows determine which of them are used.
    let by_name = matches!(plan.choice, Choice::Mapped { by_name: true, .. });
    for named in &plan.prompts {
        let field = format!("prompt `{}`", named.id);
        let template = named.prompt.parsed_template();
        let inserted = template.iter().flat_map(Template::columns).filter_map(reference_of);
        let known = inserted.filter_map(|name| request.references.get_key_value(name));
        used.extend(known.map(|(name, _)| name.as_str()));
        let in_system = named.prompt.system.as_deref().map(names_in_text).into_iter().flatten();
        let of_values = named.prompt.allowed_values.values().filter_map(|source| ValueSource::parse(source).ok());
        let system = in_system.map(|name| (name, "inserts, in its system prompt,"));
        let all = system.chain(of_values.map(|source| (source.reference, "holds a field to")));
        let mut seen = BTreeSet::new();
        for (name, verb) in all {
            let is_missing = !request.references.contains_key(name) && seen.insert(name);
            if is_missing && !by_name {
                problems.push(unknown(&field, verb, name, request));
            }
            used.insert(name);
        }
    }
    problems.extend(request.references.iter().filter(|(name, _)| !used.contains(name.as_str())).map(|(name, uri)| {
        let remedy = format!(
            "insert it in a prompt with `{{reference.{name}}}`, hold a field to it with `allowed_values`, or leave it out"
        );
        Problem::new(format!("reference.{name}"), uri, "is not used by any prompt of this run").remedy(remedy)
    }));
    problems
}

fn unknown(field: &str, verb: &str, name: &str, request: &RunRequest) -> Problem {
    let rule = format!("{verb} the reference `{name}`, which the input does not have");
    let remedy = if request.references.is_empty() {
        missing_remedy(name)
    } else {
        nearest(name, request.references.keys().map(String::as_str))
    };
    Problem::without_value(field, rule).remedy(remedy)
}

/// Returns the remedy for a reference that the input does not have.
pub(super) fn missing_remedy(name: &str) -> String {
    format!("add \"reference\": {{\"{name}\": \"s3://bucket/path.csv\"}} to the input")
}

/// Returns the problems of the content of references, as far as it is known: `resolved.prompts` has it.
pub fn reference_problems(request: &RunRequest, resolved: &Resolved) -> Vec<Problem> {
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
    let template = named.prompt.parsed_template();
    let in_template = template.iter().flat_map(|template| template.pieces()).filter_map(|piece| match piece {
        Piece::Column(name) => reference_of(name),
        Piece::Literal(_) => None,
    });
    let systems = [request.inference.system_prompt.as_deref(), named.prompt.system.as_deref()];
    let in_system = systems.into_iter().flatten().flat_map(names_in_text);
    let inserted = in_template.chain(in_system).filter_map(|name| find(&plan.references, name));
    inserted.map(|reference| estimated_tokens(reference.text.len() as u64)).sum()
}

#[cfg(test)]
mod tests;
