//! Reading of the JSON of an execution input.

use crate::json_members::{Place, parse};
use serde::Deserializer;
use serde::de::DeserializeSeed;
use serde_json::Value;

/// Parses the text of an execution input.
///
/// # Errors
/// Returns an error if the text is not valid JSON, or if an object in it names a prompt or a member of a prompt twice.
pub fn parse_input(text: &[u8]) -> serde_json::Result<Value> {
    parse(text, Place::Input)
}

/// Deserializes an execution input, for `#[serde(deserialize_with = …)]`.
///
/// # Errors
/// Returns an error if `deserializer` does, or if an object names a prompt or a member of a prompt twice.
pub fn deserialize_input<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Place::Input.deserialize(deserializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde::Deserialize;

    const SCHEMA: &str = r#"{"output_schema": {"type": "json", "fields": {"z": "$.z", "a": 1}}}"#;

    /// Payload of a function.
    #[derive(Deserialize)]
    #[serde(tag = "action")]
    enum Event {
        Start {
            #[serde(deserialize_with = "deserialize_input")]
            input: Value,
        },
    }

    #[rstest]
    #[case(format!(r#"{{"prompt": {SCHEMA}}}"#), "/prompt")]
    #[case(format!(r#"{{"prompt_config": {{"prompt": {SCHEMA}}}}}"#), "/prompt_config/prompt")]
    #[case(format!(r#"{{"prompts": {{"p": {SCHEMA}}}}}"#), "/prompts/p")]
    #[case(format!(r#"{{"stages": [7, {{"prompt": {SCHEMA}}}]}}"#), "/stages/1/prompt")]
    fn fields_of_answers_keep_their_order(#[case] text: String, #[case] prompt: &str) {
        let expected = serde_json::json!([["z", "$.z"], ["a", 1]]);
        let read = parse_input(text.as_bytes()).unwrap();
        assert_eq!(read.pointer(&format!("{prompt}/output_schema/fields")), Some(&expected), "{read}");

        let event = format!(r#"{{"input": {text}, "action": "Start"}}"#);
        let Event::Start { input } = serde_json::from_str(&event).unwrap();
        assert_eq!(input, read, "as in the payload of a function");
        assert_eq!(parse_input(read.to_string().as_bytes()).unwrap(), read, "a list stays one");
    }

    #[test]
    fn everything_else_is_read_as_it_is() {
        let text =
            format!(r#"{{"a": {SCHEMA}, "prompt": [{SCHEMA}, null, -1, 1.5, 18446744073709551615, true, "x"]}}"#);
        assert_eq!(parse_input(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
    }

    #[rstest]
    #[case("")]
    #[case("{} {}")]
    #[case("{\"prompt\": {\"output_schema\": {\"fields\": {\"a\"}}}}")]
    fn errors_have_their_position_as_always(#[case] text: &str) {
        let plain = serde_json::from_str::<Value>(text).unwrap_err().to_string();
        assert_eq!(parse_input(text.as_bytes()).unwrap_err().to_string(), plain);
    }

    #[rstest]
    #[case::prompt(r#"{"prompts": {"a": {}, "b": {}, "a": {}}}"#, "has two members `a` in one object")]
    #[case::rule(
        r#"{"prompts": {"r": {"expansion_rule": true, "prompts": [], "prompts": []}}}"#,
        "has two members `prompts`"
    )]
    #[case::field(r#"{"prompts": {"a": {"template": "x", "template": "y"}}}"#, "has two members `template`")]
    #[case::fields(r#"{"prompt": {"output_schema": {"fields": {}, "fields": {}}}}"#, "has two members `fields`")]
    #[case::schema(
        r#"{"stages": [{"prompt": {"response_schema": {"a": [{"b": 1, "b": 2}]}}}]}"#,
        "has two members `b`"
    )]
    #[case::all(r#"{"prompts": {}, "prompts": {}}"#, "has two members `prompts`")]
    #[case::long_form(r#"{"prompt_config": {"prompt": {}, "prompt": {}}}"#, "has two members `prompt`")]
    fn a_prompt_or_a_part_of_one_that_is_named_twice_is_an_error(#[case] text: &str, #[case] expected: &str) {
        let error = parse_input(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        let event = format!(r#"{{"input": {text}, "action": "Start"}}"#);
        let error = serde_json::from_str::<Event>(&event).err().unwrap().to_string();
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn a_member_outside_of_prompts_may_be_named_twice() {
        let text = r#"{"model_id": "a", "model_id": "b", "inference": {"top_p": 1, "top_p": 0}}"#;
        let expected = serde_json::json!({"model_id": "b", "inference": {"top_p": 0}});
        assert_eq!(parse_input(text.as_bytes()).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_as_always(text in "[\\[\\]{}:,\"0-9a.e\\- nultre]{0,40}") {
            let plain = serde_json::from_str::<Value>(&text).ok();
            prop_assert_eq!(parse_input(text.as_bytes()).ok(), plain);
        }
    }
}
