//! Titan Text Embeddings V2 and Titan Multimodal Embeddings G1.

use serde_json::{Map, Value, json};

use crate::backend::EmbeddingReply;
use crate::families::Family;
use crate::families::image;
use crate::families::node::Node;
use crate::families::prompt::{EmbeddingPrompt, Prompt, Refusal};

pub(super) fn read_text(root: &Node<'_>) -> Result<Prompt, Refusal> {
    let root = root.clone().object(&["inputText", "dimensions", "normalize", "embeddingTypes"])?;
    let text = filled_text(&root.required("inputText")?)?;
    if let Some(types) = root.optional("embeddingTypes") {
        for kind in types.filled_list()? {
            kind.one_of(&["float", "binary"])?;
        }
    }
    Ok(Prompt::Embedding(EmbeddingPrompt {
        text: text.to_owned(),
        image: None,
        dimensions: dimensions(root.optional("dimensions"), &[256, 512, 1024])?,
        normalize: root.optional("normalize").map_or(Ok(true), |node| node.boolean())?,
    }))
}

pub(super) fn read_multimodal(root: &Node<'_>) -> Result<Prompt, Refusal> {
    let root = root.clone().object(&["inputText", "inputImage", "embeddingConfig"])?;
    let text = root.optional("inputText").map(|text| filled_text(&text)).transpose()?;
    let picture = root.optional("inputImage");
    let picture = picture.map(|picture| image::read(&picture, None, image::TITAN)).transpose()?;
    if text.is_none() && picture.is_none() {
        return Err(root.refuse("at least one of [inputText, inputImage] is required"));
    }
    let config =
        root.optional("embeddingConfig").map(|config| config.object(&["outputEmbeddingLength"])).transpose()?;
    let length = config.and_then(|config| config.optional("outputEmbeddingLength"));
    Ok(Prompt::Embedding(EmbeddingPrompt {
        text: text.unwrap_or_default().to_owned(),
        image: picture.map(|picture| picture.hash),
        dimensions: dimensions(length, &[256, 384, 1024])?,
        normalize: true,
    }))
}

fn filled_text<'a>(text: &Node<'a>) -> Result<&'a str, Refusal> {
    match text.text()? {
        "" => Err(text.refuse("expected minLength: 1, actual: 0")),
        filled => Ok(filled),
    }
}

fn dimensions(node: Option<Node<'_>>, allowed: &[u64]) -> Result<usize, Refusal> {
    let Some(node) = node else { return Ok(1024) };
    let number = node.integer(1, u64::MAX)?;
    if !allowed.contains(&number) {
        return Err(node.refuse(&format!("{number} is not a valid enum value; valid values: {allowed:?}")));
    }
    usize::try_from(number).map_err(|_| node.refuse("the number is too large"))
}

/// Text V2 answers with the requested types; `embedding` is absent if only binary ones were requested.
pub(super) fn write(reply: &EmbeddingReply, family: Family, root: &Node<'_>) -> Result<Value, Refusal> {
    if family == Family::TitanMultimodal {
        return Ok(json!({ "embedding": reply.vector, "inputTextTokenCount": reply.input_tokens, "message": null }));
    }
    let types = root.optional("embeddingTypes").map(|types| types.strings(usize::MAX)).transpose()?;
    let types = types.unwrap_or_else(|| vec!["float".to_owned()]);
    let mut by_type = Map::new();
    if types.iter().any(|kind| kind == "float") {
        by_type.insert("float".to_owned(), json!(reply.vector));
    }
    if types.iter().any(|kind| kind == "binary") {
        let bits: Vec<u8> = reply.vector.iter().map(|part| u8::from(*part > 0.0)).collect();
        by_type.insert("binary".to_owned(), json!(bits));
    }
    let mut answer = Map::new();
    if by_type.contains_key("float") {
        answer.insert("embedding".to_owned(), json!(reply.vector));
    }
    answer.insert("embeddingsByType".to_owned(), Value::Object(by_type));
    answer.insert("inputTextTokenCount".to_owned(), json!(reply.input_tokens));
    Ok(Value::Object(answer))
}
