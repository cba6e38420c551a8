//! Amazon Nova (Nova user guide, "complete-request-schema"). Its answers have the shape of Converse's.

use super::family::Instructions;
use serde_json::{Map, Value, json};

pub(super) fn model_input(text: &str, with: Instructions<'_>) -> Value {
    let inference = with.inference;
    let mut config = Map::new();
    config.insert("maxTokens".into(), json!(inference.max_tokens));
    let optional = [
        ("temperature", inference.temperature.map(|v| json!(v))),
        ("topP", inference.top_p.map(|v| json!(v))),
        ("topK", inference.top_k.map(|v| json!(v))),
        ("stopSequences", (!inference.stop_sequences.is_empty()).then(|| json!(inference.stop_sequences))),
    ];
    config.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    // `content` must be a list, also of one.
    let mut messages = vec![json!({"role": "user", "content": [{"text": text}]})];
    if let Some(prefill) = with.prefill {
        messages.push(json!({"role": "assistant", "content": [{"text": prefill}]}));
    }
    let mut body = Map::new();
    if let Some(system) = with.system {
        body.insert("system".into(), json!([{"text": system}]));
    }
    body.insert("messages".into(), Value::Array(messages));
    body.insert("inferenceConfig".into(), Value::Object(config));
    Value::Object(body)
}
