//! Where answers come from.

mod cut;
mod embedding;
mod fake;
mod filling;
mod labels;
mod material;
mod replay;
mod skeleton;

use std::path::Path;

use serde_json::Value;

use crate::backend::replay::Recordings;
use crate::families::ask::{Ask, Refusal, TextAsk};
use crate::options::{BackendName, OnMiss, Options};

/// An answer, whatever the family's way to write it.
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

/// Why a text ends where it does.
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

/// Made up, or recorded.
#[derive(Debug)]
pub(crate) enum Backend {
    Fake,
    Replay { recordings: Recordings, on_miss: OnMiss },
}

impl Backend {
    /// Reads the recordings, if the options want any.
    pub(crate) fn open(options: &Options) -> Result<Self, String> {
        match (options.backend, options.recordings.as_deref()) {
            (BackendName::Fake, _) => Ok(Self::Fake),
            (BackendName::Replay, path) => {
                let recordings = Recordings::read(path.unwrap_or(Path::new(".")))?;
                Ok(Self::Replay { recordings, on_miss: options.replay_miss })
            }
        }
    }

    pub(crate) fn answer(&self, base: &str, ask: &Ask) -> Result<Reply, Refusal> {
        match (self, ask) {
            (Self::Replay { recordings, on_miss }, Ask::Text(ask)) => match (recordings.find(base, ask), on_miss) {
                (Some(reply), _) => Ok(Reply::Text(reply)),
                (None, OnMiss::Fake) => Ok(made_up(base, ask)),
                (None, OnMiss::Error) => Err(Refusal::invalid("There is no recorded answer for this input.")),
            },
            (_, Ask::Text(ask)) => Ok(made_up(base, ask)),
            // Vectors are not recorded: a made-up one is as good.
            (_, Ask::Embedding(ask)) => Ok(Reply::Embedding(embedding::vector(base, ask))),
        }
    }
}

fn made_up(base: &str, ask: &TextAsk) -> Reply {
    Reply::Text(cut::to_size(&fake::text(base, ask), ask))
}

/// The name that Anthropic's answers carry: `claude-3-haiku-20240307` for `anthropic.claude-3-haiku-20240307-v1:0`.
pub(crate) fn short_model_name(base: &str) -> &str {
    let name = base.split_once('.').map_or(base, |(_, name)| name);
    let Some((name_part, version)) = name.rsplit_once("-v") else { return name };
    let is_version = version.chars().all(|letter| letter.is_ascii_digit() || letter == ':') && !version.is_empty();
    if is_version { name_part } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_without_provider_and_version() {
        assert_eq!(short_model_name("anthropic.claude-3-haiku-20240307-v1:0"), "claude-3-haiku-20240307");
        assert_eq!(short_model_name("anthropic.claude-opus-5"), "claude-opus-5");
        assert_eq!(short_model_name("amazon.nova-lite-v1:0"), "nova-lite");
        assert_eq!(short_model_name("claude-3-vision"), "claude-3-vision");
    }
}
