//! Requests of several rows, from rows to answered rows and the records of the next round.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StringArray};
use arrow_schema::{DataType, TimeUnit};
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::input::{Inference, OutputFormat, RetryOn};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{Family, RecordWriter};
use bedrock_batch_domain::prompt::{Prompt, PromptPlan};
use bedrock_batch_domain::row_error::RowErrorCode;
use bedrock_batch_domain::summary::ChunkCounts;
use bedrock_batch_engine::objects::MemorySink;
use bedrock_batch_engine::postprocess::{
    JobAnswers, JobAttempt, JoinJob, PromptsRead, Reading, SingleRows, join, write_unanswered,
};
use bedrock_batch_engine::preprocess::{ChunkWriteSpec, Written, numbered, write_chunks};
use bedrock_batch_engine::rows::cell_text::as_text;
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bedrock_batch_engine::rows::parquet_write::ParquetFile;
use rstest::rstest;
use serde_json::{Value, json};
use std::io::{Cursor, Read};
use std::sync::Arc;

/// Run with one chunk: six rows, three per request.
struct Run {
    layout: Layout,
    bucket: MemorySink,
    writers: [RecordWriter; 1],
    prompts: PromptsRead,
    written: Written,
}

/// Response, field `mood`, error, input tokens, attempts.
type AnsweredRow = (Option<String>, Option<String>, Option<String>, Option<u64>, u32);

/// Result of a join.
struct Round {
    counts: ChunkCounts,
    rows: Vec<AnsweredRow>,
    /// Records that are sent again: id and text.
    next: Vec<(String, String)>,
}

fn prompt() -> Prompt {
    let fields = json!({"type": "json", "fields": [["mood", "$.mood"]]});
    let schema = json!({"required": ["mood"], "properties": {"mood": {"enum": ["good", "bad"]}}});
    let prompt = json!({"description": "d", "template": "Moods:\n{rows}", "rows": {"template": "{row_id}={text}"},
        "prefill": "[", "output_schema": fields, "response_schema": schema});
    serde_json::from_value(prompt).unwrap()
}

fn limits() -> ChunkLimits {
    ChunkLimits { min_records: 1, max_records: 100, max_bytes: 1 << 20, max_chunks: None, small_last: true }
}

impl Run {
    fn new(texts: &[&str], per_request: usize, max_record_bytes: u64) -> Self {
        let csv = format!("text\n{}\n", texts.join("\n"));
        Self::of(prompt(), &csv, per_request, max_record_bytes)
    }

    /// Starts a run of the rows of a CSV.
    fn of(prompt: Prompt, csv: &str, per_request: usize, max_record_bytes: u64) -> Self {
        let (layout, bucket) = (Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap()), MemorySink::default());
        let row = prompt.rows.as_ref().unwrap().parsed_template().unwrap();
        let writer = RecordWriter::new(Family::Nova, &row, &Inference::default(), None, Some("["), false);
        let writers = [writer.of_rows(&prompt.parsed_template().unwrap(), per_request)];
        let spec = ChunkWriteSpec {
            layout: &layout,
            records: &writers,
            limits: limits(),
            max_record_bytes,
            rows: csv.lines().count() as u64 - 1,
            deduplicate: true,
            lines: None,
        };
        let rows = numbered(CsvRows::open(csv.as_bytes(), "rows", None).unwrap(), u64::MAX);
        let written = write_chunks(&spec, rows, &bucket).unwrap();
        let prompts = PromptsRead::new(&PromptPlan::single("p", prompt), &Inference::default()).unwrap();
        Self { layout, bucket, writers, prompts, written }
    }

    fn six() -> Self {
        Self::new(&["t0", "t1", "t2", "t3", "t4", "t5"], 3, 10_000)
    }

    /// Joins the chunk with the answers of these passes, each with the number of its records.
    fn round(&self, passes: &[(usize, Vec<String>)], retry_on: &[RetryOn]) -> Round {
        let outputs = [(OutputFormat::Parquet, "out".to_owned())];
        let job = JoinJob::new(Family::Nova, Reading { retry_on, prompts: &self.prompts }, &outputs);
        let attempts = (0..).zip(passes).map(|(pass, (records, lines))| {
            let output = Box::new(Cursor::new(lines.join("\n").into_bytes())) as Box<dyn Read>;
            let job = JobAttempt { pass, ..JobAttempt::first(*records, "m") };
            JobAnswers { job, answers: Box::new(std::iter::once(output)) }
        });
        let rows = self.bucket.get(&self.layout.rows_key(0)).unwrap();
        let joined = join(&job, &rows, "rows", attempts, &self.bucket).unwrap();
        let records = self.bucket.get(&self.layout.records_key(0)).unwrap();
        let single = SingleRows { rows: &rows, rows_name: "rows", writers: &self.writers };
        write_unanswered(&records[..], &joined, &single, &self.bucket, "next").unwrap();
        let next = lines(&self.bucket, "next");
        assert_eq!(next.len() as u64, joined.counts.unanswered);
        let out = ParquetRows::open(self.bucket.get("out").unwrap(), "out", None).unwrap().1;
        let rows = out.flat_map(|batch| rows_of(&batch.unwrap())).collect();
        Round { counts: joined.counts, rows, next }
    }
}

