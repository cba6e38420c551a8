//! The families of models: one request and answer format each.

use super::{anthropic, converse, nova, titan_multimodal, titan_text};
use crate::input::Inference;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

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
    /// Every other text model, asked through Converse.
    Converse,
}

/// How Bedrock reads the records of a job (`modelInvocationType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvocationType {
    /// The model's own format.
    InvokeModel,
    /// The Converse format.
    Converse,
}

/// What goes into a request beside the text of the row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instructions<'a> {
    pub(crate) inference: &'a Inference,
    pub(crate) system: Option<&'a str>,
    pub(crate) prefill: Option<&'a str>,
}

/// How a media type is called, by family.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MediaName<'a> {
    pub(crate) mime: &'a str,
    pub(crate) format: &'a str,
}

/// A model's answer to one record; texts are borrowed from the line where they can be.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply<'a> {
    /// The answer itself; `None` if the model returned none (a refusal, say).
    pub payload: Option<ReplyPayload<'a>>,
    /// Why the model stopped, in the model's own words.
    pub stop_reason: Option<Cow<'a, str>>,
    /// Tokens read.
    pub input_tokens: Option<u64>,
    /// Tokens written.
    pub output_tokens: Option<u64>,
}

/// The answer itself.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplyPayload<'a> {
    /// Text: all text blocks in order, joined.
    Text(Cow<'a, str>),
    /// An embedding.
    Embedding(Vec<f32>),
}

impl Family {
    /// Whether its answers are embeddings rather than text.
    pub fn is_embedding(self) -> bool {
        match self {
            Self::TitanTextEmbeddings | Self::TitanMultimodalEmbeddings => true,
            Self::AnthropicMessages | Self::Nova | Self::Converse => false,
        }
    }

    /// The lengths that its embeddings can have; empty for text models.
    pub fn embedding_dimensions(self) -> &'static [u32] {
        match self {
            Self::TitanTextEmbeddings => &titan_text::DIMENSIONS,
            Self::TitanMultimodalEmbeddings => &titan_multimodal::DIMENSIONS,
            Self::AnthropicMessages | Self::Nova | Self::Converse => &[],
        }
    }

    /// Whether a request can say if its embeddings are to have length 1.
    pub fn takes_normalize(self) -> bool {
        self == Self::TitanTextEmbeddings
    }

    /// How a job of this family is to be read.
    pub fn invocation_type(self) -> InvocationType {
        match self {
            Self::AnthropicMessages | Self::Nova | Self::TitanTextEmbeddings | Self::TitanMultimodalEmbeddings => {
                InvocationType::InvokeModel
            }
            Self::Converse => InvocationType::Converse,
        }
    }

    /// The `modelInput` that asks `text`, after `image` (a part as [`Family::image`] has it).
    pub(crate) fn model_input(self, text: &str, image: Option<Value>, instructions: Instructions<'_>) -> Value {
        match self {
            Self::AnthropicMessages => anthropic::model_input(text, image, instructions),
            Self::Nova => nova::model_input(text, image, instructions),
            Self::TitanTextEmbeddings => titan_text::model_input(text, instructions),
            Self::TitanMultimodalEmbeddings => titan_multimodal::model_input(text, image, instructions),
            Self::Converse => converse::model_input(text, image, instructions),
        }
    }

    /// The part of `modelInput` that holds an image in base64; `None` for families that take none.
    pub(crate) fn image(self, named: MediaName<'_>, base64: &str) -> Option<Value> {
        match self {
            Self::AnthropicMessages => Some(anthropic::image(named.mime, base64)),
            Self::Nova | Self::Converse => Some(converse::image(named.format, base64)),
            Self::TitanMultimodalEmbeddings => Some(Value::from(base64)),
            Self::TitanTextEmbeddings => None,
        }
    }
}
