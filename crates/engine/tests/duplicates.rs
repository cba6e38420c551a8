//! Rows with the same model input are sent once and all answered, and each row is in exactly one file.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use bedrock_batch_domain::chunk_plan::{ChunkLimits, chunk_of};
use bedrock_batch_domain::columns::{RECORD_ID, SAME_AS, SAME_AS_ROW};
use bedrock_batch_domain::input::Inference;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{Family, RecordWriter};
use bedrock_batch_domain::prompt::Template;
use bedrock_batch_engine::objects::FolderSink;
use bedrock_batch_engine::preprocess::{ChunkWriteSpec, Written, numbered, write_chunks};
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bedrock_batch_engine::rows::shared_file::SharedFile;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

fn layout() -> Layout {
    Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap())
}

/// Writes the chunks of these rows, with a column `text` that the prompt inserts, and a column `note` that it does not.
fn run(texts: &[u8], own_ids: bool, deduplicate: bool, folder: &Path) -> Written {
    let mut csv = if own_ids { "record_id,text,note\n" } else { "id,text,note\n" }.to_owned();
    for (row, text) in texts.iter().enumerate() {
        writeln!(csv, "own-{row},{text},note {row}").unwrap();
    }
    let records = [RecordWriter::new(
        Family::Nova,
        &Template::parse("{text}").unwrap(),
        &Inference::default(),
        None,
        None,
        false,
    )];
    let layout = layout();
    let limits =
        ChunkLimits { min_records: 1, max_records: 7, max_bytes: 1_000_000, max_chunks: None, small_last: true };
    let job = ChunkWriteSpec {
        layout: &layout,
        records: &records,
        limits,
        max_record_bytes: 10_000,
        rows: texts.len() as u64,
        deduplicate,
        lines: None,
    };
    let batches = CsvRows::open(csv.as_bytes(), "rows.csv", None).unwrap();
    write_chunks(&job, numbered(batches, u64::MAX), &FolderSink { folder: folder.to_owned() }).unwrap()
}

fn texts_of(folder: &Path, key: &str, column: &str) -> Vec<String> {
    let file = SharedFile::open(&folder.join(key)).unwrap();
    let batches = ParquetRows::open(file, "rows", None).unwrap().1;
    let texts = batches.map(|batch| batch.unwrap().column_by_name(column).unwrap().as_string::<i32>().clone());
    texts.flat_map(|column| column.iter().map(|cell| cell.unwrap().to_owned()).collect::<Vec<_>>()).collect()
}

fn positions_of(folder: &Path, key: &str) -> Vec<u64> {
    let file = SharedFile::open(&folder.join(key)).unwrap();
    let batches = ParquetRows::open(file, "rows", None).unwrap().1;
    let numbers =
        batches.map(|batch| batch.unwrap().column_by_name(SAME_AS_ROW).unwrap().as_primitive::<UInt64Type>().clone());
    numbers.flat_map(|column| column.values().to_vec()).collect()
}

fn sent(folder: &Path, chunks: usize) -> Vec<String> {
    let files = (0..u32::try_from(chunks).unwrap()).map(|chunk| folder.join(layout().records_key(chunk)));
    let text: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    text.lines().map(|line| line.split('"').nth(3).unwrap().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn each_model_input_is_sent_once_and_every_row_is_in_one_file(
        texts in prop::collection::vec(0u8..20, 1..80), own_ids in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let written = run(&texts, own_ids, true, folder.path());
        let id = |row: usize| if own_ids { format!("own-{row}") } else { format!("r{row:09}") };
        let mut first: BTreeMap<u8, usize> = BTreeMap::new();
        for (row, text) in texts.iter().enumerate() {
            first.entry(*text).or_insert(row);
        }
        let mut firsts: Vec<usize> = first.values().copied().collect();
        firsts.sort_unstable();
        prop_assert_eq!(sent(folder.path(), written.chunks.len()), firsts.iter().map(|row| id(*row)).collect::<Vec<_>>());

        let (mut ids, mut wanted) = (BTreeSet::new(), BTreeMap::<u32, BTreeSet<String>>::new());
        for (index, rows) in (0u32..).zip(&written.duplicates) {
            let key = layout().duplicate_rows_key(index);
            let own = texts_of(folder.path(), &key, RECORD_ID);
            prop_assert_eq!(own.len(), *rows as usize);
            prop_assert!(*rows <= 7);
            let same = texts_of(folder.path(), &key, SAME_AS);
            for ((own, same), position) in own.into_iter().zip(same).zip(positions_of(folder.path(), &key)) {
                let row = (0..texts.len()).find(|row| id(*row) == own).unwrap();
                prop_assert_eq!(&same, &id(first[&texts[row]]), "each duplicate waits for the first of its kind");
                prop_assert_eq!(position, first[&texts[row]] as u64);
                wanted.entry(chunk_of(&written.first_rows, position).unwrap()).or_default().insert(same);
                prop_assert!(ids.insert(own));
            }
        }
        for chunk in 0..u32::try_from(written.chunks.len()).unwrap() {
            let rows = texts_of(folder.path(), &layout().rows_key(chunk), RECORD_ID);
            if let Some(wanted) = wanted.get(&chunk) {
                prop_assert!(wanted.iter().all(|id| rows.contains(id)), "the chunk named has the row");
                let file = std::fs::read(folder.path().join(layout().wanted_key(chunk))).unwrap();
                prop_assert_eq!(&serde_json::from_slice::<BTreeSet<String>>(&file).unwrap(), wanted);
            } else {
                prop_assert!(!folder.path().join(layout().wanted_key(chunk)).exists());
            }
            for id in rows {
                prop_assert!(ids.insert(id));
            }
        }
        prop_assert_eq!(ids.len(), texts.len(), "every row is in one file, once");
    }
}

#[test]
fn without_deduplication_every_row_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let written = run(&[1, 1, 1, 2], false, false, folder.path());
    assert_eq!((written.chunks, written.duplicates), (vec![4], vec![]));
}
