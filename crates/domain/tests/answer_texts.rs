//! Texts of answers with what is right for each, from reports of people who read answers of models: `tests/fixtures/answers/texts.json`.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test that reads a file")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use bedrock_batch_domain::extract::Extractor;
use bedrock_batch_domain::prompt::{OutputSchema, SchemaType};
use serde_json::{Value, json};
use std::path::Path;

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    text: String,
    /// The fields `$.a` and `$.b`, `unparsed`, or `any`.
    want: Value,
}

fn cases() -> Vec<Case> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/answers/texts.json"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("the fixture")).expect("cases")
}

#[test]
fn every_text_has_the_fields_that_are_right() {
    let fields = [("a", "$.a"), ("b", "$.b")].map(|(name, path)| (name.to_owned(), path.to_owned())).to_vec();
    let extractor =
        Extractor::new(&OutputSchema { schema_type: SchemaType::Json, fields }, None).expect("a valid schema");
    let cases = cases();
    assert_eq!(cases.len(), 42);
    let mut wrong = Vec::new();
    for Case { name, text, want } in cases {
        let found = extractor.extract(&text, Some("end_turn"));
        let found = found.map_or_else(|_| json!("unparsed"), |fields| json!(fields));
        if want != "any" && found != want {
            wrong.push(format!("{name}: {found}, not {want}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
