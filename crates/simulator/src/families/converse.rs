//! Converse: one format for all text models.

use serde_json::{Value, json};

use crate::backend::{Stop, TextReply};
use crate::families::image;
use crate::families::node::Node;
use crate::families::prompt::{Image, Prompt, Refusal, TextPrompt};
use crate::families::{Channel, Family, anthropic, structured};

const FIELDS: [&str; 11] = [
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "inferenceConfig",
    "messages",
    "outputConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
    "system",
];
const BLOCKS: [&str; 14] = [
    "audio",
    "cachePoint",
    "citationsContent",
    "document",
    "guardContent",
    "image",
    "reasoningContent",
    "searchResult",
    "text",
    "toolAddition",
    "toolRemoval",
    "toolResult",
    "toolUse",
    "video",
];
const MAX_IMAGES: usize = 20;

pub(super) fn read(root: &Node<'_>, family: Family, base: &str, channel: Channel) -> Result<Prompt, Refusal> {
    if matches!(family, Family::TitanText | Family::TitanMultimodal | Family::Unread) {
        return Err(Refusal::invalid("This action doesn't support the model that you provided."));
    }
    let mut fields = FIELDS.to_vec();
    fields.push("toolConfig");
    let root = root.clone().object(&fields)?;
    let format = root.optional("outputConfig").and_then(|config| config.optional("textFormat"));
    if format.is_some() || root.has("toolConfig") {
        structured::no_batch(channel)?;
    }
    let mut prompt = TextPrompt::default();
    if let Some(system) = root.optional("system") {
        for block in system.list()? {
            let block = block.union(&["text", "guardContent", "cachePoint"])?;
            no_caching(&block, channel)?;
            if let Some(text) = block.optional("text") {
                prompt.system.push_str(text.text()?);
                prompt.system.push('\n');
            }
        }
    }
    read_inference(&root, base, &mut prompt)?;
    for (index, message) in root.required("messages")?.filled_list()?.into_iter().enumerate() {
        let message = message.object(&["role", "content"])?;
        let from_assistant = message.required("role")?.one_of(&["user", "assistant"])? == "assistant";
        if index == 0 && from_assistant {
            return Err(Refusal::invalid(
                "A conversation must start with a user message. Try again with a conversation that starts with a \
                 user message.",
            ));
        }
        let images_before = prompt.images.len();
        let content = message.required("content")?;
        for block in content.filled_list()? {
            read_block(block, channel, family, from_assistant, &mut prompt)?;
        }
        if prompt.images.len() - images_before > MAX_IMAGES {
            return Err(content.refuse(&format!("more than {MAX_IMAGES} images")));
        }
    }
    if family == Family::Anthropic && prompt.prefill.ends_with(char::is_whitespace) {
        return Err(Refusal::invalid("messages: final assistant content cannot end with trailing whitespace"));
    }
    if let Some(format) = format {
        read_format(&format, base, &mut prompt)?;
    }
    Ok(Prompt::Text(prompt))
}

/// Reads the schema, which is a text here.
fn read_format(format: &Node<'_>, base: &str, prompt: &mut TextPrompt) -> Result<(), Refusal> {
    let format = format.clone().object(&["type", "structure"])?;
    format.required("type")?.one_of(&["json_schema"])?;
    let named = format.required("structure")?.union(&["jsonSchema"])?.required("jsonSchema")?;
    let named = named.object(&["schema", "name", "description"])?;
    let text = named.required("schema")?;
    let schema = serde_json::from_str(text.text()?).map_err(|_| text.refuse("the schema is not valid JSON"))?;
    structured::take(&text, schema, base, prompt)
}

fn read_block(
    block: Node<'_>,
    channel: Channel,
    family: Family,
    from_assistant: bool,
    prompt: &mut TextPrompt,
) -> Result<(), Refusal> {
    let block = block.union(&BLOCKS)?;
    no_caching(&block, channel)?;
    if let Some(text) = block.optional("text") {
        if text.text()?.trim().is_empty() {
            return Err(text.refuse("the text field is blank"));
        }
        prompt.add(from_assistant, text.text()?);
    }
    if let Some(picture) = block.optional("image") {
        let picture = picture.object(&["format", "source"])?;
        let format = picture.required("format")?.one_of(&["png", "jpeg", "gif", "webp"])?;
        let source = picture.required("source")?.union(&["bytes", "s3Location"])?;
        if let Some(bytes) = source.optional("bytes") {
            let rules = if family == Family::Nova { image::NOVA } else { image::CLAUDE };
            prompt.images.push(image::read(&bytes, Some(format), rules)?);
        } else {
            let uri = source.required("s3Location")?.object(&["uri", "bucketOwner"])?.required("uri")?;
            prompt.images.push(Image::at(uri.text()?));
        }
    }
    Ok(())
}

/// Records with cache points fail one by one in a job.
fn no_caching(block: &Node<'_>, channel: Channel) -> Result<(), Refusal> {
    if channel == Channel::Batch && block.has("cachePoint") {
        return Err(Refusal::forbidden(
            "You invoked an unsupported model or your request did not allow prompt caching.",
        ));
    }
    Ok(())
}

fn read_inference(root: &Node<'_>, base: &str, prompt: &mut TextPrompt) -> Result<(), Refusal> {
    let Some(config) = root.optional("inferenceConfig") else { return Ok(()) };
    let config = config.object(&["maxTokens", "temperature", "topP", "stopSequences"])?;
    if let Some(tokens) = config.optional("maxTokens") {
        prompt.max_tokens = Some(tokens.integer(1, u64::MAX)?);
    }
    for key in ["temperature", "topP"] {
        if let Some(number) = config.optional(key) {
            number.number(0.0, 1.0)?;
        }
    }
    if config.has("temperature") && config.has("topP") {
        anthropic::one_sampling_parameter(base)?;
    }
    if let Some(sequences) = config.optional("stopSequences") {
        prompt.stop_sequences = sequences.strings(2500)?;
        if prompt.stop_sequences.iter().any(String::is_empty) {
            return Err(sequences.refuse("expected minLength: 1, actual: 0"));
        }
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
        },
        // The same each time, like everything else in the answer.
        "metrics": { "latencyMs": 100 + reply.output_tokens * 5 },
    })
}
