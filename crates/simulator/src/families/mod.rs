//! The families of models: how each wants its request, and how each answers.
//!
//! A job's validation does not look into `modelInput`; what is wrong there becomes an error of the record, and for the
//! runtime a `ValidationException`. The checks are those that AWS documents per family. Wordings are in Bedrock's style
//! and not word for word Bedrock's.

mod anthropic;
pub(crate) mod ask;
mod chat;
mod completion;
mod converse;
mod image;
mod node;
mod nova;
#[cfg(test)]
mod tests;
mod titan;

use serde_json::Value;

use crate::backend::{Backend, Reply};
use crate::control::request::InvocationType;
use crate::families::ask::{Ask, Refusal};
use crate::families::node::Node;
use crate::models::Model;

/// Whose format a native request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Anthropic,
    Nova,
    TitanText,
    TitanMultimodal,
    Llama,
    /// Mistral and `DeepSeek`: a `prompt`, or chat `messages`.
    PromptOrChat,
    /// OpenAI's chat completions, which gpt-oss and most newer models take.
    Chat,
    /// Nothing here can read its requests.
    Unread,
    /// An application inference profile or custom model: recognised by the request's own form.
    ByForm,
}

impl Family {
    pub(crate) fn of(base: &str) -> Self {
        let by_beginning = [
            ("anthropic.", Self::Anthropic),
            ("amazon.nova-2-multimodal-embeddings", Self::Unread),
            ("amazon.nova", Self::Nova),
            ("amazon.titan-embed-text-v2", Self::TitanText),
            ("amazon.titan-embed-image", Self::TitanMultimodal),
            ("amazon.", Self::Unread),
            ("cohere.", Self::Unread),
            ("meta.", Self::Llama),
            ("mistral.", Self::PromptOrChat),
            ("deepseek.", Self::PromptOrChat),
        ];
        match by_beginning.iter().find(|(beginning, _)| base.starts_with(beginning)) {
            Some((_, family)) => *family,
            None if base.contains('.') => Self::Chat,
            None => Self::ByForm,
        }
    }

    /// What `ByForm` turns out to be.
    fn seen(self, body: &Value) -> Self {
        let has = |key: &str| body.get(key).is_some();
        match self {
            Self::ByForm if has("anthropic_version") => Self::Anthropic,
            Self::ByForm if has("inputImage") || has("embeddingConfig") => Self::TitanMultimodal,
            Self::ByForm if has("inputText") => Self::TitanText,
            Self::ByForm if has("inferenceConfig") || has("schemaVersion") => Self::Nova,
            Self::ByForm if has("max_gen_len") => Self::Llama,
            Self::ByForm => Self::PromptOrChat,
            known => known,
        }
    }
}

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// As a record of a job: no tools, no prompt caching.
    Batch,
    OnDemand,
}

/// A model's answer in its own format.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answered {
    pub(crate) output: Value,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
}

/// Lets a model answer a request.
pub(crate) fn answer(
    backend: &Backend,
    model: &Model,
    written_for: InvocationType,
    channel: Channel,
    body: &Value,
) -> Result<Answered, Refusal> {
    let family = model.family().seen(body);
    let converse = written_for == InvocationType::Converse;
    let root = Node::root(body);
    let ask = if converse {
        converse::read(&root, family, &model.base, channel)?
    } else {
        match family {
            Family::Anthropic => anthropic::read(&root, &model.base, channel)?,
            Family::Nova => nova::read(&root, &model.base, channel)?,
            Family::TitanText => titan::read_text(&root)?,
            Family::TitanMultimodal => titan::read_multimodal(&root)?,
            Family::Llama => completion::read_llama(&root)?,
            Family::PromptOrChat if root.has("prompt") => completion::read_prompt(&root)?,
            Family::PromptOrChat | Family::Chat | Family::ByForm => chat::read(&root, &model.base, channel)?,
            Family::Unread => {
                return Err(Refusal::invalid(format!("The simulator cannot read requests of {}.", model.base)));
            }
        }
    };
    let reply = backend.answer(&model.base, &ask)?;
    let (input_tokens, output_tokens) = (reply.input_tokens(), reply.output_tokens());
    let output = match (&reply, &ask) {
        (Reply::Text(reply), _) if converse => converse::write(reply),
        (Reply::Text(reply), Ask::Text(ask)) => match family {
            Family::Anthropic => anthropic::write(reply, ask, &model.base),
            Family::Nova => nova::write(reply),
            Family::Llama => completion::write_llama(reply),
            Family::PromptOrChat if root.has("prompt") => completion::write_prompt(reply, &model.base),
            Family::PromptOrChat => chat::write_bare(reply),
            _ => chat::write(reply, &model.base),
        },
        (Reply::Embedding(reply), _) => titan::write(reply, family, &root)?,
        (Reply::Text(_), Ask::Embedding(_)) => {
            return Err(Refusal::invalid("The recorded answer is no embedding."));
        }
    };
    Ok(Answered { output, input_tokens, output_tokens })
}
