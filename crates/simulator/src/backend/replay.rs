//! Recorded answers: lines of Bedrock's own batch output, `{"recordId", "modelInput", "modelOutput"}`.
//!
//! An answer is found by model and content. The model is the one that the output names (`modelOutput.model`), or else the
//! field `model` of the line, or else any. The content is the first image (SHA-256 of its bytes), so that the wording of a
//! prompt may differ from the recorded one, or without an image the last text of the user. Of several recordings of one
//! image, the one with the same text wins, or else the first. The id of the record is ignored.
//!
//! Only inputs and outputs in Anthropic's format are read, since no others are recorded; other lines are skipped.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::backend::{Stop, TextReply, cut, short_model_name};
use crate::families::prompt::{TextPrompt, image_hash};

type Hash = [u8; 32];

/// Recorded answers by model and content.
#[derive(Debug, Default)]
pub(crate) struct Recordings {
    by_key: HashMap<(String, Hash), Vec<Recording>>,
}

#[derive(Debug)]
struct Recording {
    text_hash: Hash,
    output: Value,
}

impl Recordings {
    /// Reads a JSONL file, or every `.jsonl` and `.out` file of a folder.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let mut recordings = Self::default();
        for file in files(path)? {
            let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            let added = text.lines().filter(|line| recordings.add(line).is_some()).count();
            tracing::info!(file = %file.display(), answers = added, "recordings_read");
        }
        if recordings.by_key.is_empty() {
            return Err(format!("{}: no recorded answers found", path.display()));
        }
        Ok(recordings)
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let mut line: Value = serde_json::from_str(line).ok()?;
        let output = line.get_mut("modelOutput").map(Value::take)?;
        text_of(&output)?;
        let model = output.get("model").or_else(|| line.get("model")).and_then(Value::as_str).unwrap_or_default();
        let (image, text) = content_of(line.get("modelInput")?)?;
        let text_hash = hash(&text);
        let key = (short_model_name(model).to_owned(), image.unwrap_or(text_hash));
        self.by_key.entry(key).or_default().push(Recording { text_hash, output });
        Some(())
    }

    /// Returns the recorded answer, unchanged unless the request only allows a part of it (prefill, fewer tokens, a stop
    /// sequence).
    pub(super) fn find(&self, base: &str, prompt: &TextPrompt) -> Option<TextReply> {
        let text_hash = hash(&prompt.user);
        let content = prompt.images.first().map_or(text_hash, |image| image.hash);
        let of_model = self.by_key.get(&(short_model_name(base).to_owned(), content));
        let known = of_model.or_else(|| self.by_key.get(&(String::new(), content)))?;
        let recording = known.iter().find(|recording| recording.text_hash == text_hash).or(known.first())?;
        let whole = text_of(&recording.output)?;
        let mut reply = cut::to_size(&whole, prompt);
        let counted =
            |name: &str| recording.output.get("usage").and_then(|usage| usage.get(name)).and_then(Value::as_u64);
        if let Some(tokens) = counted("input_tokens") {
            reply.input_tokens = tokens;
        }
        let recorded_tokens = counted("output_tokens");
        let fits = prompt.max_tokens.is_none_or(|max| recorded_tokens.is_none_or(|tokens| tokens <= max));
        if prompt.prefill.is_empty() && fits && !matches!(reply.stop, Stop::Sequence(_)) {
            reply.text = whole;
            reply.stop = Stop::EndTurn;
            reply.output_tokens = recorded_tokens.unwrap_or(reply.output_tokens);
            reply.recorded = Some(recording.output.clone());
        }
        Some(reply)
    }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(named)? {
        let file = entry.map_err(named)?.path();
        if file.extension().is_some_and(|ending| ending == "jsonl" || ending == "out") {
            files.push(file);
        }
    }
    // The order of a folder is that of the file system, and the first of several recordings wins.
    files.sort();
    Ok(files)
}

/// The first image's hash and the text of the last message of the user.
fn content_of(input: &Value) -> Option<(Option<Hash>, String)> {
    use base64::Engine;
    let messages = input.get("messages")?.as_array()?;
    let (mut image, mut prompt) = (None, TextPrompt::default());
    for message in messages {
        let from_assistant = message.get("role").and_then(Value::as_str) == Some("assistant");
        let content = message.get("content")?;
        if let Some(text) = content.as_str() {
            prompt.add(from_assistant, text);
        }
        for block in content.as_array().into_iter().flatten() {
            if let Some(text) = block.get("text").and_then(Value::as_str) {
                prompt.add(from_assistant, text);
            }
            if let Some(data) = block.pointer("/source/data").and_then(Value::as_str) {
                let bytes = base64::engine::general_purpose::STANDARD.decode(data).ok()?;
                image = image.or(Some(image_hash(&bytes)));
            }
        }
    }
    Some((image, prompt.user))
}

