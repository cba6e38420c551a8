//! Anthropic Messages.

use serde_json::{Value, json};

use crate::backend::{Stop, TextReply};
use crate::chance;
use crate::families::image;
use crate::families::node::Node;
use crate::families::prompt::{Prompt, Refusal, TextPrompt};
use crate::families::{Channel, limits, structured};

const FIELDS: [&str; 14] = [
    "anthropic_version",
    "anthropic_beta",
    "max_tokens",
    "messages",
    "metadata",
    "output_config",
    "stop_sequences",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];
/// These take `temperature` or `top_p`, not both.
const ONE_SAMPLING_PARAMETER: [&str; 2] = ["anthropic.claude-sonnet-4-5", "anthropic.claude-haiku-4-5"];
const MAX_IMAGES: usize = 20;

pub(super) fn read(root: &Node<'_>, base: &str, channel: Channel) -> Result<Prompt, Refusal> {
    let root = root.clone().object(&FIELDS)?;
    if root.required("anthropic_version")?.text()? != "bedrock-2023-05-31" {
        return Err(Refusal::invalid("Invalid API version"));
    }
    let format = root.optional("output_config").and_then(|config| config.optional("format"));
    if format.is_some() || root.has("tools") || root.has("tool_choice") {
        structured::no_batch(channel)?;
    }
    let max_tokens = root.required("max_tokens")?.integer(1, limits::max_output_tokens(base))?;
    let mut prompt = TextPrompt { max_tokens: Some(max_tokens), ..TextPrompt::default() };
    read_sampling(&root, base, &mut prompt)?;
    if let Some(system) = root.optional("system") {
        prompt.system = texts(&system)?.join("\n");
    }
    read_messages(&root, &mut prompt)?;
    limits::refused(&root, base, &prompt)?;
    read_thinking(&root, base, max_tokens, &mut prompt)?;
    if let Some(format) = format {
        let format = format.object(&["type", "schema"])?;
        format.required("type")?.one_of(&["json_schema"])?;
        let schema = format.required("schema")?.value().clone();
        structured::take(&format, schema, base, &mut prompt)?;
    }
    Ok(Prompt::Text(prompt))
}

fn read_sampling(root: &Node<'_>, base: &str, prompt: &mut TextPrompt) -> Result<(), Refusal> {
    let (temperature, top_p) = (root.optional("temperature"), root.optional("top_p"));
    if let Some(temperature) = &temperature {
        temperature.number(0.0, 1.0)?;
    }
    if let Some(top_p) = &top_p {
        top_p.number(0.0, 1.0)?;
    }
    if temperature.is_some() && top_p.is_some() {
        one_sampling_parameter(base)?;
    }
    if let Some(top_k) = root.optional("top_k") {
        top_k.integer(0, 500)?;
    }
    if let Some(sequences) = root.optional("stop_sequences") {
        prompt.stop_sequences = sequences.strings(8191)?;
        if prompt.stop_sequences.iter().any(|sequence| sequence.trim().is_empty()) {
            return Err(Refusal::invalid("stop_sequences: each stop sequence must contain non-whitespace"));
        }
    }
    Ok(())
}

/// Refuses a request with both, for the models that take one.
pub(super) fn one_sampling_parameter(base: &str) -> Result<(), Refusal> {
    if ONE_SAMPLING_PARAMETER.iter().any(|model| base.starts_with(model)) {
        return Err(Refusal::invalid(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        ));
    }
    Ok(())
}

fn read_messages(root: &Node<'_>, prompt: &mut TextPrompt) -> Result<(), Refusal> {
    for (index, message) in root.required("messages")?.filled_list()?.into_iter().enumerate() {
        let message = message.object(&["role", "content"])?;
        let from_assistant = message.required("role")?.one_of(&["user", "assistant"])? == "assistant";
        if index == 0 && from_assistant {
            return Err(Refusal::invalid("messages: first message must use the \"user\" role"));
        }
        let content = message.required("content")?;
        let mut images = 0;
        for block in blocks(&content)? {
            match block {
                Block::Text("") => {
                    return Err(Refusal::invalid("messages: text content blocks must be non-empty"));
                }
                Block::Text(text) => prompt.add(from_assistant, text),
                Block::Image(image) => {
                    images += 1;
                    prompt.images.push(image);
                }
                Block::Other => {}
            }
        }
        if images > MAX_IMAGES {
            return Err(content.refuse(&format!("more than {MAX_IMAGES} images")));
        }
    }
    if prompt.prefill.ends_with(char::is_whitespace) {
        return Err(Refusal::invalid("messages: final assistant content cannot end with trailing whitespace"));
    }
    Ok(())
}

