//! Writing of chunk files: every row is in exactly one chunk, with its line or with the reason why it has none.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::columns::{NOT_SENT, RECORD_ID};
use bedrock_batch_domain::input::Inference;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{Family, RecordWriter};
use bedrock_batch_domain::prompt::Template;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::objects::FolderSink;
use bedrock_batch_engine::preprocess::{ChunkWriteSpec, Written, numbered, write_chunks};
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bedrock_batch_engine::rows::shared_file::SharedFile;
use proptest::prelude::*;
use serde_json::Value;
use std::path::Path;

const MAX_RECORD_BYTES: u64 = 400;

fn limits(min: u32, max: u32, max_chunks: Option<u32>) -> ChunkLimits {
    ChunkLimits { min_records: min, max_records: max, max_bytes: 1_000_000, max_chunks, small_last: false }
}

/// Writes a CSV of these texts in columns `id` and `text`.
fn csv_of(texts: &[String]) -> String {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["id", "text"]).unwrap();
    for (index, text) in texts.iter().enumerate() {
        csv.write_record([format!("{index:04}"), text.clone()]).unwrap();
    }
    String::from_utf8(csv.into_inner().unwrap()).unwrap()
}

fn run(csv: &str, rows: u64, limits: ChunkLimits, folder: &Path) -> Result<Written, EngineError> {
    let template = Template::parse("Say {text}").unwrap();
    let records = [RecordWriter::new(Family::Nova, &template, &Inference::default(), None, None, false)];
    let layout = Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap());
    let job = ChunkWriteSpec {
        layout: &layout,
        records: &records,
        limits,
        max_record_bytes: MAX_RECORD_BYTES,
        rows,
        deduplicate: false,
        lines: None,
    };
    let batches = CsvRows::open(csv.as_bytes(), "rows.csv", None)?;
    write_chunks(&job, numbered(batches, rows), &FolderSink { folder: folder.to_owned() })
}

struct Chunk {
    lines: Vec<Value>,
    rows: Vec<RecordBatch>,
}

fn chunk(folder: &Path, index: u32) -> Chunk {
    let layout = Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap());
    let text = std::fs::read_to_string(folder.join(layout.records_key(index))).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let file = SharedFile::open(&folder.join(layout.rows_key(index))).unwrap();
    let rows = ParquetRows::open(file, "rows", None).unwrap().1.map(Result::unwrap).collect();
    Chunk { lines, rows }
}

fn column(rows: &[RecordBatch], name: &str) -> Vec<Option<String>> {
    let columns = rows.iter().map(|batch| batch.column_by_name(name).unwrap().as_string::<i32>().clone());
    columns.flat_map(|c| c.iter().map(|cell| cell.map(str::to_owned)).collect::<Vec<_>>()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn every_row_is_in_exactly_one_chunk_with_its_line_or_its_reason(
        lengths in prop::collection::vec(prop_oneof![6 => 0usize..60, 1 => 500usize..900], 20..400),
        min in 1u32..8, wider in 8u32..60,
    ) {
        let texts: Vec<String> = lengths.iter().map(|n| "ü\"\n,".chars().cycle().take(*n).collect()).collect();
        let folder = tempfile::tempdir().unwrap();
        let written = run(&csv_of(&texts), texts.len() as u64, limits(min, min + wider, None), folder.path()).unwrap();
        prop_assert_eq!(written.rows, texts.len() as u64);
        let mut seen = 0;
        for (index, records) in (0u32..).zip(&written.chunks) {
            let chunk = chunk(folder.path(), index);
            prop_assert_eq!(chunk.lines.len(), *records as usize);
            prop_assert!((min..=min + wider).contains(records), "{} records", records);
            let ids = column(&chunk.rows, RECORD_ID);
            let not_sent = column(&chunk.rows, NOT_SENT);
            let texts_there = column(&chunk.rows, "text");
            let mut lines = chunk.lines.iter();
            for ((id, not_sent), text) in ids.iter().zip(&not_sent).zip(&texts_there) {
                prop_assert_eq!(id.clone(), Some(format!("r{seen:09}")));
                prop_assert_eq!(text.as_deref(), Some(texts[seen].as_str()));
                if not_sent.is_none() {
                    let line = lines.next().unwrap();
                    prop_assert_eq!(line["recordId"].as_str(), id.as_deref());
                    let sent = &line["modelInput"]["messages"][0]["content"][0]["text"];
                    prop_assert_eq!(sent.as_str().unwrap(), format!("Say {}", texts[seen]));
                }
                seen += 1;
            }
            prop_assert!(lines.next().is_none());
        }
        let rejected: u64 = written.rejected.values().sum();
        let records: u64 = written.chunks.iter().map(|n| u64::from(*n)).sum();
        prop_assert_eq!(records + rejected, texts.len() as u64);
        if !written.chunks.is_empty() {
            prop_assert_eq!(seen, texts.len(), "every row is in a rows file");
        }
    }
}

#[test]
fn two_thousand_and_fifty_rows_make_three_even_chunks() {
    let texts: Vec<String> = (0..2050).map(|n| format!("text {n}")).collect();
    let folder = tempfile::tempdir().unwrap();
    let written = run(&csv_of(&texts), 2050, limits(100, 1000, None), folder.path()).unwrap();
    assert_eq!(written.chunks, [684, 683, 683]);
}

#[test]
fn a_repetition_writes_the_same_bytes() {
    let texts: Vec<String> = (0..500).map(|n| format!("text {n}")).collect();
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&a, &b] {
        run(&csv_of(&texts), 500, limits(100, 200, None), folder.path()).unwrap();
    }
    let layout = Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap());
    for index in 0..3 {
        for key in [layout.records_key(index), layout.rows_key(index)] {
            assert_eq!(
                std::fs::read(a.path().join(&key)).unwrap(),
                std::fs::read(b.path().join(&key)).unwrap(),
                "{key}"
            );
        }
    }
}

