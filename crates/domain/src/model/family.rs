//! Model families: one request and answer format each.

use super::instructions::{Instructions, MediaName};
use super::{anthropic, converse, nova, titan_multimodal, titan_text};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Models that share one request and answer format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Anthropic Claude, Messages API.
    AnthropicMessages,
    /// Amazon Nova.
    Nova,
    /// Amazon Titan Text Embeddings V2.
    TitanTextEmbeddings,
    /// Amazon Titan Multimodal Embeddings G1.
    TitanMultimodalEmbeddings,
    /// All other text models, invoked through Converse.
    Converse,
}

/// Format in which Bedrock reads the records of a job (`modelInvocationType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvocationType {
    /// The model's own format.
    InvokeModel,
    /// The Converse format.
    Converse,
}

impl Family {
    /// Returns true if its answers are embeddings rather than text.
    pub fn is_embedding(self) -> bool {
        match self {
            Self::TitanTextEmbeddings | Self::TitanMultimodalEmbeddings => true,
            Self::AnthropicMessages | Self::Nova | Self::Converse => false,
        }
    }

    /// Returns the possible dimensions of its embeddings; empty for text models.
    pub fn embedding_dimensions(self) -> &'static [u32] {
        match self {
            Self::TitanTextEmbeddings => &titan_text::DIMENSIONS,
            Self::TitanMultimodalEmbeddings => &titan_multimodal::DIMENSIONS,
            Self::AnthropicMessages | Self::Nova | Self::Converse => &[],
        }
    }

    /// Returns true if a request can specify whether embeddings are normalized to length 1.
    pub fn takes_normalize(self) -> bool {
        self == Self::TitanTextEmbeddings
    }

    /// Returns true if a request can contain the JSON Schema that the answer is made to match.
    pub fn takes_schema(self) -> bool {
        matches!(self, Self::AnthropicMessages | Self::Converse)
    }

    /// Returns the format in which Bedrock must read jobs of this family.
    pub fn invocation_type(self) -> InvocationType {
        match self {
            Self::AnthropicMessages | Self::Nova | Self::TitanTextEmbeddings | Self::TitanMultimodalEmbeddings => {
                InvocationType::InvokeModel
            }
            Self::Converse => InvocationType::Converse,
        }
    }

    /// Creates the `modelInput` for the prompt `text`, preceded by `image` (a part created by [`Family::image`]).
    pub(crate) fn model_input(self, text: &str, image: Option<Value>, instructions: Instructions<'_>) -> Value {
        match self {
            Self::AnthropicMessages => anthropic::model_input(text, image, instructions),
            Self::Nova => nova::model_input(text, image, instructions),
            Self::TitanTextEmbeddings => titan_text::model_input(text, instructions),
            Self::TitanMultimodalEmbeddings => titan_multimodal::model_input(text, image, instructions),
            Self::Converse => converse::model_input(text, image, instructions),
        }
    }

    /// Creates the part of `modelInput` that contains an image in base64; returns `None` for families without images.
    pub(crate) fn image(self, named: MediaName<'_>, base64: &str) -> Option<Value> {
        match self {
            Self::AnthropicMessages => Some(anthropic::image(named.mime, base64)),
            Self::Nova | Self::Converse => Some(converse::image(named.format, base64)),
            Self::TitanMultimodalEmbeddings => Some(Value::from(base64)),
            Self::TitanTextEmbeddings => None,
        }
    }
}
