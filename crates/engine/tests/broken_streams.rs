//! Errors of streams keep their kind through the readers, and are never taken for damaged data of the user.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::jsonl::JsonTable;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bedrock_batch_engine::rows::parquet_write::ParquetFile;
use bedrock_batch_engine::{EngineError, ErrorKind};
use bytes::Bytes;
use parquet::file::reader::{ChunkReader, Length};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn fault() -> io::Error {
    EngineError::throttled("S3 throttled the request").into()
}

/// Parquet file that can be read until it is broken.
#[derive(Clone)]
struct Breakable {
    file: Bytes,
    broken: Arc<AtomicBool>,
}

impl Length for Breakable {
    fn len(&self) -> u64 {
        self.file.len() as u64
    }
}

impl ChunkReader for Breakable {
    type T = <Bytes as ChunkReader>::T;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        if self.broken.load(Ordering::Relaxed) { Err(fault().into()) } else { self.file.get_read(start) }
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        if self.broken.load(Ordering::Relaxed) { Err(fault().into()) } else { self.file.get_bytes(start, length) }
    }
}

fn parquet(rows: usize, width: usize) -> Bytes {
    let column: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("{row}{}", "x".repeat(width)))));
    let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
    let mut file = ParquetFile::create(Vec::new(), batch.schema()).unwrap();
    file.write(&batch).unwrap();
    file.finish().unwrap().into()
}

#[test]
fn a_fault_in_a_parquet_file_keeps_its_kind() {
    let broken = Arc::new(AtomicBool::new(false));
    let source = Breakable { file: parquet(20_000, 100), broken: Arc::clone(&broken) };
    let (_, mut rows) = ParquetRows::open(source.clone(), "s3://b/a.parquet", None).unwrap();
    assert!(rows.next().unwrap().is_ok());
    broken.store(true, Ordering::Relaxed);
    let amid_the_rows = rows.find_map(Result::err).unwrap();
    let in_the_footer = ParquetRows::open(source, "s3://b/a.parquet", None).err().unwrap();
    for error in [amid_the_rows, in_the_footer] {
        assert_eq!((error.kind(), error.message().as_str()), (&ErrorKind::Throttled, "S3 throttled the request"));
    }
}

#[test]
fn a_damaged_file_is_invalid_input_or_a_corrupt_file_of_the_run() {
    let mut bytes = parquet(20_000, 100).to_vec();
    // A page in the middle; the footer is intact.
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xff);
    let damaged = Bytes::from(bytes);
    let input = ParquetRows::open(damaged.clone(), "s3://b/a.parquet", None).unwrap().1;
    let of_run = ParquetRows::open_of_run(damaged, "s3://b/a.parquet", None).unwrap();
    for (mut rows, name) in [(input, "InvalidInput"), (of_run, "Corrupt")] {
        let error = rows.find_map(Result::err).unwrap();
        assert_eq!(error.name(), name);
        assert!(error.message().starts_with("s3://b/a.parquet"), "{error:#}");
        assert!(error.message().contains("has damaged Parquet data"), "{error:#}");
    }
    let error = ParquetRows::open_of_run(Bytes::from("text"), "s3://b/a.parquet", None).err().unwrap();
    assert_eq!(error.name(), "Corrupt");
}

#[test]
fn wide_rows_are_read_in_small_batches() {
    let (shape, rows) = ParquetRows::open(parquet(300, 100_000), "a", None).unwrap();
    assert_eq!(shape.rows, 300);
    let sizes: Vec<usize> = rows.map(|batch| batch.unwrap().num_rows()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 300);
    assert!(sizes.iter().all(|rows| *rows <= 50), "{sizes:?}");
}

/// CSV whose stream breaks after this number of lines.
struct BreakingText {
    lines: u32,
    has_header: bool,
}

impl Read for BreakingText {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line = if std::mem::replace(&mut self.has_header, true) { b"1,2\n" } else { b"a,b\n" };
        if self.lines == 0 {
            return Err(fault());
        }
        self.lines -= 1;
        buffer[..4].copy_from_slice(line);
        Ok(4)
    }
}

#[test]
fn a_fault_in_the_middle_of_a_csv_keeps_its_kind() {
    let open = |lines| CsvRows::open(BreakingText { lines, has_header: false }, "s3://b/a.csv", None);
    // The beginning of a file is read when it is opened.
    for error in [open(20_000).unwrap().find_map(Result::err).unwrap(), open(1).err().unwrap()] {
        assert!(*error.kind() == ErrorKind::Throttled, "{error:?}");
    }
}

#[test]
fn a_fault_in_the_middle_of_json_lines_keeps_its_kind() {
    /// Stream that breaks after a number of lines.
    struct BreakingLines(usize);
    impl Read for BreakingLines {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or_else(fault)?;
            buffer[..8].copy_from_slice(b"{\"a\":1}\n");
            Ok(8)
        }
    }
    for lines in [20_000, 1] {
        let error = JsonTable::default().add_file(BreakingLines(lines), "s3://b/a.jsonl").unwrap_err();
        assert!(*error.kind() == ErrorKind::Throttled, "{error:?}");
    }
}
