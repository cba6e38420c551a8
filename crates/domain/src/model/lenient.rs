//! Answers of another shape than that of their model family.
//!
//! Answers are paid for, and models and services add shapes over time. One member of an odd shape costs what it would have said and
//! never the answer: counts that are no numbers are unknown, blocks without a text have none. This is the slow way, for answers that
//! the types of the families do not accept, or in which they find nothing.

use super::CachedTokens;
use super::family::Family;
use super::output::{Reply, ReplyPayload};
use crate::surrogates::without_lone_surrogates;
use serde_json::Value;
use std::borrow::Cow;

/// Members of which an answer of any family has at least one.
const KNOWN_MEMBERS: [&str; 9] = [
    "content",
    "stop_reason",
    "usage",
    "output",
    "stopReason",
    "embedding",
    "embeddingsByType",
    "inputTextTokenCount",
    "message",
];
/// Values of `type` of blocks with text; a block that does not say what it is has text if it has the member.
const TEXT_BLOCK: &str = "text";

/// Parses JSON in which characters may be broken: bytes that are not UTF-8 and halves of surrogate pairs become U+FFFD.
pub(crate) fn parsed(json: &[u8]) -> Option<Value> {
    if let Ok(value) = serde_json::from_slice(json) {
        return Some(value);
    }
    let text = String::from_utf8_lossy(json);
    serde_json::from_str(&without_lone_surrogates(&text)).ok()
}

/// Returns the reply in a `modelOutput`; `None` if it resembles no answer of any family.
pub(crate) fn reply_in(family: Family, output: &[u8]) -> Option<Reply<'static>> {
    let mut output = parsed(output)?;
    if let Value::String(text) = &output {
        output = parsed(text.as_bytes())?;
    }
    let is_known = |output: &Value| KNOWN_MEMBERS.iter().any(|member| output.get(member).is_some());
    if !is_known(&output) {
        return None;
    }
    Some(match family {
        Family::AnthropicMessages => text_reply(
            &texts_of(output.get("content")),
            output.get("stop_reason"),
            output.get("usage"),
            [&["input_tokens"], &["output_tokens"], &["cache_read_input_tokens"], &["cache_creation_input_tokens"]],
        ),
        Family::Nova | Family::Converse => text_reply(
            &texts_of(output.pointer("/output/message/content")),
            output.get("stopReason"),
            output.get("usage"),
            [
                &["inputTokens"],
                &["outputTokens"],
                &["cacheReadInputTokens", "cacheReadInputTokenCount"],
                &["cacheWriteInputTokens", "cacheWriteInputTokenCount"],
            ],
        ),
        Family::TitanTextEmbeddings | Family::TitanMultimodalEmbeddings => embedding_reply(&output),
    })
}

fn text_reply(
    texts: &[&str],
    stop_reason: Option<&Value>,
    usage: Option<&Value>,
    [input, output, read, written]: [&[&str]; 4],
) -> Reply<'static> {
    let count = |names: &[&str]| names.iter().find_map(|name| count_of(usage?.get(name)?));
    let cached = CachedTokens::reported(count(read), count(written));
    Reply {
        payload: (!texts.is_empty()).then(|| ReplyPayload::Text(Cow::Owned(texts.concat()))),
        stop_reason: stop_reason.and_then(Value::as_str).map(|reason| Cow::Owned(reason.to_owned())),
        input_tokens: count(input).map(|tokens| tokens.saturating_add(cached.total())),
        output_tokens: count(output),
        cached,
    }
}

/// Returns the texts of the content of a message: a text, or a list of texts and blocks.
fn texts_of(content: Option<&Value>) -> Vec<&str> {
    match content {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(blocks)) => blocks.iter().flat_map(texts_of_block).collect(),
        _ => Vec::new(),
    }
}

fn texts_of_block(block: &Value) -> Vec<&str> {
    if let Value::String(text) = block {
        return vec![text];
    }
    let is_text = block.get("type").is_none_or(|kind| kind == TEXT_BLOCK);
    match block.get("text") {
        Some(Value::String(text)) if is_text => vec![text],
        // Converse puts texts with citations into a block of their own.
        _ => match block.pointer("/citationsContent/content") {
            Some(Value::Array(parts)) => {
                parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
            }
            _ => Vec::new(),
        },
    }
}

fn embedding_reply(output: &Value) -> Reply<'static> {
    let embedding = output.get("embedding").filter(|embedding| !embedding.is_null());
    let numbers = embedding.or_else(|| output.pointer("/embeddingsByType/float")).and_then(numbers_of);
    Reply {
        payload: numbers.map(ReplyPayload::Embedding),
        stop_reason: None,
        input_tokens: output.get("inputTextTokenCount").and_then(count_of),
        output_tokens: None,
        cached: CachedTokens::default(),
    }
}

fn numbers_of(list: &Value) -> Option<Vec<f32>> {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are 32-bit floats")]
    list.as_array()?.iter().map(|number| number.as_f64().map(|number| number as f32)).collect()
}

/// Reads a number of tokens that may be written as a float or as a text.
fn count_of(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64().filter(|float| *float >= 0.0 && float.fract() == 0.0)?;
            // The text of a whole float has no fraction.
            float.to_string().parse().ok()
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!(7), Some(7))]
    #[case(json!(7.0), Some(7))]
    #[case(json!(" 7 "), Some(7))]
    #[case(json!(7.5), None)]
    #[case(json!(-1), None)]
    #[case(json!(1e300), None)]
    #[case(json!("many"), None)]
    #[case(json!(null), None)]
    #[case(json!([7]), None)]
    fn numbers_of_tokens_are_read_or_unknown(#[case] value: Value, #[case] expected: Option<u64>) {
        assert_eq!(count_of(&value), expected);
    }

    #[rstest]
    #[case(json!("text"), &["text"])]
    #[case(json!(["a", {"text": "b"}, {"type": "text", "text": "c"}]), &["a", "b", "c"])]
    #[case(json!([{"type": "thinking", "text": "hm"}, {"type": "text", "text": 7}, {"type": 1}, null]), &[])]
    #[case(json!([{"citationsContent": {"content": [{"text": "a"}, {"text": "b"}, {}]}}]), &["a", "b"])]
    #[case(json!({"text": "a"}), &[])]
    #[case(json!(null), &[])]
    fn texts_are_taken_from_blocks_of_any_shape(#[case] content: Value, #[case] expected: &[&str]) {
        assert_eq!(texts_of(Some(&content)), expected);
    }
}
