//! Every family: a good request is answered in its own format, and each documented mistake is refused.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::backend::{Backend, ListFaults};

const SOURCE: Source<'static> = Source { backend: &Backend::Fake, list_faults: ListFaults { seed: 0, rate: 0.0 } };
const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const HAIKU_4_5: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const NOVA: &str = "amazon.nova-lite-v1:0";
const TITAN_TEXT: &str = "amazon.titan-embed-text-v2:0";
const TITAN_IMAGE: &str = "amazon.titan-embed-image-v1";
const LLAMA: &str = "meta.llama3-1-8b-instruct-v1:0";
const MISTRAL: &str = "mistral.mistral-large-2407-v1:0";
const GPT: &str = "openai.gpt-oss-20b-1:0";

fn native(model: &str, body: &Value) -> Result<Value, Refusal> {
    let model = Model::read(model);
    answer(SOURCE, &model, InvocationType::InvokeModel, Channel::Batch, body).map(|answered| answered.output)
}

fn converse(model: &str, body: &Value) -> Result<Value, Refusal> {
    let model = Model::read(model);
    answer(SOURCE, &model, InvocationType::Converse, Channel::Batch, body).map(|answered| answered.output)
}

fn on_demand(model: &str, written_for: InvocationType, body: &Value) -> Result<Value, Refusal> {
    let answered = answer(SOURCE, &Model::read(model), written_for, Channel::OnDemand, body);
    answered.map(|answered| answered.output)
}

/// The body with the fields of `changes` replaced; null removes one.
fn changed(mut body: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    body
}

fn claude() -> Value {
    json!({
        "anthropic_version": "bedrock-2023-05-31", "max_tokens": 512, "system": "Be terse.",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi there"}]}],
    })
}

fn nova() -> Value {
    json!({
        "system": [{"text": "Be terse."}],
        "messages": [{"role": "user", "content": [{"text": "Hi there"}]}],
        "inferenceConfig": {"maxTokens": 512, "temperature": 0.7, "topP": 0.9, "topK": 50, "stopSequences": ["X"]},
    })
}

fn conversation() -> Value {
    json!({
        "system": [{"text": "Be terse."}],
        "messages": [{"role": "user", "content": [{"text": "Hi there"}]}],
        "inferenceConfig": {"maxTokens": 1024, "temperature": 0.2, "topP": 0.9, "stopSequences": ["X"]},
        "additionalModelRequestFields": {"top_k": 50},
    })
}

