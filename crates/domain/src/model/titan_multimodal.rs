//! Format of Amazon Titan Multimodal Embeddings G1 (Bedrock user guide, "model-parameters-titan-embed-mm"): a text, an
//! image, or both.

use super::CachedTokens;
use super::instructions::Instructions;
use super::output::{ModelOutput, Reply, ReplyPayload};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Supported dimensions; the first is the default.
pub(super) const DIMENSIONS: [u32; 3] = [1024, 384, 256];

/// Creates `modelInput`. `inputText` is last, with the comma before it, because it is omitted for an image without a text.
pub(super) fn model_input(text: &str, image: Option<Value>, with: Instructions<'_>) -> Value {
    let mut body = Map::new();
    let length = with.inference.dimensions.unwrap_or(DIMENSIONS[0]);
    body.insert("embeddingConfig".into(), json!({"outputEmbeddingLength": length}));
    body.extend(image.map(|image| ("inputImage".to_owned(), image)));
    body.insert("inputText".into(), json!(text));
    Value::Object(body)
}

/// `modelOutput`.
#[derive(Debug, Deserialize)]
pub(crate) struct Output {
    #[serde(default)]
    embedding: Option<Vec<f32>>,
    #[serde(default, rename = "inputTextTokenCount")]
    input_tokens: Option<u64>,
    /// Error message; null on success.
    #[serde(default)]
    message: Option<String>,
}

impl ModelOutput<'_> for Output {
    fn refusal(&self) -> Option<String> {
        self.message.clone()
    }

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
