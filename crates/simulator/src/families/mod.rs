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
mod family;
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

pub(crate) use family::{Channel, Family};

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
