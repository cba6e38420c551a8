//! Properties of extraction that hold for any answer. `PROPTEST_CASES` is the number of cases.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test that measures time")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use bedrock_batch_domain::extract::{Extractor, FieldKinds, FieldValue};
use bedrock_batch_domain::prompt::{OutputSchema, SchemaType};
use bedrock_batch_domain::row_error::RowError;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn extractor(schema_type: SchemaType, fields: &[(&str, &str)], response_schema: Option<&Value>) -> Extractor {
    let fields = fields.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect();
    Extractor::new(&OutputSchema { schema_type, fields }, response_schema).expect("a valid schema")
}

fn whole() -> Extractor {
    extractor(SchemaType::Json, &[("whole", "$")], None)
}

/// Returns the result of `$` for `object`.
fn as_field(object: &Value) -> FieldValue {
    FieldValue::Text(object.to_string())
}

fn objects(text: &'static str) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let any = leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(text, inner, 0..4).prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    });
    prop::collection::hash_map(text, any, 0..5).prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// Strings that are hard to parse: quotes of all kinds, brackets, fences, tags, escapes.
const HARD: &str = "([\\\\\"{}\\[\\],:\\n „“”‘’«»「」`aü😀]|</?think>|```json\n){0,8}";
/// The same without fences and tags, which are searched for first, wherever they are.
const WITHOUT_FENCES: &str = "[\\\\\"{}\\[\\],:\\n „“”‘’«»「」<aü😀]{0,8}";
/// Texts that are almost answers.
const NEARLY: &str =
    "([{}\\[\\]\":,\\\\„“”‘’ \\n]|\"a\":|1|-|e9|null|tru|ü|</?think(ing)?>|```(json)?\n?|\\\\u|d83d){0,40}";

/// Returns JSON with the brackets that it lacks at its end.
fn closed(text: &str) -> String {
    let (mut open, mut is_inside, mut is_escaped) = (Vec::new(), false, false);
    for char in text.chars() {
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_inside = !is_inside,
            '{' if !is_inside => open.push('}'),
            '[' if !is_inside => open.push(']'),
            '}' | ']' if !is_inside => drop(open.pop()),
            _ => {}
        }
    }
    text.chars().chain(open.into_iter().rev()).collect()
}

