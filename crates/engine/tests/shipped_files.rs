//! The files that are packaged with the functions are valid.

use bedrock_batch_domain::image::MediaType;
use bedrock_batch_domain::input::Inference;
use bedrock_batch_domain::model::{Family, ImagePart, RecordWriter};
use bedrock_batch_engine::templates::{load_models, load_prompts};
use serde_json::Value;
use std::path::Path;

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn every_prompt_template_is_valid_and_uses_something_of_the_row() {
    let prompts = load_prompts(&repository().join("prompt-templates")).unwrap();
    for id in ["joke_about_topic", "sentiment_classifier", "question_answering"] {
        assert!(prompts.prompts.contains_key(id), "users of the Python samples rely on {id}");
    }
    for (id, prompt) in &prompts.prompts {
        // A prompt without columns is for images.
        let words = format!("{} {}", prompt.description, prompt.template).to_lowercase();
        let about_images = ["image", "photo", "picture"].iter().any(|word| words.contains(word));
        assert!(about_images || !prompt.columns().is_empty(), "{id} shows no column");
        assert!(!prompt.description.trim().is_empty(), "{id} has no description");
    }
}

#[test]
fn the_model_overrides_are_read() {
    let models = load_models(&repository().join("infra/model-overrides.toml")).unwrap();
    assert!(models.find("anthropic.claude-3-haiku-20240307-v1:0").is_ok());
}

#[test]
fn an_invalid_template_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "description = \"d\"\ntemplate = \"x {\"").unwrap();
    let error = load_prompts(folder.path()).unwrap_err();
    assert!(error.contains("bad.toml: template is `x {`: has a `{` at line 1, column 3"), "{error}");
}

#[test]
fn a_rule_that_names_a_missing_prompt_is_named_beside_other_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let rule = "description = \"d\"\nexpansion_rule = true\nprompts = [\"bad\", \"none\"]";
    std::fs::write(folder.path().join("rule.toml"), rule).unwrap();
    std::fs::write(folder.path().join("bad.toml"), "description = \"d\"\ntemplate = \"x {\"").unwrap();
    let error = load_prompts(folder.path()).unwrap_err();
    assert_eq!(error.lines().count(), 2, "{error}");
    assert!(error.contains("rule.toml: prompts is `none`: a prompt template of this name does not exist"), "{error}");
}

#[test]
fn every_prompt_template_is_rendered_into_a_record_of_every_text_family() {
    let prompts = load_prompts(&repository().join("prompt-templates")).unwrap();
    let image = ImagePart { media_type: MediaType::Png, base64: "iVBORw0KGgo=" };
    for (id, prompt) in &prompts.prompts {
        for family in [Family::AnthropicMessages, Family::Nova, Family::Converse] {
            let template = prompt.parsed_template().unwrap();
            let (system, prefill) = (prompt.system.as_deref(), prompt.prefill.as_deref());
            if let Some(rows) = &prompt.rows {
                let row = rows.parsed_template().unwrap();
                let writer = RecordWriter::new(family, &row, &Inference::default(), system, prefill, false);
                let mut line = Vec::new();
                writer.of_rows(&template, 9).push_single(&mut line, "r1", |_| "a \"cell\" with {braces}");
                let record: Value = serde_json::from_slice(&line).unwrap();
                let text = record["modelInput"]["messages"][0]["content"][0]["text"].as_str().unwrap();
                assert!(text.contains("a \"cell\" with {braces}") && text.contains("id=\"1\""), "{id}: {text}");
                continue;
            }
            let writer = RecordWriter::new(family, &template, &Inference::default(), system, prefill, true);
            let mut line = Vec::new();
            writer.push_line(&mut line, "r1", |_| "a \"cell\" with {braces}", Some(image));
            let record: Value = serde_json::from_slice(&line).unwrap();
            let blocks = record["modelInput"]["messages"][0]["content"].as_array().unwrap();
            let text = blocks.last().unwrap()["text"].as_str().unwrap();
            assert_eq!(blocks.len(), 2, "{id}: an image and a text");
            let cells = text.matches("a \"cell\" with {braces}").count();
            assert!(cells >= writer.columns().len(), "{id} shows all its columns: {text}");
        }
    }
    for (name, rule) in &prompts.rules {
        assert!(rule.prompts.iter().all(|prompt| prompts.prompts.contains_key(prompt)), "{name}");
    }
}
