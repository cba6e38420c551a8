//! The cache of prompts: requests on demand may mark places up to which their prompts are cached.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::families::prompt::tokens;

/// Models that cache, by the beginnings of their ids, with the least number of tokens.
const MINIMUMS: [(&str, u64); 12] = [
    ("anthropic.claude-3-5-haiku-", 2048),
    ("anthropic.claude-3-7-sonnet-", 1024),
    ("anthropic.claude-haiku-4-5", 4096),
    ("anthropic.claude-opus-4-5", 4096),
    ("anthropic.claude-opus-4-6", 4096),
    ("anthropic.claude-sonnet-4-2025", 1024),
    ("anthropic.claude-sonnet-4-5", 1024),
    ("anthropic.claude-sonnet-4-6", 2048),
    ("amazon.nova-2-lite-", 1536),
    ("amazon.nova-lite-", 1536),
    ("amazon.nova-micro-", 1536),
    ("amazon.nova-pro-", 1024),
];
/// Most places of one request.
const MAX_MARKS: usize = 4;

/// Prompts that were cached. They never expire here.
#[derive(Debug, Default)]
pub(crate) struct PromptCache(Mutex<HashSet<[u8; 32]>>);

/// Returns true if this model caches prompts.
pub(crate) fn is_supported(base: &str) -> bool {
    minimum(base).is_some()
}

/// Number of places that a request marks; more than allowed are an error.
pub(crate) fn marks(body: &Value) -> Result<usize, String> {
    let found = prefixes(body).len();
    if found > MAX_MARKS { Err(format!("A maximum of {MAX_MARKS} cache points is allowed.")) } else { Ok(found) }
}

impl PromptCache {
    /// Counts what a request reads from the cache and writes to it, in the usage of its answer.
    pub(crate) fn count(&self, base: &str, body: &Value, output: &mut Value) {
        let Some(minimum) = minimum(base) else { return };
        let Some(prefix) = prefixes(body).pop().filter(|prefix| tokens(prefix) >= minimum) else { return };
        let cached = tokens(&prefix);
        let key: [u8; 32] = Sha256::digest(format!("{base}\n{prefix}")).into();
        let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        let (read, written) = if is_new { (0, cached) } else { (cached, 0) };
        let Some(usage) = output.get_mut("usage").and_then(Value::as_object_mut) else { return };
        let (input, read_name, written_name) = if usage.contains_key("input_tokens") {
            ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        } else if usage.contains_key("cacheReadInputTokenCount") {
            ("inputTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount")
        } else {
            ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
        };
        let others = usage.get(input).and_then(Value::as_u64).unwrap_or(0).saturating_sub(cached);
        for (name, number) in [(input, others), (read_name, read), (written_name, written)] {
            usage.insert(name.to_owned(), json!(number));
        }
    }
}

fn minimum(base: &str) -> Option<u64> {
    MINIMUMS.iter().find(|(start, _)| base.starts_with(start)).map(|(_, minimum)| *minimum)
}

/// Returns the text of the prompt up to each mark, in order: the system prompt comes before the messages.
fn prefixes(body: &Value) -> Vec<String> {
    let messages = body.get("messages").and_then(Value::as_array).into_iter().flatten();
    let contents = messages.filter_map(|message| message.get("content"));
    let blocks = body.get("system").into_iter().chain(contents).filter_map(Value::as_array).flatten();
    let (mut text, mut prefixes) = (String::new(), Vec::new());
    for block in blocks {
        text.push_str(block.get("text").and_then(Value::as_str).unwrap_or_default());
        if block.get("cache_control").is_some() || block.get("cachePoint").is_some() {
            prefixes.push(text.clone());
        }
    }
    prefixes
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAUDE: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

    fn request(long: usize) -> Value {
        json!({"system": [{"text": "s"}], "messages": [{"role": "user", "content": [
            {"type": "text", "text": "x".repeat(long), "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "row"}]}]})
    }

    fn usage(cache: &PromptCache, base: &str, long: usize) -> Value {
        let mut output = json!({"usage": {"input_tokens": 3000, "output_tokens": 1}});
        cache.count(base, &request(long), &mut output);
        output["usage"].clone()
    }

    #[test]
    fn the_first_request_writes_and_later_ones_read() {
        let cache = PromptCache::default();
        let written = json!({"input_tokens": 1975, "output_tokens": 1, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 1025});
        assert_eq!(usage(&cache, CLAUDE, 4096), written);
        let read = json!({"input_tokens": 1975, "output_tokens": 1, "cache_read_input_tokens": 1025, "cache_creation_input_tokens": 0});
        assert_eq!(usage(&cache, CLAUDE, 4096), read);
        assert_eq!(usage(&cache, CLAUDE, 100), json!({"input_tokens": 3000, "output_tokens": 1}), "too short");
    }

    #[test]
    fn marks_are_limited() {
        assert_eq!(marks(&request(1)), Ok(1));
        let mark = json!({"text": "a", "cachePoint": {"type": "default"}});
        assert!(marks(&json!({"system": [mark, mark, mark, mark, mark]})).is_err());
    }
}
