//! Amazon Nova, native.

use serde_json::{Value, json};

use crate::backend::{Stop, TextReply};
use crate::families::Channel;
use crate::families::image;
use crate::families::node::Node;
use crate::families::prompt::{Prompt, Refusal, TextPrompt};

/// The largest `maxTokens` of the first Novas.
const MAX_TOKENS_V1: u64 = 5_000;
const MAX_INLINE_FILES: usize = 5;

pub(super) fn read(root: &Node<'_>, base: &str, channel: Channel) -> Result<Prompt, Refusal> {
    let root = root.clone().object(&["schemaVersion", "system", "messages", "inferenceConfig", "toolConfig"])?;
    if channel == Channel::Batch && root.has("toolConfig") {
        return Err(Refusal::invalid("Batch inference does not support tool calling."));
    }
    let mut prompt = TextPrompt::default();
    if let Some(version) = root.optional("schemaVersion") {
        version.one_of(&["messages-v1"])?;
    }
    if let Some(system) = root.optional("system") {
        let blocks = system.list()?.into_iter();
        let texts = blocks.map(|block| block.object(&["text", "cachePoint"])?.required("text")?.text());
        prompt.system = texts.collect::<Result<Vec<_>, _>>()?.join("\n");
    }
    read_inference(&root, base, &mut prompt)?;
    for (index, message) in root.required("messages")?.filled_list()?.into_iter().enumerate() {
        let message = message.object(&["role", "content"])?;
        let from_assistant = message.required("role")?.one_of(&["user", "assistant"])? == "assistant";
        if index == 0 && from_assistant {
            return Err(Refusal::invalid("A conversation must start with a user message."));
        }
        for block in message.required("content")?.filled_list()? {
            read_block(&block, base, from_assistant, &mut prompt)?;
        }
    }
    if prompt.images.len() > MAX_INLINE_FILES {
        return Err(Refusal::invalid(format!("A request holds at most {MAX_INLINE_FILES} inline files.")));
    }
    Ok(Prompt::Text(prompt))
}

fn read_block(block: &Node<'_>, base: &str, from_assistant: bool, prompt: &mut TextPrompt) -> Result<(), Refusal> {
    // The mark of the cache is within the block that it ends.
    let block = match block.clone().object(&["text", "cachePoint"]) {
        Ok(text) if text.has("text") => text,
        _ => block.clone().union(&["text", "image", "video", "document", "toolUse", "toolResult"])?,
    };
    if let Some(text) = block.optional("text") {
        prompt.add(from_assistant, text.text()?);
    }
    let visual = ["image", "video", "document"].iter().any(|kind| block.has(kind));
    if visual && base.starts_with("amazon.nova-micro") {
        return Err(Refusal::invalid("This model doesn't support images, videos or documents."));
    }
    if let Some(picture) = block.optional("image") {
        let picture = picture.object(&["format", "source"])?;
        let format = picture.required("format")?.one_of(&["png", "jpeg", "jpg", "gif", "webp"])?;
        let source = picture.required("source")?.union(&["bytes", "s3Location"])?;
        if let Some(bytes) = source.optional("bytes") {
            let format = if format == "jpg" { "jpeg" } else { format };
            prompt.images.push(image::read(&bytes, Some(format), image::NOVA)?);
        } else {
            let uri = source.required("s3Location")?.any_object()?.required("uri")?;
            prompt.images.push(crate::families::prompt::Image::at(uri.text()?));
        }
    }
    Ok(())
}

fn read_inference(root: &Node<'_>, base: &str, prompt: &mut TextPrompt) -> Result<(), Refusal> {
    let Some(config) = root.optional("inferenceConfig") else { return Ok(()) };
    let config = config.object(&[
        "maxTokens",
        "max_new_tokens",
        "temperature",
        "topP",
        "top_p",
        "topK",
        "top_k",
        "stopSequences",
    ])?;
    let limit = if base.starts_with("amazon.nova-2") { u64::MAX } else { MAX_TOKENS_V1 };
    for key in ["max_new_tokens", "maxTokens"] {
        if let Some(tokens) = config.optional(key) {
            prompt.max_tokens = Some(tokens.integer(1, limit)?);
        }
    }
    for key in ["temperature", "topP", "top_p"] {
        if let Some(number) = config.optional(key) {
            number.number(0.0, 1.0)?;
        }
    }
    for key in ["topK", "top_k"] {
        if let Some(number) = config.optional(key) {
            number.integer(0, 128)?;
        }
    }
    if let Some(sequences) = config.optional("stopSequences") {
        prompt.stop_sequences = sequences.strings(usize::MAX)?;
    }
    Ok(())
}

pub(super) fn write(reply: &TextReply) -> Value {
    let stop_reason = match &reply.stop {
        Stop::EndTurn => "end_turn",
        Stop::MaxTokens => "max_tokens",
        Stop::Sequence(_) => "stop_sequence",
    };
    json!({
        "output": { "message": { "role": "assistant", "content": [{ "text": reply.text }] } },
        "stopReason": stop_reason,
        "usage": {
            "inputTokens": reply.input_tokens,
            "outputTokens": reply.output_tokens,
            "totalTokens": reply.input_tokens + reply.output_tokens,
            "cacheReadInputTokenCount": 0,
            "cacheWriteInputTokenCount": 0,
        },
    })
}
