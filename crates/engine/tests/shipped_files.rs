//! The files that travel with the functions are sound.

use bedrock_batch_engine::templates::{load_models, load_prompts};
use std::path::Path;

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn every_prompt_template_is_read_and_shows_the_model_something_of_the_row() {
    let prompts = load_prompts(&repository().join("prompt-templates")).unwrap();
    for id in ["joke_about_topic", "sentiment_classifier", "question_answering"] {
        assert!(prompts.prompts.contains_key(id), "users of the Python samples rely on {id}");
    }
    for (id, prompt) in &prompts.prompts {
        // A prompt without a column is one for images.
        let words = format!("{} {}", prompt.description, prompt.template).to_lowercase();
        let about_images = ["image", "photo", "picture"].iter().any(|word| words.contains(word));
        assert!(about_images || !prompt.parsed_template().unwrap().columns().is_empty(), "{id} shows no column");
        assert!(!prompt.description.trim().is_empty(), "{id} has no description");
    }
}

#[test]
fn the_model_overrides_are_read() {
    let models = load_models(&repository().join("infra/model-overrides.toml")).unwrap();
    assert!(models.find("anthropic.claude-3-haiku-20240307-v1:0", None).is_ok());
}

#[test]
fn a_broken_template_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "description = \"d\"\ntemplate = \"x {\"").unwrap();
    let error = load_prompts(folder.path()).unwrap_err();
    assert!(error.contains("bad.toml: `template` has a `{` at line 1, column 3"), "{error}");
}
