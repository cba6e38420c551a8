//! Answers in any order, some twice, some not at all: every row comes out once, answered or with its reason.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{Array, RecordBatch};
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::input::{Inference, OutputFormat, RetryOn};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{Family, RecordWriter};
use bedrock_batch_domain::prompt::Template;
use bedrock_batch_domain::summary::JobCounts;
use bedrock_batch_engine::postprocess::{Asked, JoinJob, Turn, join};
use bedrock_batch_engine::preprocess::{ChunkJob, FolderSink, write_chunks};
use bedrock_batch_engine::rows::cell_text::as_text;
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bedrock_batch_engine::rows::shared_file::SharedFile;
use proptest::prelude::*;
use std::io::{Cursor, Read};
use std::path::Path;

/// Writes one chunk of these CSV rows, as preprocess does.
fn prepare(csv: &str, rows: u64, folder: &Path) {
    let template = Template::parse("{text}").unwrap();
    let records = RecordWriter::new(Family::Nova, &template, &Inference::default(), None, None);
    let layout = Layout::new("p", "r");
    let limits =
        ChunkLimits { min_records: 1, max_records: 1000, max_bytes: 1_000_000, max_chunks: None, small_last: false };
    let job = ChunkJob { layout: &layout, records: &records, limits, max_record_bytes: 1000, rows, deduplicate: false };
    let batches = CsvRows::open(csv.as_bytes(), "rows.csv", None).unwrap();
    write_chunks(&job, batches, &FolderSink { folder: folder.to_owned() }).unwrap();
}

fn joined(family: Family, prefill: &str, answers: &[String], folder: &Path) -> JobCounts {
    let layout = Layout::new("p", "r");
    let rows = SharedFile::open(&folder.join(layout.rows_key(0))).unwrap();
    let outputs = [(OutputFormat::Parquet, "out.parquet".to_owned()), (OutputFormat::Csv, "out.csv".to_owned())];
    let retry_on = [RetryOn::Missing, RetryOn::Error];
    let job = JoinJob { family, prefill, retry_on: &retry_on, outputs: &outputs, shared: None };
    let turn = turn(0, 1000, answers.to_vec());
    join(&job, &rows, "rows", std::iter::once(turn), &FolderSink { folder: folder.to_owned() }).unwrap().counts
}

/// A batch job of pass `pass` that had so many rows.
fn turn(pass: u32, records: usize, answers: Vec<String>) -> Turn<'static> {
    let asked = Asked {
        pass,
        records,
        was_asked: true,
        lane: Lane::Batch,
        model_id: "m".to_owned(),
        missing: "nothing came".to_owned(),
        missing_reason: "nothing".to_owned(),
    };
    let read = |text: String| Box::new(Cursor::new(text.into_bytes())) as Box<dyn Read>;
    Turn { asked, answers: Box::new(answers.into_iter().map(read)) }
}

fn output(folder: &Path) -> RecordBatch {
    let file = SharedFile::open(&folder.join("out.parquet")).unwrap();
    ParquetRows::open(file, "out", None).unwrap().1.next().unwrap().unwrap()
}

fn texts(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = as_text(batch.column_by_name(name).unwrap()).unwrap();
    column.iter().map(|cell| cell.map(str::to_owned)).collect()
}

fn nova(id: usize, text: &str) -> String {
    format!(
        r#"{{"recordId":"r{id:09}","modelInput":{{}},"modelOutput":{{"output":{{"message":{{"content":[{{"text":"{text}"}}]}}}},"stopReason":"end_turn","usage":{{"inputTokens":3,"outputTokens":2}}}}}}"#
    )
}