fn rows_of(batch: &RecordBatch) -> Vec<AnsweredRow> {
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name).unwrap().as_string::<i32>();
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let tokens = batch.column_by_name("input_tokens").unwrap().as_primitive::<UInt64Type>();
    let attempts = batch.column_by_name("attempts").unwrap().as_primitive::<UInt32Type>();
    let row = |row| {
        let tokens = tokens.is_valid(row).then(|| tokens.value(row));
        (text("response", row), text("mood", row), text("error", row), tokens, attempts.value(row))
    };
    (0..batch.num_rows()).map(row).collect()
}

fn lines(bucket: &MemorySink, key: &str) -> Vec<(String, String)> {
    let lines = String::from_utf8(bucket.get(key).unwrap().to_vec()).unwrap();
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = line["modelInput"]["messages"][0]["content"][0]["text"].as_str().unwrap();
        (line["recordId"].as_str().unwrap().to_owned(), text.to_owned())
    };
    lines.lines().map(line).collect()
}

/// Line of a record with this text after the prefill `[`.
fn answer(id: &str, text: &str) -> String {
    let content = json!([{"text": text}]);
    let output = json!({"output": {"message": {"content": content}}, "usage": {"inputTokens": 100, "outputTokens": 9}});
    json!({"recordId": id, "modelOutput": output}).to_string()
}

fn refused(id: &str, code: u16) -> String {
    json!({"recordId": id, "error": {"errorCode": code, "errorMessage": "no"}}).to_string()
}

const USUAL: [RetryOn; 2] = [RetryOn::Missing, RetryOn::Error];