fn picture(media_type: &str, data: &str) -> Value {
    let source = json!({"type": "base64", "media_type": media_type, "data": data});
    json!({"messages": [{"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "?"}]}]})
}

/// The same for Nova and Converse.
fn shown(format: &str, data: &str) -> Value {
    json!({"messages": [{"role": "user", "content": [
        {"image": {"format": format, "source": {"bytes": data}}}, {"text": "?"}]}]})
}

/// The beginning of a JPEG of this size.
fn jpeg_bytes(width: u16, height: u16) -> Vec<u8> {
    let [size, end] = [[height.to_be_bytes(), width.to_be_bytes()].concat(), vec![1, 1, 0x11, 0, 0xff, 0xd9]];
    [vec![0xff, 0xd8, 0xff, 0xc0, 0, 11, 8], size, end].concat()
}

fn jpeg() -> String {
    STANDARD.encode(jpeg_bytes(4, 3))
}

#[test]
fn claude_answers_with_text_and_usage() {
    let answer = native(HAIKU, &claude()).unwrap();
    assert_eq!(answer["type"], "message");
    assert_eq!(answer["model"], "claude-3-haiku-20240307");
    assert_eq!(answer["content"][0]["type"], "text");
    assert_eq!(answer["stop_reason"], "end_turn");
    assert_eq!(answer["stop_sequence"], Value::Null);
    assert!(answer["usage"]["input_tokens"].as_u64().unwrap() > 0);
    assert!(answer["usage"]["output_tokens"].as_u64().unwrap() > 0);
}

#[rstest]
#[case(json!({"anthropic_version": null}), "[anthropic_version] not found")]
#[case(json!({"anthropic_version": "2023-06-01"}), "Invalid API version")]
#[case(json!({"max_tokens": null}), "[max_tokens] not found")]
#[case(json!({"max_tokens": 0}), "#/max_tokens")]
#[case(json!({"max_tokens": "many"}), "#/max_tokens: expected type: Integer, found: String")]
#[case(json!({"messages": null}), "[messages] not found")]
#[case(json!({"messages": []}), "#/messages")]
#[case(json!({"messages": "Hi"}), "expected type: JSONArray, found: String")]
#[case(json!({"messages": [{"role": "system", "content": "Hi"}]}), "#/messages/0/role")]
#[case(json!({"messages": [{"role": "assistant", "content": "Hi"}]}), "first message")]
#[case(json!({"messages": [{"role": "user", "content": ""}]}), "non-empty")]
#[case(json!({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}), "non-empty")]
#[case(json!({"messages": [{"role": "user"}]}), "[content] not found")]
#[case(json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}), "#/messages/0/content/0/type")]
#[case(json!({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "So "}]}), "whitespace")]
#[case(json!({"temperature": 1.5}), "#/temperature")]
#[case(json!({"top_p": -1}), "#/top_p")]
#[case(json!({"top_k": 501}), "#/top_k")]
#[case(json!({"stop_sequences": "X"}), "#/stop_sequences")]
#[case(json!({"stop_sequences": [" "]}), "stop_sequences")]
#[case(json!({"model": "claude"}), "extraneous key [model]")]
#[case(json!({"stream": true}), "extraneous key [stream]")]
#[case(json!({"tools": []}), "tool")]
#[case(json!({"output_config": {"format": {"type": "json_schema"}}}), "structured output")]
#[case(json!({"system": [{"type": "image"}]}), "#/system/0/")]
#[case(json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000}), "thinking")]
#[case(picture("image/jpeg", "no base64!"), "base64")]
#[case(picture("image/jpeg", "aGVsbG8="), "Could not process image")]
#[case(picture("image/png", &jpeg()), "appears to be jpeg")]
#[case(picture("image/tiff", &jpeg()), "media_type")]
fn a_mistake_is_refused_by_claude(#[case] mistake: Value, #[case] says: &str) {
    let refusal = native(HAIKU, &changed(claude(), &mistake)).unwrap_err();
    assert_eq!(refusal.code, 400);
    assert!(refusal.message.contains(says), "{}", refusal.message);
}

#[test]
fn claude_4_5_takes_one_sampling_parameter() {
    let both = changed(claude(), &json!({"temperature": 0.5, "top_p": 0.5}));
    assert!(native(HAIKU_4_5, &both).unwrap_err().message.contains("cannot both"));
    assert!(native(HAIKU, &both).is_ok());
    assert!(native(HAIKU_4_5, &changed(claude(), &json!({"top_p": 0.5}))).is_ok());
    assert!(converse(HAIKU_4_5, &conversation()).unwrap_err().message.contains("cannot both"));
}

#[test]
fn claude_shows_its_thinking_before_the_text() {
    let thinking = json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000});
    let answer = native(HAIKU_4_5, &changed(claude(), &thinking)).unwrap();
    assert_eq!(answer["content"][0]["type"], "thinking");
    assert_eq!(answer["content"][1]["type"], "text");
    for mistake in [
        json!({"thinking": {"type": "enabled", "budget_tokens": 1000}, "max_tokens": 2000}),
        json!({"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 2000}),
        json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000, "temperature": 0.5}),
        json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000, "top_k": 5}),
    ] {
        assert_eq!(native(HAIKU_4_5, &changed(claude(), &mistake)).unwrap_err().code, 400, "{mistake}");
    }
}

