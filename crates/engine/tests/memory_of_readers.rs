//! Inputs that are small and expand: they are read within a fixed amount of memory, or refused with the limit that they exceed.
//! All in one test, because the peak is that of the process.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use arrow_array::builder::{Int64Builder, ListBuilder, StringDictionaryBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::input::Inference;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{Family, RecordWriter};
use bedrock_batch_domain::prompt::Template;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::objects::FolderSink;
use bedrock_batch_engine::preprocess::{ChunkWriteSpec, numbered, write_chunks};
use bedrock_batch_engine::rows::csv_dialect::CsvReading;
use bedrock_batch_engine::rows::csv_infer::infer_types;
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::jsonl::{JsonRows, JsonTable};
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use std::fs;
use std::io::{self, Read};
use std::sync::Arc;

const MIB: usize = 1 << 20;
/// Maximum memory that reading takes, whatever the file.
const MAX_MIB: usize = 300;

/// Returns the result of some work, and the MiB that it took beyond what the process had before.
fn measured<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let kib = |field: &str| -> usize {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    // Resets the peak.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = kib("VmRSS:");
    let result = work();
    (result, kib("VmHWM:").saturating_sub(before) / 1024)
}

fn zstd() -> WriterPropertiesBuilder {
    WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(3).unwrap()))
}

fn parquet(properties: WriterPropertiesBuilder, batches: impl IntoIterator<Item = ArrayRef>) -> Bytes {
    let mut batches = batches.into_iter().map(|column| RecordBatch::try_from_iter([("text", column)]).unwrap());
    let first = batches.next().unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), first.schema(), Some(properties.build())).unwrap();
    writer.write(&first).unwrap();
    batches.for_each(|batch| writer.write(&batch).unwrap());
    writer.into_inner().unwrap().into()
}

fn texts(text: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows)))
}

/// Writes one text in all rows, whose dictionary has it once.
fn one_text(bytes: usize, rows: usize) -> Bytes {
    let mut column = StringDictionaryBuilder::<Int32Type>::new();
    column.append("x".repeat(bytes)).unwrap();
    column.append_n("x".repeat(bytes), rows - 1).unwrap();
    let column: ArrayRef = Arc::new(column.finish());
    // The writer keeps dictionaries as they are, and readers see plain texts without the schema of Arrow.
    let properties = zstd().set_dictionary_page_size_limit(64 * MIB).build();
    let batch = RecordBatch::try_from_iter([("text", column)]).unwrap();
    let options = parquet::arrow::arrow_writer::ArrowWriterOptions::new()
        .with_properties(properties)
        .with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap().into()
}

/// Reads a file, and returns the number of its rows and of the bytes of its texts.
fn read(file: &Bytes) -> Result<(usize, usize), EngineError> {
    let (mut rows, mut bytes) = (0, 0);
    for batch in ParquetRows::open(file.clone(), "a.parquet", None)?.1 {
        let batch = batch?;
        rows += batch.num_rows();
        bytes += batch.column(0).as_string_opt::<i32>().map_or(0, |texts| texts.value_data().len());
    }
    Ok((rows, bytes))
}

fn one_text_in_many_rows() {
    let file = one_text(600_000, 4_096);
    assert!(file.len() < 10_000, "{}", file.len());
    let (read, mib) = measured(|| read(&file));
    assert_eq!(read.unwrap(), (4_096, 4_096 * 600_000));
    assert!(mib < 100, "{mib} MiB for a text that all rows share");
}

fn texts_that_share_their_beginning() {
    let delta = || zstd().set_dictionary_enabled(false).set_encoding(Encoding::DELTA_BYTE_ARRAY);
    let file = parquet(delta(), (0..10).map(|_| texts(&"x".repeat(MIB), 100)));
    let (read, mib) = measured(|| read(&file));
    assert_eq!(read.unwrap(), (1_000, 1_000 * MIB));
    assert!(mib < MAX_MIB, "{mib} MiB for texts that share their beginning");
}

fn a_few_long_rows_after_many_short_ones() {
    let properties = zstd().set_dictionary_enabled(false);
    let long = (0..10).map(|_| texts(&"x".repeat(MIB), 50));
    let file = parquet(properties, std::iter::once(texts("a", 500_000)).chain(long));
    let (read, mib) = measured(|| read(&file));
    assert_eq!(read.unwrap(), (500_500, 500_000 + 500 * MIB));
    assert!(mib < MAX_MIB, "{mib} MiB for rows that are longer than the others");
}

