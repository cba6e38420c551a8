//! The answer of a model, whatever its family.

use super::CachedTokens;
use serde::Deserialize;
use std::borrow::Cow;

/// Answer of a model to one record; texts are borrowed from the line if possible.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply<'a> {
    /// Answer itself; `None` if the model returned none (for example, a refusal).
    pub payload: Option<ReplyPayload<'a>>,
    /// Reason why the model stopped, as named by the model.
    pub stop_reason: Option<Cow<'a, str>>,
    /// Number of input tokens.
    pub input_tokens: Option<u64>,
    /// Number of output tokens.
    pub output_tokens: Option<u64>,
    /// Input tokens that were read from the cache or written to it; they are among the input tokens.
    pub cached: CachedTokens,
}

/// Content of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplyPayload<'a> {
    /// Text: all text blocks, joined in order.
    Text(Cow<'a, str>),
    /// Embedding.
    Embedding(Vec<f32>),
}

/// Text, borrowed from the line if it contains no escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct BorrowedText<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl<'a> BorrowedText<'a> {
    /// Concatenates all texts in order; returns `None` if there is none.
    pub(crate) fn joined(texts: impl Iterator<Item = Self>) -> Option<Cow<'a, str>> {
        texts.map(|text| text.0).reduce(|mut all, text| {
            all.to_mut().push_str(&text);
            all
        })
    }
}

/// `modelOutput` of a family.
pub(crate) trait ModelOutput<'a> {
    /// Returns the model's message in place of a reply, for families whose output can contain one.
    fn refusal(&self) -> Option<String> {
        None
    }

    /// Returns the reply in this output.
    fn reply(self) -> Reply<'a>;

    /// Reads the output that `bytes` begin with, if it has the usual form of its family: returns the reply, as it would be read in
    /// the general way, and the length of the output.
    fn read_usual(_bytes: &'a [u8]) -> Option<(Reply<'a>, usize)> {
        None
    }
}
