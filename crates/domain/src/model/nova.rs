//! Format of Amazon Nova (Nova user guide, "complete-request-schema"). Its answers have the same format as those of Converse.

use super::converse::{content, inference_config};
use super::instructions::Instructions;
use serde_json::{Map, Value, json};

pub(super) fn model_input(text: &str, image: Option<Value>, with: Instructions<'_>) -> Value {
    let mut config = inference_config(with.inference);
    config.extend(with.inference.top_k.map(|k| ("topK".to_owned(), json!(k))));
    let mut messages = vec![json!({"role": "user", "content": content(text, image)})];
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