#[test]
fn rows_get_their_own_elements_whatever_the_order() {
    let run = Run::six();
    assert_eq!(run.written.chunks, [2]);
    let sent = lines(&run.bucket, &run.layout.records_key(0));
    assert_eq!(sent[0], ("r000000000+3".to_owned(), "Moods:\n1=t0\n2=t1\n3=t2".to_owned()));
    assert_eq!(sent[1], ("r000000003+3".to_owned(), "Moods:\n1=t3\n2=t4\n3=t5".to_owned()));
    let first = r#"{"id": 3, "mood": "bad"}, {"id": "1", "mood": "good"}, {"mood": "good", "id": 2}]"#;
    let second = r#"{"id": 1, "mood": "bad"}, {"id": 2, "mood": "odd"}, {"id": 3, "mood": "good"}]"#;
    let answers = vec![answer("r000000003+3", second), answer("r000000000+3", first)];
    let round = run.round(&[(2, answers)], &USUAL);
    let moods: Vec<Option<&str>> = round.rows.iter().map(|row| row.1.as_deref()).collect();
    assert_eq!(moods, [Some("good"), Some("good"), Some("bad"), Some("bad"), None, Some("good")]);
    assert_eq!(round.rows[2].0.as_deref(), Some(r#"{"mood":"bad"}"#), "without the id and the prefill of the list");
    assert_eq!(round.counts.failed_codes.into_iter().collect::<Vec<_>>(), [(RowErrorCode::SchemaMismatch, 1)]);
    assert_eq!(round.rows.iter().map(|row| row.3).collect::<Vec<_>>(), [33, 33, 34, 33, 33, 34].map(Some));
    let usage = &round.counts.usage[0];
    assert_eq!((usage.answers, usage.tokens.input, usage.tokens.output), (2, 200, 18));
    assert_eq!(round.next, [], "a wrong value is retried only on request");
}

#[test]
fn a_request_without_an_answer_is_sent_again_as_it_was() {
    let run = Run::six();
    let sent = lines(&run.bucket, &run.layout.records_key(0));
    let round = run.round(&[(2, vec![refused("r000000003+3", 429)])], &USUAL);
    assert_eq!(round.next, sent, "one is missing, one was throttled");
    assert_eq!((round.counts.answered, round.counts.unanswered), (0, 2));
    let all = r#"{"id": 1, "mood": "bad"}, {"id": 2, "mood": "bad"}, {"id": 3, "mood": "good"}]"#;
    let second = vec![answer("r000000000+3", all), answer("r000000003+3", all)];
    let round = run.round(&[(2, vec![refused("r000000003+3", 429)]), (2, second)], &USUAL);
    assert_eq!((round.counts.answered, round.counts.retried, round.next.len()), (6, 6, 0));
}

#[test]
fn rows_without_an_answer_of_their_own_are_sent_by_themselves() {
    let run = Run::six();
    let first =
        r#"{"id": 1, "mood": "good"}, {"id": 2, "mood": "good"}, {"id": 2, "mood": "bad"}, {"id": 7, "mood": "bad"}]"#;
    let pass = (2, vec![answer("r000000000+3", first), answer("r000000003+3", "I cannot.")]);
    let round = run.round(std::slice::from_ref(&pass), &USUAL);
    let errors: Vec<Option<&str>> = round.rows.iter().map(|row| row.2.as_deref()).collect();
    assert_eq!(
        errors[..3],
        [
            None,
            Some("the answer has 2 elements for this row"),
            Some("the answer has no element for this row: its request has 3 rows"),
        ]
    );
    assert!(errors[3..].iter().all(|error| error.is_some()), "{errors:?}");
    assert_eq!(round.counts.warnings.values().sum::<u64>(), 1, "the strange id");
    let alone = |row: u32| (format!("r{row:09}+1"), format!("Moods:\n1=t{row}"));
    assert_eq!(round.next, [1, 2, 3, 4, 5].map(alone));
    assert_eq!(round.rows.iter().map(|row| row.3).collect::<Vec<_>>(), [33, 33, 34, 33, 33, 34].map(Some));
    let element = |id: u32| answer(&format!("r{id:09}+1"), r#"{"id": "1", "mood": "bad"}]"#);
    // Row 3 is answered by no element again, and row 4 has no line.
    let second = (5, vec![element(1), element(2), answer("r000000003+1", "]"), element(5)]);
    let round = run.round(&[pass.clone(), second.clone()], &USUAL);
    let moods: Vec<Option<&str>> = round.rows.iter().map(|row| row.1.as_deref()).collect();
    assert_eq!(moods, [Some("good"), Some("bad"), Some("bad"), None, None, Some("bad")]);
    assert_eq!(round.rows.iter().map(|row| row.4).collect::<Vec<_>>(), [1, 2, 2, 2, 2, 2], "attempts");
    assert_eq!(round.next, [alone(4)], "row 3 had a request of its own, whose answer is of no use");
    let with_unparsed = [RetryOn::Missing, RetryOn::Unparsed];
    assert_eq!(run.round(&[pass, second], &with_unparsed).next, [alone(3), alone(4)]);
}

#[test]
fn rows_are_sent_by_themselves_whatever_their_columns_are_called() {
    let mut prompt = prompt();
    prompt.rows.as_mut().unwrap().template = "{row_id}={t.x}/{t}/{record_id}".to_owned();
    let run = Run::of(prompt, "t,t.x,x\na0,b0,c0\na1,b1,c1\na2,b2,c2\n", 3, 10_000);
    let sent = lines(&run.bucket, &run.layout.records_key(0));
    let first = "1=b0/a0/r000000000\n2=b1/a1/r000000001\n3=b2/a2/r000000002";
    assert_eq!(sent, [("r000000000+3".to_owned(), format!("Moods:\n{first}"))]);
    let round = run.round(&[(1, vec![answer("r000000000+3", r#"{"id": 1, "mood": "good"}]"#)])], &USUAL);
    let alone = |row: u32| (format!("r{row:09}+1"), format!("Moods:\n1=b{row}/a{row}/r{row:09}"));
    assert_eq!(round.next, [1, 2].map(alone));
}

/// Rows that are sent by themselves are rendered from the rows file, with cells of whatever type the input has.
#[rstest]
#[case(DataType::Float16, "1.5")]
#[case(DataType::Float32, "0.1")]
#[case(DataType::UInt8, "7")]
#[case(DataType::Decimal128(9, 2), "12.30")]
#[case(DataType::LargeUtf8, "ü")]
#[case(DataType::Utf8View, "ü")]
#[case(DataType::Binary, "abc")]
#[case(DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), "a")]
#[case(DataType::Date32, "2026-02-03")]
#[case(DataType::Date64, "2026-02-03")]
#[case(DataType::Time32(TimeUnit::Second), "12:13:14")]
#[case(DataType::Time32(TimeUnit::Millisecond), "12:13:14.5")]
#[case(DataType::Time64(TimeUnit::Nanosecond), "12:13:14.000000001")]
#[case(DataType::Timestamp(TimeUnit::Second, None), "2026-02-03T12:13:14")]
#[case(DataType::Timestamp(TimeUnit::Second, Some("+02:00".into())), "2026-02-03T12:13:14")]
#[case(DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), "2026-02-03T12:13:14.5")]
#[case(DataType::Timestamp(TimeUnit::Nanosecond, None), "2026-02-03T12:13:14.000000001")]
fn cells_have_the_same_text_in_the_rows_file(#[case] data_type: DataType, #[case] cell: &str) {
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some(cell), None]));
    let column = arrow_cast::cast(&texts, &data_type).unwrap();
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None]), None]));
    let columns = [("c", column, true), ("l", list, true)];
    let rows = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut file = ParquetFile::create(Vec::new(), rows.schema()).unwrap();
    file.write(&rows).unwrap();
    let file = bytes::Bytes::from(file.finish().unwrap());
    let read = ParquetRows::open_of_run(file, "rows", Some(&["c", "l"])).unwrap().next().unwrap().unwrap();
    for (before, after) in rows.columns().iter().zip(read.columns()) {
        assert!(before.is_valid(0) && before.is_null(1));
        assert_eq!(as_text(before).unwrap(), as_text(after).unwrap());
    }
}