fn one_huge_cell() {
    for (bytes, rule) in [(40 * MIB, "row 1 column `text`: has 41943040 bytes; at most 32 MiB"), (300 * MIB, "256 MiB")]
    {
        let file = parquet(zstd().set_dictionary_enabled(false), [texts(&"x".repeat(bytes), 1)]);
        let (read, mib) = measured(|| read(&file));
        let error = read.unwrap_err();
        assert_eq!(error.name(), "InvalidInput");
        assert!(error.message().contains(rule), "{error:#}");
        assert!(mib < MAX_MIB, "{mib} MiB for a cell of {bytes} bytes");
    }
}

fn one_huge_list() {
    let mut list = ListBuilder::new(Int64Builder::new());
    list.values().append_slice(&vec![7; 20_000_000]);
    list.append(true);
    let file = parquet(zstd(), [Arc::new(list.finish()) as ArrayRef]);
    let (read, mib) = measured(|| read(&file));
    assert_eq!(read.unwrap_err().name(), "InvalidInput");
    assert!(mib < MAX_MIB, "{mib} MiB for a list");
}

fn many_columns() {
    let rows = |columns: usize| {
        let names: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
        format!("{}\n{}\n", names.join(","), ",".repeat(columns - 1))
    };
    let csv = rows(40_000);
    let (read, mib) = measured(|| CsvRows::open(csv.as_bytes(), "a.csv", None).map(drop));
    let message = read.unwrap_err().message();
    assert!(message.contains("a.csv: has 40000 columns; at most 5000 are read; keep the columns"), "{message}");
    assert!(mib < 50, "{mib} MiB for columns that are refused");
    let csv = rows(5_000);
    let (read, mib) = measured(|| CsvRows::open(csv.as_bytes(), "a.csv", None).unwrap().next().unwrap().unwrap());
    assert_eq!((read.num_rows(), read.num_columns()), (1, 5_000));
    assert!(mib < 50, "{mib} MiB for columns of one row");
}

/// Stream that repeats a text.
struct Endless(&'static [u8], u64);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(usize::try_from(self.1).unwrap());
        buffer[..length].fill(self.0[0]);
        self.1 -= length as u64;
        Ok(length)
    }
}

fn lines_without_an_end() {
    for (text, start) in [(b"x", "a,b\n1,\""), (b",", "a,b\n1,"), (b",", "a,b")] {
        let csv = || start.as_bytes().chain(Endless(text, 4_000_000_000));
        let (rows, mib) = measured(|| CsvRows::open(csv(), "a.csv", None).and_then(|mut rows| rows.next().unwrap()));
        let (types, mib_of_types) = measured(|| infer_types(csv(), "a.csv", &CsvReading::default()));
        for error in [rows.unwrap_err(), types.unwrap_err()] {
            assert_eq!(error.name(), "InvalidInput");
            assert!(error.message().contains("has more than 64 MiB or 8000000 delimiters"), "{error:#}");
        }
        assert!(mib.max(mib_of_types) < MAX_MIB, "{mib} MiB, {mib_of_types} MiB for a line that does not end");
    }
}

/// Reads JSON lines in two passes, and returns the number of rows.
fn read_json_lines<R: Read>(open: impl Fn() -> R) -> Result<u64, EngineError> {
    let mut table = JsonTable::default();
    table.add_file(open(), "a.jsonl")?;
    let shape = table.finish()?;
    let mut rows = 0;
    for batch in JsonRows::open(open(), "a.jsonl", shape.columns)? {
        rows += batch?.num_rows() as u64;
    }
    assert_eq!(rows, shape.rows);
    Ok(rows)
}