#[test]
fn odd_lines_never_stop_a_run_and_every_row_comes_out_once() {
    let folder = tempfile::tempdir().unwrap();
    prepare(
        &format!("id,text,response\n0,a,x\n1,b,y\n2,{},z\n3,d,w\n4,e,v\n5,f,u\n", "c".repeat(2000)),
        6,
        folder.path(),
    );
    let refused = r#"{"recordId":"r000000003","error":{"errorCode":400,"errorMessage":"bad request"}}"#;
    let no_text = r#"{"recordId":"r000000005","modelOutput":{"output":{"message":{"content":[]}},"stopReason":"content_filtered","usage":{"inputTokens":9,"outputTokens":0}}}"#;
    let answers = [
        nova(1, "one"),
        refused.into(),
        "{broken".into(),
        nova(77, "?"),
        nova(1, "again"),
        nova(2, "?"),
        no_text.into(),
        String::new(),
        nova(0, "zero"),
    ]
    .join("\n");
    let counts = joined(Family::Nova, "", &[answers], folder.path());
    let batch = output(folder.path());
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(texts(&batch, "response"), [some("zero"), some("one"), None, None, None, None]);
    let errors = texts(&batch, "error");
    assert_eq!(errors[..2], [None, None]);
    assert!(errors[2].as_deref().unwrap().starts_with("not sent: record too large"), "{errors:?}");
    assert_eq!(errors[3], some("the model refused the record: 400: bad request"));
    assert_eq!(errors[4], some("nothing came"));
    assert_eq!(errors[5], some("the model returned no answer (stop_reason content_filtered)"));
    assert_eq!(texts(&batch, "input_response"), ["x", "y", "z", "w", "v", "u"].map(some), "the user's column is kept");
    assert_eq!((counts.rows, counts.answered, counts.failed.values().sum::<u64>()), (6, 2, 4));
    assert_eq!((counts.usage[0].tokens.input, counts.usage[0].tokens.output), (3 + 3 + 9, 2 + 2));
    let reasons: Vec<&str> = counts.failed.keys().map(String::as_str).collect();
    assert_eq!(
        reasons,
        ["nothing", "record too large for the model", "refused by the model (400)", "the model returned no answer"]
    );
    assert_eq!(counts.warnings.values().copied().collect::<Vec<_>>(), [2, 1, 1], "{:?}", counts.warnings);
    let tokens = batch.column_by_name("input_tokens").unwrap().as_primitive::<UInt64Type>().clone();
    assert_eq!((tokens.value(0), tokens.is_null(2)), (3, true));
}

#[test]
fn an_answer_beats_an_error_of_the_same_record() {
    let folder = tempfile::tempdir().unwrap();
    prepare("id,text\n0,a\n", 1, folder.path());
    let error = r#"{"recordId":"r000000000","error":{"errorCode":500}}"#.to_owned();
    joined(Family::Nova, "", &[error, nova(0, "yes")], folder.path());
    assert_eq!(texts(&output(folder.path()), "response"), [Some("yes".to_owned())]);
}

#[test]
fn a_prefill_is_put_back_in_front() {
    let folder = tempfile::tempdir().unwrap();
    prepare("id,text\n0,a\n", 1, folder.path());
    joined(Family::Nova, "{", &[nova(0, "}")], folder.path());
    assert_eq!(texts(&output(folder.path()), "response"), [Some("{}".to_owned())]);
}

#[test]
fn embeddings_are_lists_in_parquet_and_json_in_csv() {
    let folder = tempfile::tempdir().unwrap();
    prepare("id,text\n0,a\n1,b\n", 2, folder.path());
    let answer = r#"{"recordId":"r000000001","modelOutput":{"embedding":[0.5,-0.25],"inputTextTokenCount":4}}"#;
    joined(Family::TitanTextEmbeddings, "", &[answer.to_owned()], folder.path());
    let batch = output(folder.path());
    assert_eq!(texts(&batch, "embedding"), [None, Some("[0.5,-0.25]".to_owned())]);
    assert!(batch.column_by_name("response").is_none());
    let csv = std::fs::read_to_string(folder.path().join("out.csv")).unwrap();
    assert!(csv.contains("r000000001,1,b,\"[0.5,-0.25]\",,,4,"), "{csv}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn answers_join_their_rows_in_any_order(order in Just((0..60usize).collect::<Vec<_>>()).prop_shuffle(), kept in 0usize..60) {
        let folder = tempfile::tempdir().unwrap();
        let rows: Vec<String> = (0..60).map(|n| format!("{n},t{n}")).collect();
        prepare(&format!("id,text\n{}", rows.join("\n")), 60, folder.path());
        let kept = &order[..kept];
        let answers: Vec<String> = kept.iter().map(|n| nova(*n, &format!("answer {n}"))).collect();
        let counts = joined(Family::Nova, "", &[answers.join("\n")], folder.path());
        prop_assert_eq!(counts.answered, kept.len() as u64);
        let batch = output(folder.path());
        prop_assert_eq!(batch.num_rows(), 60);
        let ids = texts(&batch, "id");
        for (row, response) in texts(&batch, "response").into_iter().enumerate() {
            prop_assert_eq!(ids[row].clone(), Some(row.to_string()));
            prop_assert_eq!(response, kept.contains(&row).then(|| format!("answer {row}")));
        }
    }
}