#[test]
fn claude_continues_a_prefill_and_ends_at_a_stop_sequence() {
    let prompt = "Blue jeans. Return JSON: {\"category\": \"pants|shoes\"}";
    let messages = json!([{"role": "user", "content": prompt}, {"role": "assistant", "content": "{"}]);
    let answer = native(HAIKU, &changed(claude(), &json!({"messages": messages}))).unwrap();
    let text = format!("{{{}", answer["content"][0]["text"].as_str().unwrap());
    assert!(serde_json::from_str::<Value>(&text).unwrap()["category"].is_string());

    let short = native(HAIKU, &changed(claude(), &json!({"max_tokens": 2}))).unwrap();
    assert_eq!((&short["stop_reason"], &short["usage"]["output_tokens"]), (&json!("max_tokens"), &json!(2)));
    let stopped = native(HAIKU, &changed(claude(), &json!({"stop_sequences": [" "]})).clone());
    assert!(stopped.is_err(), "a blank stop sequence is a mistake");
    let stopped = native(HAIKU, &changed(claude(), &json!({"stop_sequences": ["i"]}))).unwrap();
    assert_eq!((&stopped["stop_reason"], &stopped["stop_sequence"]), (&json!("stop_sequence"), &json!("i")));
}

#[test]
fn claude_takes_up_to_20_images_of_up_to_3_75_mb() {
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": jpeg()}});
    let body =
        |count: usize| changed(claude(), &json!({"messages": [{"role": "user", "content": vec![&image; count]}]}));
    assert!(native(HAIKU, &body(20)).is_ok());
    assert!(native(HAIKU, &body(21)).unwrap_err().message.contains("20 images"));
    let mut large = jpeg_bytes(4, 3);
    large.resize(3_750_000, 0);
    assert!(native(HAIKU, &changed(claude(), &picture("image/jpeg", &STANDARD.encode(&large)))).is_ok());
    large.push(0);
    let refusal = native(HAIKU, &changed(claude(), &picture("image/jpeg", &STANDARD.encode(&large)))).unwrap_err();
    assert!(refusal.message.contains("3750001 bytes > 3750000 bytes"), "{}", refusal.message);
}

#[rstest]
#[case(8_000, 8_000, true)]
#[case(8_001, 1, false)]
#[case(1, 8_001, false)]
fn images_have_up_to_8000_pixels_a_side(#[case] width: u16, #[case] height: u16, #[case] fits: bool) {
    let data = STANDARD.encode(jpeg_bytes(width, height));
    let answers = [
        native(HAIKU, &changed(claude(), &picture("image/jpeg", &data))),
        native(NOVA, &changed(nova(), &shown("jpeg", &data))),
        converse(HAIKU, &changed(conversation(), &shown("jpeg", &data))),
        converse("google.gemma-3-4b-it", &changed(conversation(), &shown("jpeg", &data))),
    ];
    for answer in answers {
        match answer {
            Ok(_) => assert!(fits),
            Err(refusal) => assert!(!fits && refusal.message.contains("8000 pixels"), "{}", refusal.message),
        }
    }
    // Titan's limit of pixels is not known.
    assert!(native(TITAN_IMAGE, &json!({"inputImage": data})).is_ok());
}

#[rstest]
#[case("png", &jpeg(), "appears to be jpeg")]
#[case("jpeg", "Qk0=", "Could not process image")]
#[case("jpeg", &STANDARD.encode(&jpeg_bytes(4, 3)[..8]), "Could not process image")]
#[case("bmp", &jpeg(), "/format")]
fn a_wrong_image_is_refused(#[case] format: &str, #[case] data: &str, #[case] says: &str) {
    let body = shown(format, data);
    for answer in [native(NOVA, &changed(nova(), &body)), converse(HAIKU, &changed(conversation(), &body))] {
        let refusal = answer.unwrap_err();
        assert_eq!(refusal.code, 400);
        assert!(refusal.message.contains(says), "{}", refusal.message);
    }
}

#[rstest]
#[case(NOVA, 18_750_000)]
#[case(TITAN_IMAGE, 5_000_000)]
fn each_family_has_its_own_maximum_of_bytes(#[case] model: &str, #[case] max: usize) {
    let answer = |length: usize| {
        let mut image = jpeg_bytes(4, 3);
        image.resize(length, 0);
        let data = STANDARD.encode(image);
        match model {
            NOVA => native(model, &changed(nova(), &shown("jpeg", &data))),
            _ => native(model, &json!({"inputImage": data})),
        }
    };
    assert!(answer(max).is_ok());
    assert!(answer(max + 1).unwrap_err().message.contains("image exceeds the maximum"));
}