fn json_lines() {
    let names: Vec<String> = (0..5_000).map(|column| format!("\"c{column}\":[1]")).collect();
    let sparse = format!("{{{}}}\n{}", names.join(","), "{}\n".repeat(2_000));
    let (rows, mib) = measured(|| read_json_lines(|| sparse.as_bytes()).unwrap());
    assert_eq!(rows, 2_001);
    assert!(mib < 50, "{mib} MiB for missing members");
    let cell = |text: String| format!("{{\"a\":{text}}}");
    let list = |elements: usize| cell(format!("[{}1]", "1,".repeat(elements - 1)));
    for (line, rule) in [
        (list(4_194_304), None),
        (list(4_194_305), Some("line 1 column `a`: the list has more than 4194304 elements")),
        (cell(format!("\"{}\"", "\\n".repeat(31 * MIB))), None),
    ] {
        let (read, mib) = measured(|| read_json_lines(|| line.as_bytes()));
        assert_eq!(read.as_ref().is_err(), rule.is_some(), "{read:?}");
        let message = read.err().map(|error| error.message()).unwrap_or_default();
        assert!(message.contains(rule.unwrap_or_default()), "{message}");
        assert!(mib < MAX_MIB, "{mib} MiB for a line of {} bytes", line.len());
    }
    let endless = || "{\"a\":\"".as_bytes().chain(Endless(b"x", 4_000_000_000));
    let (read, mib) = measured(|| read_json_lines(endless));
    assert!(read.unwrap_err().message().contains("a.jsonl line 1: has more than 64 MiB; write each row"));
    assert!(mib < MAX_MIB, "{mib} MiB for a line that does not end");
}

fn a_whole_preprocess() {
    let file = one_text(100_000, 4_096);
    let template = Template::parse("{text}").unwrap();
    let records = [RecordWriter::new(Family::Nova, &template, &Inference::default(), None, None, false)];
    let folder = tempfile::tempdir().unwrap();
    let spec = ChunkWriteSpec {
        layout: &Layout::new(&"p".parse().unwrap(), &"r".parse().unwrap()),
        records: &records,
        limits: ChunkLimits {
            min_records: 100,
            max_records: 1_000,
            max_bytes: 1 << 30,
            max_chunks: None,
            small_last: false,
        },
        max_record_bytes: 1_000_000,
        rows: 4_096,
        deduplicate: false,
        lines: None,
    };
    let (written, mib) = measured(|| {
        let batches = ParquetRows::open(file, "a.parquet", None).unwrap().1;
        write_chunks(&spec, numbered(batches, 4_096), &FolderSink { folder: folder.path().to_owned() }).unwrap()
    });
    assert_eq!((written.rows, written.chunks.len()), (4_096, 5));
    assert!(mib < MAX_MIB, "{mib} MiB for a whole preprocess");
}

/// Texts of all kinds of columns are what they were.
fn texts_in_lists_and_dictionaries() {
    let mut list = ListBuilder::new(arrow_array::builder::StringBuilder::new());
    for row in 0..5_000 {
        list.append_value([Some(format!("{row}-{}", "y".repeat(2_000))), None, Some(String::new())]);
    }
    let list: ArrayRef = Arc::new(list.finish());
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let words: ArrayRef = cast(&texts(&"z".repeat(3_000), 5_000), &dictionary).unwrap();
    let large: ArrayRef = cast(&texts("ü", 5_000), &DataType::LargeUtf8).unwrap();
    let columns = [("list", Arc::clone(&list)), ("words", words), ("large", large)];
    let written = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), written.schema(), Some(zstd().build())).unwrap();
    writer.write(&written).unwrap();
    let file = Bytes::from(writer.into_inner().unwrap());
    let batches: Vec<RecordBatch> = ParquetRows::open(file, "a", None).unwrap().1.map(Result::unwrap).collect();
    assert!(batches.len() > 3, "{} batches for 25 MB of texts", batches.len());
    let mut row = 0;
    for batch in batches {
        assert_eq!(batch.schema().fields(), written.schema().fields());
        let expected = written.slice(row, batch.num_rows());
        for (column, expected) in batch.columns().iter().zip(expected.columns()) {
            let plain = |column: &ArrayRef| match column.data_type() {
                DataType::Dictionary(_, _) => cast(column, &DataType::Utf8).unwrap(),
                _ => Arc::clone(column),
            };
            assert_eq!(&plain(column), &plain(expected));
        }
        row += batch.num_rows();
    }
    assert_eq!(row, 5_000);
}

#[test]
fn small_files_that_expand_are_read_within_their_memory_or_refused() {
    one_text_in_many_rows();
    texts_that_share_their_beginning();
    a_few_long_rows_after_many_short_ones();
    one_huge_cell();
    one_huge_list();
    many_columns();
    lines_without_an_end();
    json_lines();
    a_whole_preprocess();
    texts_in_lists_and_dictionaries();
}