#[test]
fn a_record_that_is_too_large_is_reported_and_the_others_are_sent() {
    let mut texts: Vec<String> = (0..10).map(|n| format!("text {n}")).collect();
    texts[4] = "x".repeat(1000);
    let folder = tempfile::tempdir().unwrap();
    let written = run(&csv_of(&texts), 10, limits(1, 100, None), folder.path()).unwrap();
    assert_eq!(written.chunks, [9]);
    assert_eq!(written.rejected.values().sum::<u64>(), 1);
    let not_sent = column(&chunk(folder.path(), 0).rows, NOT_SENT);
    let reason = not_sent[4].as_deref().unwrap();
    assert!(reason.starts_with("not sent: record too large for the model: 1"), "{reason}");
    assert_eq!(not_sent.iter().flatten().count(), 1);
}

#[test]
fn the_limit_of_a_record_is_kept_to_the_byte() {
    // Number of bytes of a record without its text, to create lines of a known length.
    let folder = tempfile::tempdir().unwrap();
    run(&csv_of(&[String::new()]), 1, limits(1, 9, None), folder.path()).unwrap();
    let layout = Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap());
    let around = std::fs::metadata(folder.path().join(layout.records_key(0))).unwrap().len();
    let longest = usize::try_from(MAX_RECORD_BYTES - around).unwrap();
    let texts = vec!["x".repeat(longest), "x".repeat(longest + 1)];
    let written = run(&csv_of(&texts), 2, limits(1, 9, None), folder.path()).unwrap();
    assert_eq!((written.chunks, written.rejected.values().sum::<u64>()), (vec![1], 1));
}

#[test]
fn a_first_row_that_is_too_large_does_not_begin_a_chunk() {
    let mut texts: Vec<String> = (0..100).map(|n| format!("text {n}")).collect();
    texts[0] = "x".repeat(1000);
    let folder = tempfile::tempdir().unwrap();
    let written = run(&csv_of(&texts), 100, limits(100, 1000, None), folder.path()).unwrap();
    assert_eq!(written.chunks, Vec::<u32>::new());
    let written = run(&csv_of(&texts), 100, limits(50, 1000, None), folder.path()).unwrap();
    assert_eq!(written.chunks, [99]);
    assert!(column(&chunk(folder.path(), 0).rows, NOT_SENT)[0].is_some());
}

#[test]
fn rows_beyond_the_maximum_number_of_chunks_are_counted() {
    let texts: Vec<String> = (0..50).map(|n| format!("text {n}")).collect();
    let folder = tempfile::tempdir().unwrap();
    let written = run(&csv_of(&texts), 50, limits(1, 10, Some(2)), folder.path()).unwrap();
    assert_eq!((written.chunks, written.over_max_chunks), (vec![10, 10], 30));
}

#[test]
fn only_the_requested_number_of_rows_is_used() {
    let texts: Vec<String> = (0..50).map(|n| format!("text {n}")).collect();
    let folder = tempfile::tempdir().unwrap();
    let written = run(&csv_of(&texts), 20, limits(1, 100, None), folder.path()).unwrap();
    assert_eq!((written.chunks, written.rows), (vec![20], 20));
}

#[test]
fn empty_cells_are_counted_and_sent_as_empty_text() {
    let texts = vec![String::new(), "a".to_owned()];
    let folder = tempfile::tempdir().unwrap();
    let written = run(&csv_of(&texts), 2, limits(1, 100, None), folder.path()).unwrap();
    assert_eq!(written.empty_cells, 1);
    assert_eq!(chunk(folder.path(), 0).lines[0]["modelInput"]["messages"][0]["content"][0]["text"], "Say ");
}
