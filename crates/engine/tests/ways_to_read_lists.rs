//! Lists of answers are read in one pass if they are usual, and in a general way otherwise: both give the same columns, reasons and
//! counts.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use arrow_array::RecordBatch;
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::input::{Inference, OutputFormat, RetryOn};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{Family, RecordWriter};
use bedrock_batch_domain::prompt::{Prompt, PromptPlan};
use bedrock_batch_domain::row_error::RowErrorCode;
use bedrock_batch_domain::summary::ChunkCounts;
use bedrock_batch_engine::objects::MemorySink;
use bedrock_batch_engine::postprocess::{JobAnswers, JobAttempt, JoinJob, PromptsRead, Reading, SingleRow, join};
use bedrock_batch_engine::preprocess::{ChunkWriteSpec, numbered, write_chunks};
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::{Cursor, Read};

const ROWS: usize = 4;

/// Prompts whose fields have paths, paths and a schema, and a response model.
fn prompts() -> [Prompt; 3] {
    let schema = json!({"type": "object", "required": ["mood"], "properties": {
        "mood": {"enum": ["good", "bad"], "x-aliases": {"fine": "good"}}, "n": {"type": "integer", "maximum": 3},
        "share": {"type": ["number", "null"]}, "done": {"type": "boolean"}, "note": {"type": "string"}}});
    let fields = ["mood", "n", "share", "done", "note"].map(|name| json!([name, format!("$.{name}")]));
    let by_paths = json!({"output_schema": {"type": "json", "fields": fields}});
    let by_both = json!({"output_schema": {"type": "json", "fields": fields}, "response_schema": schema});
    [by_paths, by_both, json!({"response_schema": schema})].map(|answers| {
        let mut prompt = json!({"description": "d", "template": "{rows}", "rows": {"template": "{row_id}={text}"}});
        prompt.as_object_mut().unwrap().extend(answers.as_object().unwrap().clone());
        serde_json::from_value(prompt).unwrap()
    })
}

/// Joins four rows, which shared a request, to this answer.
fn joined(prompt: &Prompt, answer: &str) -> (Vec<RecordBatch>, ChunkCounts, Vec<bool>, Vec<SingleRow>) {
    let (layout, bucket) = (Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap()), MemorySink::default());
    let row = prompt.rows.as_ref().unwrap().parsed_template().unwrap();
    let writer = RecordWriter::new(Family::Nova, &row, &Inference::default(), None, None, false);
    let writers = [writer.of_rows(&prompt.parsed_template().unwrap(), ROWS)];
    let spec = ChunkWriteSpec {
        layout: &layout,
        records: &writers,
        limits: ChunkLimits { min_records: 1, max_records: 9, max_bytes: 1 << 20, max_chunks: None, small_last: true },
        max_record_bytes: 10_000,
        rows: ROWS as u64,
        deduplicate: false,
        lines: None,
    };
    let rows = CsvRows::open("text\na\nb\nc\nd\n".as_bytes(), "rows", None).unwrap();
    write_chunks(&spec, numbered(rows, u64::MAX), &bucket).unwrap();
    let prompts = PromptsRead::new(&PromptPlan::single("p", prompt.clone()), &Inference::default()).unwrap();
    let reading = Reading { retry_on: &[RetryOn::Missing, RetryOn::Unparsed], prompts: &prompts };
    let outputs = [(OutputFormat::Parquet, "out".to_owned())];
    let job = JoinJob { prefix: Some("llm_"), ..JoinJob::new(Family::Nova, reading, &outputs) };
    let output =
        json!({"output": {"message": {"content": [{"text": answer}]}}, "usage": {"inputTokens": 9, "outputTokens": 6}});
    let line = json!({"recordId": "r000000000+4", "modelOutput": output}).to_string();
    let answers = std::iter::once(Box::new(Cursor::new(line.into_bytes())) as Box<dyn Read>);
    let jobs = std::iter::once(JobAnswers { job: JobAttempt::first(1, "m"), answers: Box::new(answers) });
    let joined = join(&job, &bucket.get(&layout.rows_key(0)).unwrap(), "rows", jobs, &bucket).unwrap();
    let out = ParquetRows::open(bucket.get("out").unwrap(), "out", None).unwrap().1;
    (out.map(Result::unwrap).collect(), joined.counts, joined.unanswered, joined.single_rows)
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => prop_oneof![Just("good"), Just("bad"), Just(" Good"), Just("fine"), Just("ü \"q\" \\"), Just("```\n[")].prop_map(Value::from),
        3 => (-2i64..6).prop_map(Value::from),
        2 => (-20i64..20).prop_map(|tenths| json!(tenths as f64 / 8.0)),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        2 => any::<bool>().prop_map(Value::from),
        1 => prop_oneof![Just(json!(null)), Just(json!(["x", 1])), Just(json!({"id": 1}))],
    ]
}

fn elements() -> impl Strategy<Value = Vec<Value>> {
    let name = prop_oneof![Just("mood"), Just("n"), Just("share"), Just("done"), Just("note"), Just("other")];
    let element =
        (prop::collection::hash_map(name, values(), 0..6), prop::option::weighted(0.9, 1usize..6), any::<bool>());
    let element = element.prop_map(|(members, id, as_text)| {
        let mut object: serde_json::Map<String, Value> =
            members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if let Some(id) = id {
            object.insert("id".into(), if as_text { id.to_string().into() } else { id.into() });
        }
        Value::Object(object)
    });
    prop::collection::vec(element, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn columns_do_not_depend_on_how_a_list_is_read(elements in elements(), pretty: bool) {
        let list = Value::Array(elements);
        let list = if pretty { serde_json::to_string_pretty(&list).unwrap() } else { list.to_string() };
        for prompt in prompts() {
            // The general way also reads lists that other text surrounds.
            prop_assert_eq!(joined(&prompt, &list), joined(&prompt, &format!("Here they are:\n{list}\nDone.")));
        }
    }
}

#[test]
fn a_usual_list_gives_columns_of_the_types_of_its_values() {
    let list = r#"[{"id": 2, "mood": "bad", "n": 1, "share": 0.5, "done": true, "note": "a \"b\""}, {"id": "1", "mood": "good", "n": 3}]"#;
    for prompt in prompts() {
        let (batches, counts, ..) = joined(&prompt, list);
        assert_eq!((counts.answered, counts.failed_codes[&RowErrorCode::RowNotListed]), (2, 2));
        let types: Vec<String> = ["mood", "n", "share", "done", "note"]
            .iter()
            .map(|name| batches[0].column_by_name(&format!("llm_{name}")).unwrap().data_type().to_string())
            .collect();
        assert_eq!(types, ["Utf8", "Int64", "Float64", "Boolean", "Utf8"]);
    }
}
