//! The sources of answers: made up, or recorded.

mod by_schema;
mod cut;
mod embedding;
mod fake;
mod filling;
mod labels;
mod listed;
mod listing;
mod material;
mod model_name;
mod replay;
mod reply;
mod skeleton;

use std::path::Path;

use crate::backend::replay::Recordings;
use crate::families::prompt::{Prompt, Refusal, TextPrompt};
use crate::options::{BackendName, OnMiss, Options};

pub(crate) use listing::ListFaults;
pub(crate) use model_name::short_model_name;
pub(crate) use reply::{EmbeddingReply, Reply, Stop, TextReply};

/// Source of answers.
#[derive(Debug)]
pub(crate) enum Backend {
    Fake,
    Replay { recordings: Recordings, on_miss: OnMiss },
}

/// Source of answers, and the faults of its answers to requests of several rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) backend: &'a Backend,
    pub(crate) list_faults: ListFaults,
}

impl Source<'_> {
    pub(crate) fn answer(&self, base: &str, prompt: &Prompt) -> Result<Reply, Refusal> {
        self.backend.answer(base, prompt, self.list_faults)
    }
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

    fn answer(&self, base: &str, prompt: &Prompt, faults: ListFaults) -> Result<Reply, Refusal> {
        match (self, prompt) {
            (Self::Replay { recordings, on_miss }, Prompt::Text(prompt)) => {
                match (recordings.find(base, prompt), on_miss) {
                    (Some(reply), _) => Ok(Reply::Text(reply)),
                    (None, OnMiss::Fake) => Ok(made_up(base, prompt, faults)),
                    (None, OnMiss::Error) => Err(Refusal::invalid("There is no recorded answer for this input.")),
                }
            }
            (_, Prompt::Text(prompt)) => Ok(made_up(base, prompt, faults)),
            // Vectors are not recorded: a made-up one is as good.
            (_, Prompt::Embedding(prompt)) => Ok(Reply::Embedding(embedding::vector(base, prompt))),
        }
    }
}

fn made_up(base: &str, prompt: &TextPrompt, faults: ListFaults) -> Reply {
    let text = listing::text(base, prompt, faults).unwrap_or_else(|| fake::text(base, prompt));
    Reply::Text(cut::to_size(&text, prompt))
}