#[test]
fn rows_of_a_refused_request_are_sent_by_themselves_once() {
    let run = Run::six();
    let all = r#"{"id": 1, "mood": "bad"}, {"id": 2, "mood": "bad"}, {"id": 3, "mood": "good"}]"#;
    let pass = (2, vec![refused("r000000000+3", 400), answer("r000000003+3", all)]);
    let round = run.round(std::slice::from_ref(&pass), &USUAL);
    let alone = |row: u32| (format!("r{row:09}+1"), format!("Moods:\n1=t{row}"));
    assert_eq!(round.next, [0, 1, 2].map(alone));
    assert_eq!(round.counts.failed_codes[&RowErrorCode::ModelRefused], 3);
    let second = vec![
        answer("r000000000+1", r#"{"id": 1, "mood": "good"}]"#),
        refused("r000000001+1", 400),
        refused("r000000002+1", 429),
    ];
    let round = run.round(&[pass.clone(), (3, second)], &USUAL);
    assert_eq!(round.next, [alone(2)], "a row that is refused by itself is not sent again");
    assert_eq!((round.counts.answered, round.rows[1].4), (4, 2));
    assert_eq!(run.round(&[pass], &[RetryOn::Missing]).next, [], "errors are retried only if `retry_on` has them");
}

#[test]
fn an_unusable_answer_to_a_row_by_itself_outlasts_an_error() {
    let run = Run::new(&["t0"], 1, 10_000);
    let retry_on = [RetryOn::Missing, RetryOn::Error, RetryOn::Unparsed];
    let first = (1, vec![answer("r000000000+1", "I cannot.")]);
    let round = run.round(&[first, (1, vec![refused("r000000000+1", 429)])], &retry_on);
    assert_eq!((round.counts.failed_codes[&RowErrorCode::ListUnreadable], round.rows[0].3), (1, Some(100)));
    assert_eq!((round.rows[0].4, round.next.len()), (2, 1), "attempts, and records of the next round");
}

#[rstest]
#[case::more_rows("r000000000+2")]
#[case::not_the_first_row("r000000001+3")]
#[case::one_row_that_was_not_sent_alone("r000000001+1")]
#[case::without_the_number("r000000000")]
#[case::of_no_row("r000000009+3")]
fn answers_to_requests_that_were_not_sent_belong_to_no_row(#[case] id: &str) {
    let run = Run::six();
    let round = run.round(&[(2, vec![answer(id, r#"{"id": 1, "mood": "bad"}]"#)])], &USUAL);
    assert_eq!((round.counts.answered, round.next.len()), (0, 2));
    assert_eq!(round.counts.warnings.values().sum::<u64>(), 1);
}

#[test]
fn a_repeated_answer_to_a_request_changes_nothing() {
    let run = Run::six();
    let first = answer("r000000000+3", r#"{"id": 1, "mood": "good"}]"#);
    let again = answer("r000000000+3", r#"{"id": 1, "mood": "bad"}, {"id": 2, "mood": "bad"}]"#);
    let round = run.round(&[(2, vec![first, again])], &USUAL);
    assert_eq!((round.counts.answered, round.rows[0].1.as_deref()), (1, Some("good")));
    assert_eq!(round.counts.usage[0].answers, 1);
}

#[test]
fn a_refusal_in_place_of_a_list_concerns_all_rows() {
    let run = Run::six();
    let output = json!({"output": {"message": {"content": []}}, "stopReason": "content_filtered"});
    let line = json!({"recordId": "r000000000+3", "modelOutput": output}).to_string();
    let round = run.round(&[(2, vec![line])], &USUAL);
    assert_eq!(round.rows[0].2.as_deref(), Some("the model declined to answer (stop_reason content_filtered)"));
    assert_eq!(round.next.len(), 4, "three rows by themselves, and the other request");
}

#[test]
fn a_request_that_would_be_too_long_has_fewer_rows() {
    let long = "x".repeat(60);
    let run = Run::new(&["t0", &long, &long, "t3", "t0", "t5"], 6, 270);
    let sent = lines(&run.bucket, &run.layout.records_key(0));
    assert_eq!(sent.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["r000000000+4"]);
    assert_eq!((run.written.same, run.written.duplicates.clone()), (2, vec![2]), "equal rows are in no request");
    let run = Run::new(&["t0", &long, &"y".repeat(60), "t3"], 6, 270);
    let ids: Vec<String> = lines(&run.bucket, &run.layout.records_key(0)).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["r000000000+2", "r000000002+2"]);
    let run = Run::new(&["t0", &"z".repeat(600), "t2"], 6, 270);
    let ids: Vec<String> = lines(&run.bucket, &run.layout.records_key(0)).into_iter().map(|(id, _)| id).collect();
    assert_eq!((ids, run.written.rejected.len()), (vec!["r000000000+2".to_owned()], 1), "a row that fits in none");
}