/// Applies all kinds of extractors to a text.
fn extract_all(text: &str) {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "^a", "format": "email"}}});
    let extractors = [
        whole(),
        extractor(SchemaType::Json, &[("a", "$.a"), ("all", "$..*"), ("some", "$[?@.a == 1]['a', 0]")], Some(&schema)),
        extractor(SchemaType::Regex, &[("a", "a(.*)"), ("think", "<think>(.*?)</think>")], None),
    ];
    for (extractor, stop_reason) in
        extractors.iter().flat_map(|one| [(one, None), (one, Some("max_tokens")), (one, Some("end_turn"))])
    {
        match extractor.extract(text, stop_reason) {
            Ok(fields) => {
                assert_eq!(fields.len(), extractor.names().len());
                for field in fields.iter().flatten() {
                    let mut kinds = FieldKinds::default();
                    kinds.record(field);
                    assert!(kinds.column_type().cell(field).is_some());
                }
            }
            Err(error) => {
                let error = RowError::from(&error);
                assert!(!error.reason.words().is_empty() && !error.to_string().is_empty());
            }
        }
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        extract_all(&text);
    }

    #[test]
    fn no_text_that_is_nearly_an_answer_panics(text in NEARLY) {
        extract_all(&text);
    }

    #[test]
    fn no_part_of_an_answer_panics_or_is_taken_for_the_whole(object in objects(HARD), from in 0usize..80, to in 0usize..200) {
        let text = object.to_string();
        let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let (from, to) = (boundary(from), boundary(to));
        extract_all(text.get(from..to).unwrap_or_default());
        if to < text.len() {
            prop_assert!(whole().extract(&text[..to], None).is_err(), "{}", &text[..to]);
            // The model may have forgotten the last brackets, and nothing else.
            if let Ok(fields) = whole().extract(&text[..to], Some("end_turn")) {
                let whole: Value = serde_json::from_str(&closed(&text[..to])).unwrap();
                prop_assert_eq!(&fields[0], &Some(as_field(&whole)));
            }
        }
    }

    #[test]
    fn prose_has_no_fields(text in "([A-Za-z .,;!?()\\[\\]{}„“”\"'–0-9%€\n-]|```(json)?|</?think>){0,80}") {
        let fields = extractor(SchemaType::Json, &[("a", "$.a"), ("b", "$.b")], None);
        prop_assert!(fields.extract(&text, Some("end_turn")).is_err(), "{}", text);
    }

    #[test]
    fn any_object_in_any_prose_is_found(
        object in objects(WITHOUT_FENCES),
        before in "[^{}\\[\\]`<]{0,40}",
        after in "[^`<]{0,40}",
        pretty: bool,
    ) {
        let text = if pretty { serde_json::to_string_pretty(&object).unwrap() } else { object.to_string() };
        let fields = whole().extract(&format!("{before}{text}{after}"), Some("end_turn")).unwrap();
        prop_assert_eq!(&fields[0], &Some(as_field(&object)));
    }

    #[test]
    fn any_fenced_object_is_found_whatever_it_contains(object in objects(HARD), before in "[^{}\\[\\]`<]{0,40}") {
        let text = format!("{before}\n```json\n{}\n```\nDone.", serde_json::to_string_pretty(&object).unwrap());
        let fields = whole().extract(&text, Some("end_turn")).unwrap();
        prop_assert_eq!(&fields[0], &Some(as_field(&object)));
    }

    #[test]
    fn a_valid_json_text_is_never_changed(object in objects(HARD), pretty: bool, space in "[ \\n\\t]{0,3}") {
        let text = if pretty { serde_json::to_string_pretty(&object).unwrap() } else { object.to_string() };
        let fields = whole().extract(&format!("{space}{text}{space}"), Some("end_turn")).unwrap();
        prop_assert_eq!(&fields[0], &Some(as_field(&object)));
    }

    #[test]
    fn a_german_quotation_that_ends_in_an_ascii_quote_is_repaired(
        words in prop::collection::vec("[a-zäöü ]{0,6}", 4),
        mark in "[.!?]",
    ) {
        let [a, b, c, d] = [&words[0], &words[1], &words[2], &words[3]];
        let text = format!("{{\"x\": \"{a}„{b}\"{c}{mark}\", \"y\": \"{d}\"}} {a}„{b}\"");
        let fields = extractor(SchemaType::Json, &[("x", "$.x"), ("y", "$.y")], None).extract(&text, None).unwrap();
        prop_assert_eq!(&fields[0], &Some(FieldValue::Text(format!("{a}\"{b}\"{c}{mark}"))));
        prop_assert_eq!(&fields[1], &Some(FieldValue::Text(d.clone())));
    }
}

/// Texts that would take long if any step scanned them once per bracket. CPU time is measured, which does not depend on
/// other processes.
#[test]
fn hostile_texts_take_no_time() {
    let start = cpu_time::ThreadTime::now();
    for piece in [
        "[",
        "{",
        "{\"a\":",
        "[1,",
        "{\"",
        "„",
        "{„",
        "{\"a\":\"„\"x",
        "{'a':",
        "{'a': 1} ",
        "{'a': '```",
        "[{'a':1},",
        "｛",
        "{'a': \"“\n",
        "//{",
        "1234567890",
        "```json\n{",
        "<think>",
        "</think>{",
        "<think></think>",
        "<",
    ] {
        extract_all(&piece.repeat(100_000 / piece.len()));
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// For searches that run for hours: long texts of many pieces. See the documentation of `extract`.
#[test]
#[ignore = "takes as long as PROPTEST_CASES says"]
fn no_long_text_panics() {
    let pieces = prop::collection::vec(
        prop_oneof![NEARLY, objects(HARD).prop_map(|object| object.to_string()), ".{0,10}"],
        0..12,
    );
    proptest!(|(pieces in pieces)| extract_all(&pieces.concat()));
}
