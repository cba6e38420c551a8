//! What newer Claude models refuse that earlier ones took, and the longest answers, as the model cards have them.

use crate::families::node::Node;
use crate::families::prompt::{Refusal, TextPrompt};

/// Longest answers in tokens, by the beginnings of ids. Others have no limit here.
const LONGEST: [(&str, u64); 8] = [
    ("anthropic.claude-3-haiku-", 4_096),
    ("anthropic.claude-3-5-", 8_192),
    ("anthropic.claude-sonnet-4-5", 64_000),
    ("anthropic.claude-haiku-4-5", 64_000),
    ("anthropic.claude-opus-4-5", 64_000),
    ("anthropic.claude-sonnet-4-6", 128_000),
    ("anthropic.claude-opus-4-6", 128_000),
    ("anthropic.claude-opus-5", 128_000),
];

/// These take no prefill.
const WITHOUT_PREFILL: [&str; 5] = [
    "anthropic.claude-sonnet-4-6",
    "anthropic.claude-opus-4-6",
    "anthropic.claude-opus-4-7",
    "anthropic.claude-opus-4-8",
    "anthropic.claude-opus-5",
];

/// These take no sampling parameters, and think as much as they see fit.
const WITHOUT_SAMPLING: [&str; 3] =
    ["anthropic.claude-opus-4-7", "anthropic.claude-opus-4-8", "anthropic.claude-opus-5"];

pub(super) fn max_output_tokens(base: &str) -> u64 {
    LONGEST.iter().find(|(beginning, _)| base.starts_with(beginning)).map_or(u64::MAX, |(_, tokens)| *tokens)
}

/// Refuses what this model does not take.
pub(super) fn refused(root: &Node<'_>, base: &str, prompt: &TextPrompt) -> Result<(), Refusal> {
    let is_one_of = |models: &[&str]| models.iter().any(|beginning| base.starts_with(beginning));
    if is_one_of(&WITHOUT_PREFILL) && !prompt.prefill.is_empty() {
        let message =
            "This model does not support assistant message prefill. The conversation must end with a user message.";
        return Err(Refusal::invalid(message));
    }
    if is_one_of(&WITHOUT_SAMPLING) {
        for parameter in ["temperature", "top_p", "top_k"] {
            if root.has(parameter) {
                return Err(Refusal::invalid(format!("`{parameter}` is not supported for this model.")));
            }
        }
        let thinking = root.optional("thinking").and_then(|thinking| thinking.optional("type"));
        if thinking.is_some_and(|kind| kind.as_text() == Some("enabled")) {
            let message = "`thinking.type: enabled` is not supported for this model. Use `adaptive`.";
            return Err(Refusal::invalid(message));
        }
    }
    Ok(())
}
