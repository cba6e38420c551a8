//! Answers before a family has written them in its own format.

use serde_json::Value;

/// An answer, independent of the format of its family.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Text(TextReply),
    Embedding(EmbeddingReply),
}

/// A text answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TextReply {
    pub(crate) text: String,
    pub(crate) stop: Stop,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    /// The answer as it was recorded, for the family that it was recorded from.
    pub(crate) recorded: Option<Value>,
}

/// Reason why a text ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    EndTurn,
    MaxTokens,
    Sequence(String),
}

/// A vector.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EmbeddingReply {
    pub(crate) vector: Vec<f64>,
    pub(crate) input_tokens: u64,
}

impl Reply {
    pub(crate) fn input_tokens(&self) -> u64 {
        match self {
            Self::Text(reply) => reply.input_tokens,
            Self::Embedding(reply) => reply.input_tokens,
        }
    }

    pub(crate) fn output_tokens(&self) -> u64 {
        match self {
            Self::Text(reply) => reply.output_tokens,
            Self::Embedding(_) => 0,
        }
    }
}
