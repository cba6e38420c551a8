//! The families of models: the format of the requests and of the answers of each.
//!
//! The validation of a job does not read `modelInput`: a problem there becomes an error of the record, and for the runtime
//! a `ValidationException`. The checks are those that AWS documents per family. Messages are in the style of Bedrock, but
//! not its exact words.

mod anthropic;
pub(crate) mod caching;
mod chat;
mod completion;
mod converse;
mod family;
mod image;
mod limits;
mod node;
mod nova;
pub(crate) mod prompt;
mod structured;
#[cfg(test)]
mod tests;
mod titan;

use serde_json::Value;

use crate::backend::{Reply, Source};
use crate::control::request::InvocationType;
use crate::families::node::Node;
use crate::families::prompt::{Prompt, Refusal};
use crate::models::Model;

pub(crate) use family::{Channel, Family};

/// A model's answer in its own format.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answered {
    pub(crate) output: Value,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
}

/// Returns the answer of a model to a request.
pub(crate) fn answer(
    source: Source<'_>,
    model: &Model,
    written_for: InvocationType,
    channel: Channel,
    body: &Value,
) -> Result<Answered, Refusal> {
    let marks = caching::marks(body).map_err(Refusal::invalid)?;
    if marks > 0 && (channel == Channel::Batch || !caching::is_supported(&model.base)) {
        let message = "You invoked an unsupported model or your request did not allow prompt caching.";
        return Err(Refusal::forbidden(message));
    }
    let family = model.family().resolved_by(body);
    let converse = written_for == InvocationType::Converse;
    let root = Node::root(body);
    let prompt = if converse {
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
    let reply = source.answer(&model.base, &prompt)?;
    let (input_tokens, output_tokens) = (reply.input_tokens(), reply.output_tokens());
    let output = match (&reply, &prompt) {
        (Reply::Text(reply), _) if converse => converse::write(reply),
        (Reply::Text(reply), Prompt::Text(prompt)) => match family {
            Family::Anthropic => anthropic::write(reply, prompt, &model.base),
            Family::Nova => nova::write(reply),
            Family::Llama => completion::write_llama(reply),
            Family::PromptOrChat if root.has("prompt") => completion::write_prompt(reply, &model.base),
            Family::PromptOrChat => chat::write_bare(reply),
            _ => chat::write(reply, &model.base),
        },
        (Reply::Embedding(reply), _) => titan::write(reply, family, &root)?,
        (Reply::Text(_), Prompt::Embedding(_)) => {
            return Err(Refusal::invalid("The recorded answer is no embedding."));
        }
    };
    Ok(Answered { output, input_tokens, output_tokens })
}