#[test]
fn nova_answers_in_its_own_way() {
    let answer = native(NOVA, &changed(nova(), &json!({"schemaVersion": "messages-v1"}))).unwrap();
    assert!(answer["output"]["message"]["content"][0]["text"].is_string());
    assert_eq!(answer["stopReason"], "end_turn");
    let usage = &answer["usage"];
    let sum = usage["inputTokens"].as_u64().unwrap() + usage["outputTokens"].as_u64().unwrap();
    assert_eq!(usage["totalTokens"], sum);
}

#[rstest]
#[case(json!({"messages": [{"role": "user", "content": "Hi"}]}), "expected type: JSONArray, found: String")]
#[case(json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}), "extraneous key [type]")]
#[case(json!({"messages": [{"role": "assistant", "content": [{"text": "Hi"}]}]}), "start with a user message")]
#[case(json!({"system": "Be terse."}), "#/system")]
#[case(json!({"max_tokens": 5}), "extraneous key [max_tokens]")]
#[case(json!({"anthropic_version": "bedrock-2023-05-31"}), "extraneous key [anthropic_version]")]
#[case(json!({"inferenceConfig": {"max_tokens": 5}}), "extraneous key [max_tokens]")]
#[case(json!({"inferenceConfig": {"maxTokens": 5001}}), "#/inferenceConfig/maxTokens")]
#[case(json!({"inferenceConfig": {"temperature": 2}}), "#/inferenceConfig/temperature")]
#[case(json!({"schemaVersion": "v9"}), "#/schemaVersion")]
#[case(json!({"toolConfig": {}}), "tool")]
fn a_mistake_is_refused_by_nova(#[case] mistake: Value, #[case] says: &str) {
    let refusal = native(NOVA, &changed(nova(), &mistake)).unwrap_err();
    assert_eq!(refusal.code, 400);
    assert!(refusal.message.contains(says), "{}", refusal.message);
}

#[test]
fn nova_sees_images_and_nova_micro_does_not() {
    let image = json!({"image": {"format": "jpeg", "source": {"bytes": jpeg()}}});
    let body = |count: usize| changed(nova(), &json!({"messages": [{"role": "user", "content": vec![&image; count]}]}));
    assert!(native(NOVA, &body(5)).is_ok());
    assert!(native(NOVA, &body(6)).is_err());
    assert!(native("amazon.nova-micro-v1:0", &body(1)).unwrap_err().message.contains("images"));
}

#[rstest]
#[case(json!({"inputText": "hello"}), 1024)]
#[case(json!({"inputText": "hello", "dimensions": 256, "normalize": true}), 256)]
#[case(json!({"inputText": "hello", "dimensions": 512, "embeddingTypes": ["float", "binary"]}), 512)]
fn titan_embeds_text(#[case] body: Value, #[case] dimensions: usize) {
    let answer = native(TITAN_TEXT, &body).unwrap();
    let vector: Vec<f64> = serde_json::from_value(answer["embedding"].clone()).unwrap();
    assert_eq!(vector.len(), dimensions);
    assert!((vector.iter().map(|part| part * part).sum::<f64>() - 1.0).abs() < 1e-5);
    assert_eq!(answer["embeddingsByType"]["float"], answer["embedding"]);
    assert_eq!(answer["inputTextTokenCount"], 2);
}

#[test]
fn titan_omits_the_embedding_if_only_bits_are_requested() {
    let answer = native(TITAN_TEXT, &json!({"inputText": "hello", "embeddingTypes": ["binary"]})).unwrap();
    assert!(answer.get("embedding").is_none());
    assert_eq!(answer["embeddingsByType"]["binary"].as_array().unwrap().len(), 1024);
}

