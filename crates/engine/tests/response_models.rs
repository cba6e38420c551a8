//! Response models: typed columns, replaced values, and columns with a prefix.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::small_run::{job_answers, join_chunk, nova, output, prepare, texts};
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use bedrock_batch_domain::extract::{ColumnType, FieldKinds};
use bedrock_batch_domain::input::{Inference, OutputFormat, RetryOn};
use bedrock_batch_domain::model::Family;
use bedrock_batch_domain::prompt::{Prompt, PromptPlan};
use bedrock_batch_domain::summary::ChunkCounts;
use bedrock_batch_engine::postprocess::{JoinJob, PromptsRead, Reading};
use std::collections::BTreeMap;

const MODEL: &str = r#"description = "d"
template = "{text}"
[response_schema]
type = "object"
required = ["kind", "size"]
[response_schema.properties]
kind = { enum = ["Pants", "Shirt"], x-aliases = { trousers = "Pants" } }
size = { type = "integer", minimum = 1 }
price = { type = ["number", "null"] }
sold = { type = "boolean" }
tags = { type = "array", items = { type = "string" } }
parts = { type = "array", items = { type = "object" } }
[response_schema.properties.made]
type = "object"
properties = { place = { type = "string" }, year = { type = "integer" } }
"#;
const COLUMNS: [&str; 8] = ["kind", "size", "made_place", "made_year", "parts", "price", "sold", "tags"];

/// Joins these answers to as many rows.
fn joined(toml: &str, prefix: Option<&str>, answers: &[&str]) -> (RecordBatch, ChunkCounts, Vec<bool>) {
    let folder = tempfile::tempdir().unwrap();
    let cells: Vec<String> = (0..answers.len()).map(|row| row.to_string()).collect();
    prepare(&format!("text\n{}\n", cells.join("\n")), answers.len() as u64, folder.path());
    let outputs = [(OutputFormat::Parquet, "out.parquet".to_owned()), (OutputFormat::Csv, "out.csv".to_owned())];
    let plan = PromptPlan::single("p", Prompt::parse(toml).unwrap());
    let prompts = PromptsRead::new(&plan, &Inference::default()).unwrap();
    let reading = Reading { retry_on: &[RetryOn::Unparsed], prompts: &prompts };
    let job = JoinJob { prefix, ..JoinJob::new(Family::Nova, reading, &outputs) };
    let lines: Vec<String> =
        answers.iter().enumerate().map(|(row, answer)| nova(row, &answer.replace('"', "\\\""))).collect();
    let joined = join_chunk(&job, [job_answers(0, answers.len(), vec![lines.join("\n")])], folder.path());
    (output(folder.path()), joined.counts, joined.unanswered)
}

fn types(batch: &RecordBatch) -> Vec<DataType> {
    COLUMNS.iter().map(|name| batch.column_by_name(name).unwrap().data_type().clone()).collect()
}

const GOOD: &str = r#"{"kind": "Pants", "size": 2.0, "price": 3, "sold": true, "tags": ["a", "b"], "parts": [{"b": 1, "a": "x"}], "made": {"place": "Kyiv", "year": 1999}}"#;

#[test]
fn every_property_is_a_column_of_its_type_whatever_the_answers_hold() {
    let (good, counts, _) = joined(MODEL, None, &[GOOD, r#"{"kind": "Shirt", "size": 7}"#]);
    assert_eq!((counts.answered, counts.changed.len()), (2, 0));
    let names: Vec<String> = good.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names[3..11], COLUMNS);
    let row = |name: &str| texts(&good, name);
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(row("size"), [some("2"), some("7")]);
    assert_eq!(row("made_place"), [some("Kyiv"), None]);
    assert_eq!(row("parts"), [some(r#"[{"a":"x","b":1}]"#), None]);
    let (none, counts, _) = joined(MODEL, None, &["no JSON at all"]);
    assert_eq!(counts.answered, 0);
    assert_eq!(types(&none), types(&good), "also without a single answer");
    assert_eq!(counts.types, counts.kinds.iter().map(FieldKinds::column_type).collect::<Vec<_>>());
    assert_eq!(counts.types[1], ColumnType::Integer);
    assert_eq!(none.columns()[3..11].iter().map(|column| column.null_count()).collect::<Vec<_>>(), [1; 8]);
}

#[test]
fn values_that_stand_for_an_allowed_one_are_replaced_and_counted() {
    let answers =
        [r#"{"kind": "PANTS ", "size": 1}"#, r#"{"kind": "Trousers", "size": 1}"#, r#"{"kind": "Shirt", "size": 1}"#];
    let (rows, counts, _) = joined(MODEL, None, &answers);
    assert_eq!(texts(&rows, "kind"), ["Pants", "Pants", "Shirt"].map(|kind| Some(kind.to_owned())));
    assert_eq!(counts.changed, BTreeMap::from([("kind".to_owned(), 2)]));
    assert_eq!(texts(&rows, "response")[0].as_deref(), Some(answers[0]), "the answer itself stays as it was");
}

#[test]
fn a_value_outside_its_enum_or_range_fails_its_row_and_may_be_sent_again() {
    let answers = [
        r#"{"kind": "Hat", "size": 1}"#,
        r#"{"kind": "Shirt", "size": 0}"#,
        r#"{"size": 99999999999999999999, "kind": "Shirt"}"#,
        GOOD,
    ];
    let (rows, counts, unanswered) = joined(MODEL, None, &answers);
    assert_eq!((counts.answered, counts.unanswered), (1, 3));
    assert_eq!(unanswered, [true, true, true, false]);
    let errors = texts(&rows, "error");
    assert!(
        errors[0].as_deref().unwrap().starts_with("the answer does not match `response_schema` at /kind: "),
        "{errors:?}"
    );
    assert!(errors[1].as_deref().unwrap().contains("at /size: "), "{errors:?}");
    assert!(
        errors[2].as_deref().unwrap().ends_with("at /size: is not a whole number that a signed 64-bit integer holds"),
        "{errors:?}"
    );
    assert!(texts(&rows, "kind")[..3].iter().all(Option::is_none));
}

#[test]
fn a_prefix_names_all_columns_and_adds_the_status() {
    let answers = [GOOD, r#"{"kind": "Hat", "size": 1}"#, "no JSON", ""];
    let (rows, ..) = joined(MODEL, Some("llm_"), &answers);
    let names: Vec<String> = rows.schema().fields().iter().map(|field| field.name().clone()).collect();
    let expected = "record_id text llm_response llm_kind llm_size llm_made_place llm_made_year llm_parts llm_price llm_sold \
        llm_tags llm_status llm_error llm_validation_passed llm_parse_status llm_stop_reason llm_input_tokens \
        llm_output_tokens llm_attempts llm_model_id";
    assert_eq!(names.join(" "), expected);
    let of = |name: &str| texts(&rows, name).into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(of("llm_status"), ["success", "error", "error", "error"]);
    assert_eq!(of("llm_parse_status"), ["success", "validation_failed", "json_failed", "error"]);
    let passed = rows.column_by_name("llm_validation_passed").unwrap().as_boolean();
    assert_eq!(passed.iter().collect::<Vec<_>>(), [Some(true), Some(false), Some(false), Some(false)]);
    assert_eq!(rows.column_by_name("llm_error").unwrap().null_count(), 1);
}
