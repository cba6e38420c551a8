//! Where answers come from.

mod cut;
mod embedding;
mod fake;
mod filling;
mod labels;
mod material;
mod model_name;
mod replay;
mod reply;
mod skeleton;

use std::path::Path;

use crate::backend::replay::Recordings;
use crate::families::ask::{Ask, Refusal, TextAsk};
use crate::options::{BackendName, OnMiss, Options};

pub(crate) use model_name::short_model_name;
pub(crate) use reply::{EmbeddingReply, Reply, Stop, TextReply};

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
