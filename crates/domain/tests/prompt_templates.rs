//! The prompts of `prompt-templates/` that users of the Python sample rely on, and the fields that they extract from
//! answers.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test that reads the shipped templates")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bedrock_batch_domain::extract::{Extractor, FieldValue};
use bedrock_batch_domain::input::{RunRequest, StackLimits, parse_input};
use bedrock_batch_domain::prompt::{Prompt, PromptLibrary};
use rstest::rstest;
use serde_json::json;
use std::path::Path;

fn prompt(id: &str) -> Prompt {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../prompt-templates/{id}.toml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Prompt::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn extractor(id: &str) -> Extractor {
    prompt(id).extractor().unwrap().unwrap_or_else(|| panic!("{id} has no fields"))
}

#[rstest]
#[case("classify_clothing_category", &["category", "confidence"], &[])]
#[case("extract_shorts_metadata", &["color", "length", "material", "pattern", "style"], &[])]
#[case("extract_shoes_metadata", &["color", "type", "material", "style", "closure"], &[])]
#[case("extract_pants_metadata", &["color", "fit", "material", "pattern", "style"], &[])]
#[case("extract_dress_metadata", &["color", "length", "sleeve", "pattern", "style"], &[])]
#[case("extract_tshirt_metadata", &["color", "sleeve", "neckline", "pattern", "fit"], &[])]
#[case("generate_product_listing", &["title", "description", "keywords"], &["category", "metadata"])]
#[case("classify_product", &["category", "confidence", "reasoning"], &["description", "product_name"])]
#[case("image_classification", &["main_subject", "confidence", "objects_detected"], &[])]
#[case("extract_color", &["color"], &[])]
#[case("extract_size", &["size"], &[])]
#[case("extract_brand", &["brand"], &[])]
fn prompts_have_the_fields_and_placeholders_that_users_expect(
    #[case] id: &str,
    #[case] fields: &[&str],
    #[case] columns: &[&str],
) {
    assert_eq!(extractor(id).names(), fields);
    let mut shown = prompt(id).parsed_template().unwrap().columns().iter().map(|c| c.to_string()).collect::<Vec<_>>();
    shown.sort_unstable();
    assert_eq!(shown, columns);
}

#[rstest]
#[case("extract_color", "Color: navy blue", Some("navy blue"))]
#[case("extract_color", "The piece is plain.\n**Color:** Blue-Green.", Some("Blue-Green"))]
#[case("extract_color", "colour: \"grey\" (light)", Some("grey"))]
#[case("extract_color", "It is red.", None)]
#[case("extract_size", "Size: XL", Some("XL"))]
#[case("extract_size", "Size: 32/34.", Some("32/34"))]
#[case("extract_size", "Size: EU 42.5", Some("EU 42.5"))]
#[case("extract_size", "Size: unknown", Some("unknown"))]
#[case("extract_brand", "Brand: Levi's", Some("Levi's"))]
#[case("extract_brand", "**Brand**: H&M.", Some("H&M"))]
#[case("extract_brand", "Brand: “Müller & Söhne”", Some("Müller & Söhne"))]
#[case("extract_brand", "Brand:", None)]
fn a_labelled_answer_gives_its_value(#[case] id: &str, #[case] answer: &str, #[case] expected: Option<&str>) {
    let value = extractor(id).extract(answer, Some("end_turn")).ok().and_then(|mut fields| fields.remove(0));
    assert_eq!(value, expected.map(|text| FieldValue::Text(text.to_owned())));
}

#[rstest]
#[case("imdrf_product_problem")]
#[case("imdrf_patient_problem")]
fn codes_of_reports_are_one_to_three(#[case] id: &str) {
    assert_eq!(extractor(id).names(), ["codes", "reason"]);
    let codes =
        |codes: serde_json::Value| extractor(id).extract(&json!({"codes": codes, "reason": "r"}).to_string(), None);
    for good in [json!(["X01"]), json!(["X01", "X0101", "X010101"])] {
        assert!(codes(good).is_ok());
    }
    for bad in [json!([]), json!(["a", "b", "c", "d"]), json!("X01"), json!([1]), json!(null)] {
        assert!(codes(bad.clone()).is_err(), "{bad}");
    }
    let prompt = prompt(id);
    assert_eq!(prompt.parsed_template().unwrap().columns().into_iter().collect::<Vec<_>>(), ["mdr_text"]);
    assert_eq!(prompt.allowed_values.get("codes").map(String::as_str), Some("reference.imdrf.code"));
}

#[test]
fn sensible_answers_are_not_refused() {
    let answers = [
        ("classify_clothing_category", json!({"category": "T-Shirt", "confidence": "high"})),
        ("classify_clothing_category", json!({"category": "other"})),
        ("extract_dress_metadata", json!({"color": ["red", "white"], "length": null})),
        ("generate_product_listing", json!({"title": "Red shorts", "description": "Light.", "keywords": []})),
        ("generate_product_listing", json!({"title": "Red shorts", "description": "Light."})),
        ("image_classification", json!({"main_subject": "boat", "confidence": 1, "objects_detected": []})),
        ("support_ticket_reply", json!({"summary": "Lost.", "urgency": "urgent", "reply": "We look for it."})),
    ];
    for (id, answer) in answers {
        assert!(extractor(id).extract(&answer.to_string(), None).is_ok(), "{id}: {answer}");
    }
    for (id, answer) in [
        ("classify_clothing_category", json!({"category": "", "confidence": 1})),
        ("generate_product_listing", json!({"title": "Red shorts"})),
    ] {
        assert!(extractor(id).extract(&answer.to_string(), None).is_err(), "{id}: {answer}");
    }
}

/// Returns the blocks of the pages about prompts in a language.
fn documented(language: &str) -> Vec<String> {
    let mark = format!("```{language}\n");
    let of_page = |name: &str| {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
        let page = std::fs::read_to_string(page).unwrap();
        let blocks = page.split(&mark).skip(1).filter_map(|rest| rest.split("```").next());
        blocks.map(str::to_owned).collect::<Vec<_>>()
    };
    ["prompts.md", "rows-per-request.md"].into_iter().flat_map(of_page).collect()
}

#[test]
fn the_examples_of_the_documentation_are_valid() {
    let examples = documented("toml");
    assert!(examples.len() >= 5, "{examples:?}");
    for example in examples {
        let mut library = PromptLibrary::default();
        library.add("example", &example).unwrap_or_else(|error| panic!("{error}\n{example}"));
    }
}

#[test]
fn the_inputs_of_the_documentation_are_valid() {
    let stack = StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 };
    let examples = documented("json");
    assert!(examples.len() >= 2, "{examples:?}");
    for example in examples {
        let text = if example.starts_with('{') { example } else { format!("{{{example}}}") };
        let text = text.replace("<account>", "123456789012");
        let mut input = parse_input(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let fields = json!({"s3_uri": "s3://bucket/a.csv", "job_name_prefix": "p", "model_id": "m"});
        input.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(RunRequest::read(&input, stack).1, [], "{text}");
    }
}