fn text_of(output: &Value) -> Option<String> {
    let blocks = output.get("content")?.as_array()?;
    let texts = blocks.iter().filter(|block| block.get("type").and_then(Value::as_str) == Some("text"));
    Some(texts.filter_map(|block| block.get("text").and_then(Value::as_str)).collect())
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::prompt::Image;
    use serde_json::json;

    const MODEL: &str = "anthropic.claude-3-haiku-20240307-v1:0";

    fn recorded(model: &str, text: &str, answer: &str) -> String {
        let input = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]});
        let output = json!({
            "model": model, "content": [{"type": "text", "text": answer}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 9, "output_tokens": 3},
        });
        json!({"recordId": "1", "modelInput": input, "modelOutput": output}).to_string()
    }

    fn request_of(text: &str) -> TextPrompt {
        TextPrompt { user: text.into(), max_tokens: Some(100), ..TextPrompt::default() }
    }

    #[test]
    fn an_answer_is_found_by_model_and_text() {
        let mut recordings = Recordings::default();
        recordings.add(&recorded("claude-3-haiku-20240307", "hello", "from haiku")).unwrap();
        recordings.add(&recorded("claude-3-5-sonnet-20241022", "hello", "from sonnet")).unwrap();
        let found = recordings.find(MODEL, &request_of("hello")).unwrap();
        assert_eq!((found.text.as_str(), found.input_tokens, found.output_tokens), ("from haiku", 9, 3));
        assert!(found.recorded.is_some());
        let sonnet = recordings.find("anthropic.claude-3-5-sonnet-20241022-v2:0", &request_of("hello")).unwrap();
        assert_eq!(sonnet.text, "from sonnet");
        assert!(recordings.find(MODEL, &request_of("good bye")).is_none());
        assert!(recordings.find("anthropic.claude-3-opus-20240229-v1:0", &request_of("hello")).is_none());
    }

    #[test]
    fn a_recording_is_truncated_to_the_requested_length() {
        let mut recordings = Recordings::default();
        recordings.add(&recorded("claude-3-haiku-20240307", "hello", "{\"a\": 1}")).unwrap();
        let with_prefill = TextPrompt { prefill: "{".into(), ..request_of("hello") };
        let found = recordings.find(MODEL, &with_prefill).unwrap();
        assert_eq!((found.text.as_str(), found.recorded), ("\"a\": 1}", None));
        let short = TextPrompt { max_tokens: Some(1), ..request_of("hello") };
        assert_eq!(recordings.find(MODEL, &short).unwrap().stop, Stop::MaxTokens);
    }

    #[test]
    fn lines_that_are_no_recording_are_passed_over() {
        let mut recordings = Recordings::default();
        for line in ["", "no", "{}", r#"{"modelInput": {}, "modelOutput": {}}"#, r#"{"recordId":"1","error":{}}"#] {
            assert_eq!(recordings.add(line), None, "{line}");
        }
    }

    /// The samples are not part of the repository; without them, the test reports that it is skipped.
    #[test]
    fn real_recordings_answer_for_their_photos() {
        let Some(samples) = std::env::var_os("BEDROCK_BATCH_SAMPLES") else {
            eprintln!("SKIPPED: BEDROCK_BATCH_SAMPLES names no folder of recorded answers");
            return;
        };
        let path = Path::new(&samples).join("clothing");
        let recordings = Recordings::read(&path.join("stage_1_output.jsonl")).unwrap();
        let text = std::fs::read_to_string(path.join("stage_1_output.jsonl")).unwrap();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let (image, _) = content_of(&line["modelInput"]).unwrap();
            let image = Image { hash: image.unwrap(), caption: String::new() };
            let prompt = TextPrompt { images: vec![image], ..request_of("worded otherwise") };
            assert_eq!(recordings.find(MODEL, &prompt).unwrap().recorded, Some(line["modelOutput"].clone()));
        }
    }
}