#[rstest]
#[case(TITAN_TEXT, json!({}))]
#[case(TITAN_TEXT, json!({"inputText": ""}))]
#[case(TITAN_TEXT, json!({"inputText": ["a"]}))]
#[case(TITAN_TEXT, json!({"inputText": "a", "dimensions": 384}))]
#[case(TITAN_TEXT, json!({"inputText": "a", "normalize": "yes"}))]
#[case(TITAN_TEXT, json!({"inputText": "a", "embeddingTypes": ["int8"]}))]
#[case(TITAN_TEXT, json!({"inputText": "a", "inputImage": "b"}))]
#[case(TITAN_IMAGE, json!({}))]
#[case(TITAN_IMAGE, json!({"inputText": "a", "embeddingConfig": {"outputEmbeddingLength": 512}}))]
#[case(TITAN_IMAGE, json!({"inputText": "a", "dimensions": 256}))]
#[case(TITAN_IMAGE, json!({"inputImage": "aGVsbG8="}))]
fn a_mistake_is_refused_by_titan(#[case] model: &str, #[case] body: Value) {
    assert_eq!(native(model, &body).unwrap_err().code, 400);
    assert_eq!(converse(model, &conversation()).unwrap_err().code, 400);
}

#[test]
fn titan_embeds_images() {
    let body = json!({"inputText": "a cat", "inputImage": jpeg(), "embeddingConfig": {"outputEmbeddingLength": 384}});
    let answer = native(TITAN_IMAGE, &body).unwrap();
    assert_eq!(answer["embedding"].as_array().unwrap().len(), 384);
    assert_eq!(answer["message"], Value::Null);
    assert_eq!(answer["inputTextTokenCount"], 2);
}

#[test]
fn completions_are_answered_and_checked() {
    let llama = native(LLAMA, &json!({"prompt": "Hi there", "max_gen_len": 64})).unwrap();
    assert!(llama["generation"].is_string() && llama["stop_reason"] == "stop");
    assert!(native(LLAMA, &json!({"prompt": "Hi", "max_gen_len": 4096})).is_err());
    assert!(native(LLAMA, &json!({"prompt": "Hi", "max_tokens": 64})).is_err());
    assert!(native(LLAMA, &json!({"messages": []})).is_err());
    let mistral = native(MISTRAL, &json!({"prompt": "Hi there", "max_tokens": 2})).unwrap();
    assert_eq!(mistral["outputs"][0]["stop_reason"], "length");
    let chat = native(MISTRAL, &json!({"messages": [{"role": "user", "content": "Hi there"}]})).unwrap();
    assert!(chat["choices"][0]["message"]["content"].is_string() && chat.get("usage").is_none());
    let deepseek = native("deepseek.v3-v1:0", &json!({"prompt": "Hi there"})).unwrap();
    assert!(deepseek["choices"][0]["text"].is_string());
}

#[test]
fn chat_completions_are_answered_and_checked() {
    let body =
        json!({"messages": [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "Hi there"}]});
    let answer = native(GPT, &changed(body.clone(), &json!({"model": "openai.gpt-oss-20b-1:0"}))).unwrap();
    assert!(answer["choices"][0]["message"]["content"].as_str().unwrap().starts_with("<reasoning>"));
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert!(answer["usage"]["total_tokens"].is_u64());
    for mistake in [
        json!({"model": "another"}),
        json!({"stream": true}),
        json!({"messages": null}),
        json!({"messages": [{"role": "robot", "content": "Hi"}]}),
        json!({"response_format": {"type": "json_object"}}),
        json!({"inferenceConfig": {}}),
    ] {
        assert_eq!(native(GPT, &changed(body.clone(), &mistake)).unwrap_err().code, 400, "{mistake}");
    }
}

#[rstest]
#[case(HAIKU)]
#[case(NOVA)]
#[case(LLAMA)]
#[case(MISTRAL)]
#[case(GPT)]
fn every_text_model_converses(#[case] model: &str) {
    let answer = converse(model, &conversation()).unwrap();
    assert!(answer["output"]["message"]["content"][0]["text"].is_string());
    assert!(answer["metrics"]["latencyMs"].is_u64());
}

