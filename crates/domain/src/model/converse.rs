//! Format of Converse, with `modelInvocationType` = `Converse`: one format for all other text models (Bedrock user guide,
//! "batch-inference-data").

use super::CachedTokens;
use super::instructions::Instructions;
use super::output::{BorrowedText, ModelOutput, Reply, ReplyPayload};
use super::usual_output;
use crate::input::Inference;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Name of the schema of an answer.
const SCHEMA_NAME: &str = "answer";

pub(super) fn model_input(text: &str, image: Option<Value>, with: Instructions<'_>) -> Value {
    let mut body = Map::new();
    if let Some(system) = with.system {
        body.insert("system".into(), json!([{"text": system}]));
    }
    body.insert("messages".into(), json!([{"role": "user", "content": content(text, image)}]));
    body.insert("inferenceConfig".into(), Value::Object(inference_config(with.inference)));
    if let Some(schema) = with.schema {
        // Converse takes the schema as text.
        let structure = json!({"jsonSchema": {"name": SCHEMA_NAME, "schema": schema.to_string()}});
        body.insert("outputConfig".into(), json!({"textFormat": {"type": "json_schema", "structure": structure}}));
    }
    Value::Object(body)
}

/// Creates the content of the user message, which must be a list even for one element. Nova uses the same format.
pub(super) fn content(text: &str, image: Option<Value>) -> Vec<Value> {
    image.into_iter().chain([json!({"text": text})]).collect()
}

pub(super) fn image(format: &str, base64: &str) -> Value {
    json!({"image": {"format": format, "source": {"bytes": base64}}})
}

/// Creates `inferenceConfig`, which Nova's own format shares.
pub(super) fn inference_config(inference: &Inference) -> Map<String, Value> {
    let fields = [
        ("maxTokens", Some(json!(inference.max_tokens))),
        ("temperature", inference.temperature.map(|v| json!(v))),
        ("topP", inference.top_p.map(|v| json!(v))),
        ("stopSequences", (!inference.stop_sequences.is_empty()).then(|| json!(inference.stop_sequences))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// `modelOutput` of Converse and of Nova.
#[derive(Debug, Deserialize)]
pub(crate) struct Output<'a> {
    #[serde(borrow, default, rename = "output")]
    outer: Option<Message<'a>>,
    #[serde(borrow, default, rename = "stopReason")]
    stop_reason: Option<BorrowedText<'a>>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct Message<'a> {
    #[serde(borrow, default, rename = "message")]
    inner: Option<Content<'a>>,
}

#[derive(Debug, Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    content: Vec<Block<'a>>,
}

/// Block with one of several keys; blocks without `text` (reasoning, tools) are not part of the answer.
#[derive(Debug, Deserialize)]
struct Block<'a> {
    #[serde(borrow, default)]
    text: Option<BorrowedText<'a>>,
}

#[derive(Debug, Deserialize)]
struct Usage {
    #[serde(default, rename = "inputTokens")]
    input_tokens: Option<u64>,
    #[serde(default, rename = "outputTokens")]
    output_tokens: Option<u64>,
    /// Cached tokens are input tokens too, but not among those of `inputTokens`.
    #[serde(default, rename = "cacheReadInputTokens")]
    cache_read: Option<u64>,
    #[serde(default, rename = "cacheWriteInputTokens")]
    cache_written: Option<u64>,
    /// Nova's own names for them.
    #[serde(default, rename = "cacheReadInputTokenCount")]
    nova_cache_read: Option<u64>,
    #[serde(default, rename = "cacheWriteInputTokenCount")]
    nova_cache_written: Option<u64>,
}

impl Usage {
    fn cached(&self) -> CachedTokens {
        CachedTokens::reported(self.cache_read.or(self.nova_cache_read), self.cache_written.or(self.nova_cache_written))
    }
}

impl<'a> ModelOutput<'a> for Output<'a> {
    fn reply(self) -> Reply<'a> {
        let blocks = self.outer.and_then(|output| output.inner).map(|message| message.content).unwrap_or_default();
        let payload = BorrowedText::joined(blocks.into_iter().filter_map(|block| block.text)).map(ReplyPayload::Text);
        let cached = self.usage.as_ref().map(Usage::cached).unwrap_or_default();
        let (input_tokens, output_tokens) =
            self.usage.map_or((None, None), |usage| (usage.input_tokens, usage.output_tokens));
        let input_tokens = input_tokens.map(|tokens| tokens.saturating_add(cached.total()));
        Reply { payload, stop_reason: self.stop_reason.map(|reason| reason.0), input_tokens, output_tokens, cached }
    }

    fn read_usual(bytes: &'a [u8]) -> Option<(Reply<'a>, usize)> {
        usual_output::converse(bytes)
    }
}
