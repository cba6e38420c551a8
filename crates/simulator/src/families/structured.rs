//! Structured output: the JSON Schema that an answer is made to match, with what Bedrock refuses in it (user guide,
//! "structured-output").

use serde_json::Value;

use crate::families::Channel;
use crate::families::node::Node;
use crate::families::prompt::{Refusal, TextPrompt};

/// Beginnings of the models that have structured output.
const MODELS: [&str; 9] = [
    "anthropic.claude-haiku-4-5",
    "anthropic.claude-opus-4-5",
    "anthropic.claude-opus-4-6",
    "anthropic.claude-opus-5",
    "anthropic.claude-sonnet-4-5",
    "anthropic.claude-sonnet-4-6",
    "deepseek.v3",
    "openai.gpt-oss-",
    "qwen.qwen3-",
];
/// Constraints that are not supported.
const REFUSED: [&str; 14] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maximum",
    "minLength",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "x-aliases",
];

/// Refuses structured output where it does not exist: the page on batch says that batch does not have it.
pub(super) fn no_batch(channel: Channel) -> Result<(), Refusal> {
    match channel {
        Channel::Batch => Err(Refusal::invalid("Batch inference does not support tool calling or structured output.")),
        Channel::OnDemand => Ok(()),
    }
}

/// Takes the schema of a request, whose place in it is `node`.
pub(super) fn take(node: &Node<'_>, schema: Value, base: &str, prompt: &mut TextPrompt) -> Result<(), Refusal> {
    // Application profiles do not name their model.
    let is_known = !base.contains('.') || MODELS.iter().any(|model| base.starts_with(model));
    if !is_known {
        return Err(node.refuse("structured output is not supported by this model"));
    }
    if let Some(problem) = problem(&schema) {
        return Err(node.refuse(&format!("invalid schema: {problem}")));
    }
    if !prompt.prefill.is_empty() {
        return Err(Refusal::invalid("The final message may not be the assistant's with structured output."));
    }
    prompt.schema = Some(schema);
    Ok(())
}

fn problem(schema: &Value) -> Option<String> {
    let Some(object) = schema.as_object() else { return Some("a schema must be an object".to_owned()) };
    if let Some(name) = object.keys().find(|name| REFUSED.contains(&name.as_str())) {
        return Some(format!("`{name}` is not supported"));
    }
    let reference = object.get("$ref").and_then(Value::as_str);
    if reference.is_some_and(|reference| !reference.starts_with('#')) {
        return Some("references must be internal".to_owned());
    }
    if object.get("type").is_some_and(|name| *name == "object")
        && object.get("additionalProperties") != Some(&false.into())
    {
        return Some("`additionalProperties` must be false in every object".to_owned());
    }
    let named = ["properties", "$defs", "definitions"].into_iter().filter_map(|name| object.get(name)?.as_object());
    let listed = ["anyOf", "allOf"].into_iter().filter_map(|name| object.get(name)?.as_array());
    let mut inner = named.flat_map(|schemas| schemas.values()).chain(listed.flatten()).chain(object.get("items"));
    inner.find_map(problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_supported_is_found_at_any_depth() {
        let object =
            |properties: Value| json!({"type": "object", "additionalProperties": false, "properties": properties});
        assert_eq!(problem(&object(json!({"a": {"type": "string"}, "b": object(json!({}))}))), None);
        for inner in [
            json!({"type": "number", "minimum": 0}),
            json!({"type": "object"}),
            json!({"type": "array", "items": {"type": "string", "maxLength": 1}}),
            json!({"anyOf": [{"$ref": "other.json"}]}),
            json!({"enum": ["a"], "x-aliases": {"b": "a"}}),
        ] {
            assert!(problem(&object(json!({ "a": object(json!({"b": inner})) }))).is_some(), "{inner}");
        }
    }
}