#[rstest]
#[case(json!({"modelId": "x"}), 400)]
#[case(json!({"max_tokens": 5}), 400)]
#[case(json!({"messages": [{"role": "user", "content": "Hi"}]}), 400)]
#[case(json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}), 400)]
#[case(json!({"messages": [{"role": "user", "content": [{"text": " "}]}]}), 400)]
#[case(json!({"messages": [{"role": "assistant", "content": [{"text": "Hi"}]}]}), 400)]
#[case(json!({"inferenceConfig": {"maxTokens": 0}}), 400)]
#[case(json!({"inferenceConfig": {"max_tokens": 5}}), 400)]
#[case(json!({"toolConfig": {"tools": []}}), 400)]
#[case(json!({"outputConfig": {"textFormat": {"type": "json_schema"}}}), 400)]
#[case(json!({"messages": [{"role": "user", "content": [{"text": "Hi", "image": {}}]}]}), 400)]
#[case(json!({"messages": [{"role": "user", "content": [{}]}]}), 400)]
#[case(json!({"system": "Be terse."}), 400)]
#[case(json!({"system": [{"text": "Be terse."}, {"cachePoint": {"type": "default"}}]}), 403)]
#[case(json!({"messages": [{"role": "user", "content": [{"text": "Hi"}, {"cachePoint": {"type": "default"}}]}]}), 403)]
fn a_mistake_is_refused_by_converse(#[case] mistake: Value, #[case] code: u16) {
    assert_eq!(converse(HAIKU, &changed(conversation(), &mistake)).unwrap_err().code, code);
}

/// Returns a request with this schema as structured output.
fn with_schema(schema: &Value) -> Value {
    let format = json!({"format": {"type": "json_schema", "schema": schema}});
    changed(claude(), &json!({"output_config": format}))
}

#[test]
fn structured_output_matches_its_schema_on_demand() {
    let schema = json!({"type": "object", "additionalProperties": false, "properties": {"kind": {"enum": ["a", "b"]}}});
    let answer = on_demand(HAIKU_4_5, InvocationType::InvokeModel, &with_schema(&schema)).unwrap();
    let text = answer["content"][0]["text"].as_str().unwrap();
    assert!([r#"{"kind":"a"}"#, r#"{"kind":"b"}"#].contains(&text), "{text}");
    let structure = json!({"jsonSchema": {"name": "answer", "schema": schema.to_string()}});
    let format = json!({"textFormat": {"type": "json_schema", "structure": structure}});
    let body = changed(conversation(), &json!({"outputConfig": format}));
    let answer = on_demand("openai.gpt-oss-120b-1:0", InvocationType::Converse, &body).unwrap();
    assert!(answer["output"]["message"]["content"][0]["text"].as_str().unwrap().starts_with(r#"{"kind":"#));
}

#[test]
fn structured_output_is_refused_for_other_models_and_schemas() {
    let refused = |model, schema: &Value| {
        on_demand(model, InvocationType::InvokeModel, &with_schema(schema)).unwrap_err().message
    };
    let schema = json!({"type": "object", "additionalProperties": false, "properties": {"a": {"type": "number"}}});
    assert!(refused(HAIKU, &schema).contains("not supported by this model"));
    assert!(refused(HAIKU_4_5, &json!({"type": "object"})).contains("additionalProperties"));
}

#[test]
fn the_model_of_an_application_profile_is_recognized_by_the_request() {
    let profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";
    assert_eq!(native(profile, &claude()).unwrap()["type"], "message");
    assert!(native(profile, &nova()).unwrap()["output"].is_object());
    assert!(native(profile, &json!({"inputText": "hello"})).unwrap()["embedding"].is_array());
}

#[test]
fn bodies_of_any_kind_are_refused_without_a_panic() {
    for model in [HAIKU, NOVA, TITAN_TEXT, TITAN_IMAGE, LLAMA, MISTRAL, GPT, "cohere.embed-english-v3", "x"] {
        for body in
            [json!({}), json!([]), json!(null), json!(1), json!({"messages": [null]}), json!({"messages": [{}]})]
        {
            assert!(native(model, &body).is_err(), "{model} {body}");
            assert!(converse(model, &body).is_err(), "{model} {body}");
        }
    }
}