enum Block<'a> {
    Text(&'a str),
    Image(crate::families::prompt::Image),
    Other,
}

fn blocks<'a>(content: &Node<'a>) -> Result<Vec<Block<'a>>, Refusal> {
    if let Some(text) = content.as_text() {
        return Ok(vec![Block::Text(text)]);
    }
    let mut read = Vec::new();
    for block in content.filled_list()? {
        let block = block.any_object()?;
        let kinds =
            ["text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking", "search_result"];
        read.push(match block.required("type")?.one_of(&kinds)? {
            "text" => Block::Text(block.required("text")?.text()?),
            "image" => {
                let source = block.required("source")?.object(&["type", "media_type", "data"])?;
                source.required("type")?.one_of(&["base64"])?;
                let types = ["image/jpeg", "image/png", "image/gif", "image/webp"];
                let media_type = source.required("media_type")?.one_of(&types)?;
                let format = media_type.strip_prefix("image/");
                Block::Image(image::read(&source.required("data")?, format, image::CLAUDE)?)
            }
            _ => Block::Other,
        });
    }
    Ok(read)
}

/// A string, or a list of text blocks.
fn texts<'a>(system: &Node<'a>) -> Result<Vec<&'a str>, Refusal> {
    if let Some(text) = system.as_text() {
        return Ok(vec![text]);
    }
    system
        .list()?
        .into_iter()
        .map(|block| {
            let block = block.object(&["type", "text", "cache_control"])?;
            block.required("type")?.one_of(&["text"])?;
            block.required("text")?.text()
        })
        .collect()
}

fn read_thinking(root: &Node<'_>, base: &str, max_tokens: u64, prompt: &mut TextPrompt) -> Result<(), Refusal> {
    let Some(thinking) = root.optional("thinking") else { return Ok(()) };
    let thinking = thinking.any_object()?;
    let kind = thinking.required("type")?.one_of(&["enabled", "disabled", "adaptive"])?;
    if kind == "disabled" {
        return Ok(());
    }
    // Thinking came with Claude 3.7.
    let too_old = base.starts_with("anthropic.claude-3-") && !base.starts_with("anthropic.claude-3-7");
    if too_old {
        return Err(root.refuse("extraneous key [thinking] is not permitted"));
    }
    if kind == "enabled" {
        let budget = thinking.required("budget_tokens")?.integer(1024, u64::MAX)?;
        if budget >= max_tokens {
            return Err(Refusal::invalid("`max_tokens` must be greater than `thinking.budget_tokens`."));
        }
    }
    if root.optional("temperature").is_some_and(|node| node.number(1.0, 1.0).is_err()) {
        return Err(Refusal::invalid("`temperature` may only be set to 1 when thinking is enabled."));
    }
    if root.has("top_k") {
        return Err(Refusal::invalid("`top_k` must be unset when thinking is enabled."));
    }
    if !prompt.prefill.is_empty() {
        return Err(Refusal::invalid("The final message may not be the assistant's when thinking is enabled."));
    }
    prompt.thinking = true;
    Ok(())
}

pub(super) fn write(reply: &TextReply, prompt: &TextPrompt, base: &str) -> Value {
    if let Some(recorded) = &reply.recorded {
        return recorded.clone();
    }
    let mut content = Vec::new();
    if prompt.thinking {
        let thinking = "The question is short, so a short look at it is enough.";
        content.push(json!({ "type": "thinking", "thinking": thinking, "signature": "c2ltdWxhdGVk" }));
    }
    content.push(json!({ "type": "text", "text": reply.text }));
    let id = chance::number(0, &[base, &prompt.user, &prompt.before, &reply.text]);
    let (stop_reason, stop_sequence) = match &reply.stop {
        Stop::EndTurn => ("end_turn", None),
        Stop::MaxTokens => ("max_tokens", None),
        Stop::Sequence(sequence) => ("stop_sequence", Some(sequence)),
    };
    json!({
        "id": format!("msg_bdrk_{id:024x}"),
        "type": "message",
        "role": "assistant",
        "model": crate::backend::short_model_name(base),
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "usage": { "input_tokens": reply.input_tokens, "output_tokens": reply.output_tokens },
    })
}
