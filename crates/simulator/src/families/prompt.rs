//! The content of a request to a model, independent of the format of its family.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Why a model does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) message: String,
}

impl Refusal {
    /// The input is wrong (400).
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { code: 400, message: message.into() }
    }

    /// The request is not allowed (403).
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self { code: 403, message: message.into() }
    }
}

/// Content of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Prompt {
    Text(TextPrompt),
    Embedding(EmbeddingPrompt),
}

/// A conversation that the model continues.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TextPrompt {
    pub(crate) system: String,
    /// All texts before the last one of the user, oldest first.
    pub(crate) before: String,
    /// The text of the last message of the user.
    pub(crate) user: String,
    /// Every image, in order.
    pub(crate) images: Vec<Image>,
    /// The beginning of the answer, if the last message is from the assistant.
    pub(crate) prefill: String,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) stop_sequences: Vec<String>,
    /// If true, the model shows its thinking.
    pub(crate) thinking: bool,
    /// JSON Schema that the answer is made to match.
    pub(crate) schema: Option<Value>,
}

/// A text, an image, or both, that the model turns into a vector.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EmbeddingPrompt {
    pub(crate) text: String,
    pub(crate) image: Option<ImageHash>,
    pub(crate) dimensions: usize,
    pub(crate) normalize: bool,
}

/// Digest that identifies an image.
pub(crate) type ImageHash = [u8; 32];

/// An image of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// SHA-256 of its bytes.
    pub(crate) hash: ImageHash,
    /// The description that the image contains, if any.
    pub(crate) caption: String,
}

impl Image {
    /// Returns an image of which only the address is known.
    pub(crate) fn at(uri: &str) -> Self {
        Self { hash: image_hash(uri.as_bytes()), caption: String::new() }
    }
}

pub(crate) fn image_hash(bytes: &[u8]) -> ImageHash {
    Sha256::digest(bytes).into()
}

impl TextPrompt {
    /// Adds one message. A user's message after the assistant's replaces the last user text; the texts of one turn are
    /// joined by a line end.
    pub(crate) fn add(&mut self, from_assistant: bool, text: &str) {
        if from_assistant {
            self.prefill.push_str(text);
            return;
        }
        if !self.prefill.is_empty() {
            let (user, answer) = (std::mem::take(&mut self.user), std::mem::take(&mut self.prefill));
            for part in [user, answer] {
                self.before.push_str(&part);
                self.before.push('\n');
            }
        }
        if !self.user.is_empty() {
            self.user.push('\n');
        }
        self.user.push_str(text);
    }

    /// A rough count: four characters per token, and the tokens of a photo of common size per image.
    pub(crate) fn input_tokens(&self) -> u64 {
        let text = [&self.system, &self.before, &self.user, &self.prefill];
        text.iter().map(|text| tokens(text)).sum::<u64>() + 500 * self.images.len() as u64
    }
}

/// Number of tokens of a text, at four characters per token.
pub(crate) fn tokens(text: &str) -> u64 {
    (text.chars().count() as u64).div_ceil(4)
}
