//! A bare prompt that the model continues: Llama, and the older way to call Mistral and `DeepSeek`.

use serde_json::{Value, json};

use crate::backend::{Stop, TextReply};
use crate::families::image;
use crate::families::node::Node;
use crate::families::prompt::{Prompt, Refusal, TextPrompt};

pub(super) fn read_llama(root: &Node<'_>) -> Result<Prompt, Refusal> {
    let root = root.clone().object(&["prompt", "max_gen_len", "temperature", "top_p", "images"])?;
    let mut prompt = TextPrompt { max_tokens: Some(512), ..TextPrompt::default() };
    if let Some(tokens) = root.optional("max_gen_len") {
        prompt.max_tokens = Some(tokens.integer(1, 2048)?);
    }
    if let Some(images) = root.optional("images") {
        for picture in images.list()? {
            prompt.images.push(image::read(&picture, None, image::NOVA)?);
        }
    }
    read_common(&root, &mut prompt)?;
    Ok(Prompt::Text(prompt))
}

pub(super) fn read_prompt(root: &Node<'_>) -> Result<Prompt, Refusal> {
    let root = root.clone().object(&["prompt", "max_tokens", "temperature", "top_p", "top_k", "stop"])?;
    let mut prompt = TextPrompt { max_tokens: Some(512), ..TextPrompt::default() };
    if let Some(tokens) = root.optional("max_tokens") {
        prompt.max_tokens = Some(tokens.integer(1, u64::MAX)?);
    }
    if let Some(stop) = root.optional("stop") {
        prompt.stop_sequences = stop.strings(10)?;
    }
    read_common(&root, &mut prompt)?;
    Ok(Prompt::Text(prompt))
}

fn read_common(root: &Node<'_>, prompt: &mut TextPrompt) -> Result<(), Refusal> {
    let written = root.required("prompt")?;
    let text = written.text()?;
    if text.is_empty() {
        return Err(written.refuse("expected minLength: 1, actual: 0"));
    }
    prompt.add(false, text);
    for key in ["temperature", "top_p"] {
        if let Some(number) = root.optional(key) {
            number.number(0.0, 1.0)?;
        }
    }
    Ok(())
}

pub(super) fn write_llama(reply: &TextReply) -> Value {
    json!({
        "generation": reply.text,
        "prompt_token_count": reply.input_tokens,
        "generation_token_count": reply.output_tokens,
        "stop_reason": stop_reason(&reply.stop),
    })
}

/// `DeepSeek` answers in `choices`, Mistral in `outputs`; neither counts tokens.
pub(super) fn write_prompt(reply: &TextReply, base: &str) -> Value {
    let choice = json!([{ "text": reply.text, "stop_reason": stop_reason(&reply.stop) }]);
    if base.starts_with("deepseek.") { json!({ "choices": choice }) } else { json!({ "outputs": choice }) }
}

fn stop_reason(stop: &Stop) -> &'static str {
    if *stop == Stop::MaxTokens { "length" } else { "stop" }
}
