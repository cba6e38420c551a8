//! Format of Amazon Titan Text Embeddings V2 (Bedrock user guide, "model-parameters-titan-embed-text").

use super::CachedTokens;
use super::instructions::Instructions;
use super::output::{ModelOutput, Reply, ReplyPayload};
use serde::Deserialize;
use serde_json::{Value, json};

/// Supported dimensions; the first is the default.
pub(super) const DIMENSIONS: [u32; 3] = [1024, 512, 256];

pub(super) fn model_input(text: &str, with: Instructions<'_>) -> Value {
    json!({
        "inputText": text,
        "dimensions": with.inference.dimensions.unwrap_or(DIMENSIONS[0]),
        "normalize": with.inference.normalize.unwrap_or(true),
        "embeddingTypes": ["float"],
    })
}

/// `modelOutput`.
#[derive(Debug, Deserialize)]
pub(crate) struct Output {
    #[serde(default)]
    embedding: Option<Vec<f32>>,
    #[serde(default, rename = "inputTextTokenCount")]
    input_tokens: Option<u64>,
}

impl ModelOutput<'_> for Output {
    fn reply(self) -> Reply<'static> {
        Reply {
            payload: self.embedding.map(ReplyPayload::Embedding),
            stop_reason: None,
            input_tokens: self.input_tokens,
            output_tokens: None,
            cached: CachedTokens::default(),
        }
    }
}
