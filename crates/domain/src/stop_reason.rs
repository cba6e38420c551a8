//! Reasons why a model stopped, as models name them.

/// Token limit: Bedrock's name, OpenAI's, and the one for a full context.
const TOKEN_LIMIT: [&str; 3] = ["max_tokens", "length", "model_context_window_exceeded"];
/// The model declines to answer, or a filter has removed the answer: the same record would end the same way.
const REFUSAL: [&str; 3] = ["refusal", "content_filtered", "guardrail_intervened"];

/// Returns true if the model reached its token limit.
pub fn is_token_limit(stop_reason: &str) -> bool {
    TOKEN_LIMIT.contains(&stop_reason)
}

/// Returns true if the model declined to answer, or its answer was filtered.
pub fn is_refusal(stop_reason: &str) -> bool {
    REFUSAL.contains(&stop_reason)
}
