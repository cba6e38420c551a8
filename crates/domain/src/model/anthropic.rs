//! Format of Anthropic Messages (Bedrock user guide, "model-parameters-anthropic-claude-messages-request-response").

use super::CachedTokens;
use super::instructions::Instructions;
use super::output::{BorrowedText, ModelOutput, Reply, ReplyPayload};
use super::usual_output;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The only version that Bedrock supports.
const VERSION: &str = "bedrock-2023-05-31";

pub(super) fn model_input(text: &str, image: Option<Value>, with: Instructions<'_>) -> Value {
    let inference = with.inference;
    let mut body = Map::new();
    body.insert("anthropic_version".into(), json!(VERSION));
    body.insert("max_tokens".into(), json!(inference.max_tokens));
    let optional = [
        ("system", with.system.map(|system| json!(system))),
        ("temperature", inference.temperature.map(|v| json!(v))),
        ("top_p", inference.top_p.map(|v| json!(v))),
        ("top_k", inference.top_k.map(|v| json!(v))),
        ("stop_sequences", (!inference.stop_sequences.is_empty()).then(|| json!(inference.stop_sequences))),
        ("output_config", with.schema.map(|schema| json!({"format": {"type": "json_schema", "schema": schema}}))),
        ("thinking", inference.thinking_budget_tokens.map(|n| json!({"type": "enabled", "budget_tokens": n}))),
    ];
    body.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    // Claude works best with the image before the question.
    let content: Vec<Value> = image.into_iter().chain([json!({"type": "text", "text": text})]).collect();
    let mut messages = vec![json!({"role": "user", "content": content})];
    if let Some(prefill) = with.prefill {
        messages.push(json!({"role": "assistant", "content": [{"type": "text", "text": prefill}]}));
    }
    body.insert("messages".into(), Value::Array(messages));
    Value::Object(body)
}

pub(super) fn image(mime: &str, base64: &str) -> Value {
    json!({"type": "image", "source": {"type": "base64", "media_type": mime, "data": base64}})
}

/// `modelOutput`: only the fields that are read; others may be added or removed.
#[derive(Debug, Deserialize)]
pub(crate) struct Output<'a> {
    #[serde(borrow, default)]
    content: Vec<Block<'a>>,
    #[serde(borrow, default)]
    stop_reason: Option<BorrowedText<'a>>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct Block<'a> {
    #[serde(borrow, rename = "type")]
    kind: BorrowedText<'a>,
    #[serde(borrow, default)]
    text: Option<BorrowedText<'a>>,
}

#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "Anthropic's names")]
struct Usage {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    /// Cached tokens are input tokens too.
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
}

impl<'a> ModelOutput<'a> for Output<'a> {
    fn reply(self) -> Reply<'a> {
        // By block type, never by index: a thinking block comes before the text.
        let texts = self.content.into_iter().filter(|block| block.kind.0 == "text").filter_map(|block| block.text);
        let payload = BorrowedText::joined(texts).map(ReplyPayload::Text);
        let usage = self.usage;
        let cached = usage.as_ref().map_or_else(CachedTokens::default, |u| {
            CachedTokens::reported(u.cache_read_input_tokens, u.cache_creation_input_tokens)
        });
        let input_tokens = usage.as_ref().and_then(|u| u.input_tokens.map(|n| n.saturating_add(cached.total())));
        let output_tokens = usage.and_then(|u| u.output_tokens);
        Reply { payload, stop_reason: self.stop_reason.map(|reason| reason.0), input_tokens, output_tokens, cached }
    }

    fn read_usual(bytes: &'a [u8]) -> Option<(Reply<'a>, usize)> {
        usual_output::anthropic(bytes)
    }
}
