//! Real answer lines of Bedrock. They are not part of the repository: `BEDROCK_BATCH_SAMPLES` names the folder
//! that contains them; without it, this test reports that it is skipped.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test that reads samples")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use bedrock_batch_domain::answer::read_line;
use bedrock_batch_domain::extract::{ColumnType, Extractor, FieldKinds, FieldValue};
use bedrock_batch_domain::model::{Family, ReplyPayload};
use bedrock_batch_domain::prompt::{OutputSchema, Prompt, SchemaType};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Line of an independent reader: the question, the answer and the stop reason.
#[derive(serde::Deserialize)]
#[serde(from = "Value")]
struct Recorded {
    question: String,
    answer: String,
    stop_reason: String,
}

impl From<Value> for Recorded {
    fn from(line: Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let content = &line["modelInput"]["messages"][0]["content"];
        let output = &line["modelOutput"];
        Self {
            question: content.as_array().into_iter().flatten().map(|block| text(&block["text"])).collect(),
            answer: text(&output["content"][0]["text"]),
            stop_reason: text(&output["stop_reason"]),
        }
    }
}

#[test]
fn every_recorded_answer_is_read_unchanged() {
    let Some(samples) = std::env::var_os("BEDROCK_BATCH_SAMPLES") else {
        eprintln!("SKIPPED: BEDROCK_BATCH_SAMPLES names no folder of recorded answers");
        return;
    };
    for file in ["stage_1_output.jsonl", "stage_2_output.jsonl"] {
        let text = std::fs::read_to_string(Path::new(&samples).join("clothing").join(file)).unwrap();
        assert_eq!(text.lines().count(), 100);
        for line in text.lines() {
            let whole: serde_json::Value = serde_json::from_str(line).unwrap();
            let answer = read_line(Family::AnthropicMessages, line.as_bytes()).unwrap();
            assert_eq!(answer.record_id, whole["recordId"].as_str().unwrap());
            let reply = answer.outcome.unwrap();
            let expected = whole["modelOutput"]["content"][0]["text"].as_str().unwrap();
            assert_eq!(reply.payload, Some(ReplyPayload::Text(expected.into())));
            assert_eq!(reply.stop_reason.as_deref(), whole["modelOutput"]["stop_reason"].as_str());
            assert_eq!(reply.output_tokens, whole["modelOutput"]["usage"]["output_tokens"].as_u64());
        }
    }
}

/// Fields of the prompts of the second stage, by category.
const METADATA: [(&str, [&str; 5]); 5] = [
    ("pants", ["color", "fit", "material", "pattern", "style"]),
    ("shorts", ["color", "length", "material", "pattern", "style"]),
    ("shoes", ["color", "type", "material", "style", "closure"]),
    ("dress", ["color", "length", "sleeve", "pattern", "style"]),
    ("t-shirt", ["color", "sleeve", "neckline", "pattern", "fit"]),
];

fn extractor(fields: &[&str]) -> Extractor {
    let fields = fields.iter().map(|name| ((*name).to_owned(), format!("$.{name}"))).collect();
    Extractor::new(&OutputSchema { schema_type: SchemaType::Json, fields }, None).expect("a valid schema")
}

fn recorded(samples: &Path, file: &str) -> Vec<Recorded> {
    let text = std::fs::read_to_string(samples.join("clothing").join(file)).expect("a file of samples");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn every_recorded_answer_yields_its_fields() {
    let Some(samples) = std::env::var_os("BEDROCK_BATCH_SAMPLES") else {
        eprintln!("SKIPPED: BEDROCK_BATCH_SAMPLES names no folder of recorded answers");
        return;
    };
    let samples = Path::new(&samples);

    let mut categories = BTreeMap::new();
    let mut confidence = FieldKinds::default();
    let classify = extractor(&["category", "confidence"]);
    for Recorded { answer, stop_reason, .. } in recorded(samples, "stage_1_output.jsonl") {
        let fields = classify.extract(&answer, Some(&stop_reason)).unwrap();
        let [Some(FieldValue::Text(category)), Some(number)] = fields.as_slice() else {
            panic!("{answer}: {fields:?}")
        };
        *categories.entry(category.clone()).or_insert(0) += 1;
        confidence.record(number);
    }
    let expected = [("dress", 20), ("pants", 24), ("shoes", 20), ("shorts", 21), ("t-shirt", 15)];
    assert_eq!(categories, BTreeMap::from(expected.map(|(name, count)| (name.to_owned(), count))));
    assert_eq!(confidence.column_type(), ColumnType::Float);

    let mut with_prose = 0;
    let mut counts: BTreeMap<String, i32> = BTreeMap::new();
    for Recorded { question, answer, stop_reason } in recorded(samples, "stage_2_output.jsonl") {
        let category = |name: &str| question.starts_with(&format!("Analyze this {name} image"));
        let (name, fields) = METADATA.iter().find(|(name, _)| category(name)).expect("a known category");
        *counts.entry((*name).to_owned()).or_default() += 1;
        with_prose += i32::from(serde_json::from_str::<Value>(&answer).is_err());
        let found = extractor(fields).extract(&answer, Some(&stop_reason)).unwrap();
        for (field, value) in fields.iter().zip(found) {
            assert!(matches!(value, Some(FieldValue::Text(ref text)) if !text.is_empty()), "{field} of {answer}");
        }
    }
    assert_eq!((counts, with_prose), (categories, 58));
}

/// The answers are to other wordings of the same questions, but have the fields that the shipped prompts extract.
#[test]
fn the_shipped_prompts_read_every_recorded_answer() {
    let Some(samples) = std::env::var_os("BEDROCK_BATCH_SAMPLES") else {
        eprintln!("SKIPPED: BEDROCK_BATCH_SAMPLES names no folder of recorded answers");
        return;
    };
    let samples = Path::new(&samples);
    let templates = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../prompt-templates"));
    let shipped = |id: &str| {
        let text = std::fs::read_to_string(templates.join(format!("{id}.toml"))).expect("a template");
        Prompt::parse(&text).unwrap().extractor().unwrap().expect("fields")
    };
    let whole = |extractor: &Extractor, recorded: &Recorded| {
        let fields = extractor.extract(&recorded.answer, Some(&recorded.stop_reason)).unwrap();
        assert!(fields.iter().all(Option::is_some), "{}: {fields:?}", recorded.answer);
    };
    let classify = shipped("classify_clothing_category");
    for answer in recorded(samples, "stage_1_output.jsonl") {
        whole(&classify, &answer);
    }
    for answer in recorded(samples, "stage_2_output.jsonl") {
        let category = |name: &str| answer.question.starts_with(&format!("Analyze this {name} image"));
        let (name, _) = METADATA.iter().find(|(name, _)| category(name)).expect("a known category");
        whole(&shipped(&format!("extract_{}_metadata", name.replace('-', ""))), &answer);
    }
}
