//! Properties that must hold for any bytes. Each public function is a target of `make fuzz` and, with a nightly compiler,
//! of `cargo fuzz run <name>`. It panics if a property does not hold.

mod events;
mod inputs;
mod tables;

pub use events::{event, token};
pub use inputs::{jsonpath, pipeline, request};
pub use tables::{csv, jsonl, parquet};

use bedrock_batch_domain::extract::{Extractor, FieldKinds, FieldValue};
use bedrock_batch_domain::image::{ImageLimits, inspect};
use bedrock_batch_domain::model::Family;
use bedrock_batch_domain::printable;
use bedrock_batch_domain::prompt::{OutputSchema, Prompt, SchemaType};
use bedrock_batch_engine::EngineError;
use serde_json::{Value, json};
use std::sync::LazyLock;

static WHOLE: LazyLock<Extractor> = LazyLock::new(|| valid_extractor(SchemaType::Json, &[("whole", "$")], None));

static OTHERS: LazyLock<[Extractor; 3]> = LazyLock::new(|| {
    let schema = json!({
        "type": "object",
        "required": ["color"],
        "properties": {"color": {"type": "string", "pattern": "^[a-z ]+$", "minLength": 1}, "fit": {"enum": ["slim", "wide"]}},
    });
    [
        valid_extractor(
            SchemaType::Json,
            &[("color", "$.color"), ("fit", "$.fit"), ("deep", "$.a.b.c")],
            Some(&schema),
        ),
        valid_extractor(
            SchemaType::Json,
            &[("all", "$..*"), ("some", "$[?@.a == 1]['a', 0]"), ("last", "$[-1:]")],
            None,
        ),
        valid_extractor(SchemaType::Regex, &[("color", r"Colou?r:\s*(\w+)"), ("think", "<think>(.*?)</think>")], None),
    ]
});

/// Checks extraction from the text of an answer.
pub fn answer(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    for extractor in OTHERS.iter().chain([&*WHOLE]) {
        extract(extractor, text);
    }
    let value = text.trim();
    let Some(object) = serde_json::from_str::<Value>(value).ok().filter(Value::is_object) else { return };
    // Digits that no number holds become text.
    if value.as_bytes().windows(20).any(|digits| digits.iter().all(u8::is_ascii_digit)) {
        return;
    }
    let expected = vec![Some(FieldValue::Text(object.to_string()))];
    assert_eq!(WHOLE.extract(text, Some("end_turn")).as_ref(), Ok(&expected), "plain JSON is read unchanged");
    // Fences and tags are searched for anywhere in the text.
    if !value.contains(['`', '<']) {
        let with_prose = format!("Here it is:\n{value}\n\nThat is \"all\" I see.");
        assert_eq!(WHOLE.extract(&with_prose, None).as_ref(), Ok(&expected), "JSON within prose is found");
    }
    let cut = (0..=value.len() / 2).rev().find(|at| value.is_char_boundary(*at)).unwrap_or(0);
    assert!(WHOLE.extract(&value[..cut], None).is_err(), "a truncated answer is not accepted as complete");
}

/// Checks the text of a template; also a single `JSONPath` or pattern.
pub fn template(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    if let Ok(prompt) = Prompt::parse(text) {
        let _ = prompt.parsed_template();
        if let Ok(Some(extractor)) = prompt.extractor() {
            extract_from_samples(&extractor);
        }
    }
    for schema_type in [SchemaType::Json, SchemaType::Regex] {
        let fields = vec![("field".to_owned(), text.to_owned())];
        match Extractor::new(&OutputSchema { schema_type, fields }, None) {
            Ok(extractor) => extract_from_samples(&extractor),
            Err(problems) => assert!(!problems.to_string().is_empty()),
        }
    }
}

/// Checks the inspection of the bytes of an image.
pub fn image(bytes: &[u8]) {
    for family in [Family::AnthropicMessages, Family::Nova] {
        let limits = ImageLimits::of(family);
        match inspect(bytes, &limits) {
            Ok(_) => assert!(!bytes.is_empty() && bytes.len() as u64 <= limits.max_bytes),
            Err(problem) => assert!(!problem.to_string().is_empty()),
        }
    }
}

/// Checks what makes any text fit for a terminal, an email and a cause.
pub fn text(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    let line = printable::line(text);
    assert!(!line.contains(printable::is_hidden));
    assert_eq!(line.chars().count(), text.chars().count());
    let limit = bytes.first().map_or(0, |first| usize::from(*first));
    assert!(printable::shortened(text, limit).chars().count() <= limit + 40);
    printable_text(&printable::text(text));
    // As often as it takes to be too long.
    let times = (1 + limit).min(MAX_PRINTED / text.chars().count().max(1) + 2);
    printable_text(&printable::cause(&text.repeat(times)));
}

/// Maximum number of characters that are printed of a text.
const MAX_PRINTED: usize = 32_768;

/// Checks that a text of several lines can be printed.
fn printable_text(text: &str) {
    assert!(!text.replace('\n', "").contains(printable::is_hidden), "{text:?}");
    assert!(text.chars().count() <= MAX_PRINTED, "{}", text.len());
}

/// Checks that an error has a message for its reader, and is not one of ours.
fn printable_message(error: &EngineError) {
    let message = error.message();
    assert!(!message.is_empty());
    printable_text(&message);
    assert_ne!(error.name(), "Internal", "{message}");
}

fn extract_from_samples(extractor: &Extractor) {
    extract(extractor, r#"{"color": "red", "a": [1, {"b": null, "c": [0.5, "x"]}], "größe": {"b": true}}"#);
    extract(extractor, "<thinking>Hm.</thinking>\nColor: dark red\nSize: XL");
}

/// Checks that any text yields either fields that fit a column each, or a reason.
fn extract(extractor: &Extractor, text: &str) {
    for stop_reason in [None, Some("max_tokens"), Some("end_turn")] {
        match extractor.extract(text, stop_reason) {
            Ok(fields) => {
                assert_eq!(fields.len(), extractor.names().len());
                for field in fields.iter().flatten() {
                    let mut kinds = FieldKinds::default();
                    kinds.record(field);
                    assert!(kinds.column_type().cell(field).is_some());
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// Creates a valid extractor.
fn valid_extractor(schema_type: SchemaType, fields: &[(&str, &str)], response_schema: Option<&Value>) -> Extractor {
    let fields = fields.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect();
    Extractor::new(&OutputSchema { schema_type, fields }, response_schema)
        .unwrap_or_else(|problems| panic!("{problems}"))
}
