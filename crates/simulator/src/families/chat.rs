//! OpenAI's chat completions, as gpt-oss and others take them natively.

use serde_json::{Value, json};

use crate::backend::{Stop, TextReply};
use crate::chance;
use crate::families::Channel;
use crate::families::node::Node;
use crate::families::prompt::{Prompt, Refusal, TextPrompt};

const FIELDS: [&str; 18] = [
    "frequency_penalty",
    "logit_bias",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "model",
    "n",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "stream",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
    "user",
];

pub(super) fn read(root: &Node<'_>, base: &str, channel: Channel) -> Result<Prompt, Refusal> {
    let root = root.clone().object(&FIELDS)?;
    for key in ["tools", "tool_choice", "response_format"] {
        if channel == Channel::Batch && root.has(key) {
            return Err(Refusal::invalid("Batch inference does not support tool calling or structured output."));
        }
    }
    if root.optional("model").map(|model| model.text()).transpose()?.is_some_and(|model| model != base) {
        return Err(root.refuse("model must be omitted or that of the request"));
    }
    if root.optional("stream").map(|stream| stream.boolean()).transpose()? == Some(true) {
        return Err(root.refuse("stream must be omitted or false"));
    }
    let mut prompt = TextPrompt::default();
    for key in ["max_tokens", "max_completion_tokens"] {
        if let Some(tokens) = root.optional(key) {
            prompt.max_tokens = Some(tokens.integer(1, u64::MAX)?);
        }
    }
    if let Some(temperature) = root.optional("temperature") {
        temperature.number(0.0, 2.0)?;
    }
    if let Some(top_p) = root.optional("top_p") {
        top_p.number(0.0, 1.0)?;
    }
    if let Some(stop) = root.optional("stop") {
        prompt.stop_sequences = match stop.as_text() {
            Some(sequence) => vec![sequence.to_owned()],
            None => stop.strings(4)?,
        };
    }
    for message in root.required("messages")?.filled_list()? {
        let message = message.any_object()?;
        let roles = ["system", "developer", "user", "assistant", "tool"];
        let role = message.required("role")?.one_of(&roles)?;
        let text = content(&message.required("content")?)?;
        match role {
            "system" | "developer" => prompt.system.push_str(&text),
            role => prompt.add(role == "assistant", &text),
        }
    }
    Ok(Prompt::Text(prompt))
}

/// A string, or a list of parts; only their text counts here.
fn content(content: &Node<'_>) -> Result<String, Refusal> {
    if let Some(text) = content.as_text() {
        return Ok(text.to_owned());
    }
    let mut texts = Vec::new();
    for part in content.filled_list()? {
        let part = part.any_object()?;
        if part.required("type")?.text()? == "text" {
            texts.push(part.required("text")?.text()?);
        }
    }
    Ok(texts.join("\n"))
}

/// The whole completion. gpt-oss puts its reasoning in front of the answer.
pub(super) fn write(reply: &TextReply, base: &str) -> Value {
    let reasoning = if base.starts_with("openai.gpt-oss") { "<reasoning>Short and plain.</reasoning>" } else { "" };
    let finish_reason = if reply.stop == Stop::MaxTokens { "length" } else { "stop" };
    json!({
        "id": format!("chatcmpl-{:016x}", chance::number(0, &[base, &reply.text])),
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": base,
        "choices": [{
            "index": 0,
            "finish_reason": finish_reason,
            "message": { "role": "assistant", "content": format!("{reasoning}{}", reply.text) },
        }],
        "usage": {
            "prompt_tokens": reply.input_tokens,
            "completion_tokens": reply.output_tokens,
            "total_tokens": reply.input_tokens + reply.output_tokens,
        },
    })
}

/// Format of Mistral and `DeepSeek`, which has no usage.
pub(super) fn write_bare(reply: &TextReply) -> Value {
    let stop_reason = if reply.stop == Stop::MaxTokens { "length" } else { "stop" };
    let message = json!({ "role": "assistant", "content": reply.text });
    json!({ "choices": [{ "index": 0, "message": message, "stop_reason": stop_reason }] })
}
