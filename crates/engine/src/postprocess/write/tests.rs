use super::super::answers::JobAttempt;
use super::super::join::{JobAnswers, join};
use super::super::prompts_read::PromptsRead;
use super::super::{JoinJob, Reading};
use super::*;
use crate::objects::MemorySink;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    BooleanArray, Date64Array, Decimal128Array, Float64Array, Int64Array, StructArray, TimestampMillisecondArray,
};
use arrow_schema::DataType;
use arrow_select::concat::concat_batches;
use bedrock_batch_domain::columns::NOT_SENT;
use bedrock_batch_domain::model::Family;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use proptest::prelude::*;
use std::io::Read;

/// Rows of a chunk, with columns of many types, of which one is named like a column of answers.
fn rows(count: usize, not_sent: &[bool]) -> RecordBatch {
    let text = |prefix: &str| (0..count).map(|row| (row % 5 != 1).then(|| format!("{prefix} {row} ü"))).collect();
    let texts = |prefix: &str| -> ArrayRef { Arc::new(Vec::into_iter(text(prefix)).collect::<StringArray>()) };
    let numbers = || (0_i64..).take(count).map(|row| (row % 4 != 2).then_some(row * 1000));
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..count {
        let items = (0..row % 3).map(|item| (item != 1).then(|| format!("item {item}")));
        if row % 7 == 3 { lists.append_null() } else { lists.append_value(items) }
    }
    let fields = vec![
        (Arc::new(Field::new("a", DataType::Utf8, true)), texts("inner")),
        (Arc::new(Field::new("b", DataType::Int64, true)), Arc::new(numbers().collect::<Int64Array>()) as ArrayRef),
    ];
    let ids: StringArray = (0..count).map(|row| Some(format!("r{row:09}"))).collect();
    let reasons: StringArray = (0..count)
        .map(|row| not_sent.get(row).is_some_and(|not_sent| *not_sent).then_some("not sent: empty"))
        .collect();
    let flags: BooleanArray = numbers().map(|number| number.map(|number| number % 3000 == 0)).collect();
    let floats: Float64Array = (0_u32..).take(count).map(|row| (row % 3 != 0).then(|| f64::from(row) / 7.0)).collect();
    let amounts = (0_i128..).take(count).map(Some).collect::<Decimal128Array>();
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        (RECORD_ID, Arc::new(ids), false),
        ("text", texts("text"), true),
        ("response", texts("older"), true),
        (NOT_SENT, Arc::new(reasons), true),
        ("number", Arc::new(numbers().collect::<Int64Array>()), true),
        ("float", Arc::new(floats), true),
        ("flag", Arc::new(flags), true),
        ("day", Arc::new(numbers().collect::<Date64Array>()), true),
        ("time", Arc::new(numbers().collect::<TimestampMillisecondArray>().with_timezone("UTC")), true),
        ("amount", Arc::new(amounts.with_precision_and_scale(12, 2).unwrap()), true),
        ("list", Arc::new(lists.finish()), true),
        ("struct", Arc::new(StructArray::from(fields)), true),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// Writes a rows file in row groups of this number of rows. Earlier versions compressed with LZ4.
fn rows_file(rows: &RecordBatch, group_rows: usize, codec: Compression) -> Bytes {
    let properties = WriterProperties::builder()
        .set_compression(codec)
        .set_coerce_types(true)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(group_rows))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties)).unwrap();
    writer.write(rows).unwrap();
    writer.into_inner().unwrap().into()
}

fn answer(row: usize) -> String {
    format!(
        r#"{{"recordId":"r{row:09}","modelOutput":{{"output":{{"message":{{"content":[{{"text":"answer {row}"}}]}}}},"stopReason":"end_turn","usage":{{"inputTokens":3,"outputTokens":2}}}}}}"#
    )
}

/// Joins a rows file with the answers to these rows; returns the counts and the output.
fn joined(rows: &Bytes, answered: &[usize], strip_suffix: bool) -> (ChunkCounts, Bytes) {
    let prompts = PromptsRead::default();
    let outputs = [(OutputFormat::Parquet, "out".to_owned())];
    let reading = Reading { retry_on: &[], prompts: &prompts };
    let job = JoinJob { strip_suffix, ..JoinJob::new(Family::Nova, reading, &outputs) };
    let lines = answered.iter().map(|row| answer(*row)).collect::<Vec<_>>().join("\n");
    let lines: Box<dyn Read> = Box::new(std::io::Cursor::new(lines));
    let answers = JobAnswers { job: JobAttempt::first(usize::MAX, "m"), answers: Box::new(std::iter::once(lines)) };
    let sink = MemorySink::default();
    let joined = join(&job, rows, "rows", std::iter::once(answers), &sink).unwrap();
    (joined.counts, sink.get("out").unwrap())
}

fn table(file: &Bytes) -> RecordBatch {
    let (_, batches) = ParquetRows::open(file.clone(), "out", None).unwrap();
    let schema = batches.schema();
    let batches: Vec<RecordBatch> = batches.map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn rows_are_the_same_whether_their_columns_are_taken_over_or_decoded(
        not_sent in prop::collection::vec(prop::bool::weighted(0.1), 1..40),
        answered in prop::collection::vec(0_usize..45, 0..60), group_rows in 1_usize..50,
    ) {
        let rows = rows(not_sent.len(), &not_sent);
        let taken = joined(&rows_file(&rows, group_rows, Compression::SNAPPY), &answered, false);
        let decoded = joined(&rows_file(&rows, group_rows, Compression::LZ4_RAW), &answered, false);
        prop_assert_eq!(&taken.0, &decoded.0);
        let (taken, decoded) = (table(&taken.1), table(&decoded.1));
        prop_assert_eq!(taken.schema(), decoded.schema());
        prop_assert_eq!(taken, decoded);
    }
}

#[test]
fn columns_are_taken_over_as_they_are_encoded() {
    let rows = rows(30, &[]);
    let file = rows_file(&rows, 12, Compression::SNAPPY);
    let (_, output) = joined(&file, &[3, 1], false);
    let (source, result) = (reader(&file), reader(&output));
    let names: Vec<&str> = result.metadata().file_metadata().schema().get_fields().iter().map(|f| f.name()).collect();
    assert_eq!(names[..4], [RECORD_ID, "text", "input_response", "number"]);
    assert_eq!(result.num_row_groups(), 3);
    for (before, after) in source.metadata().row_groups().iter().zip(result.metadata().row_groups()) {
        assert_eq!(before.num_rows(), after.num_rows());
        let kept = before.columns().iter().filter(|column| column.column_path().string() != NOT_SENT);
        for (before, after) in kept.zip(after.columns()) {
            let bytes = |file: &Bytes, (begin, length): (u64, u64)| {
                file.slice(usize::try_from(begin).unwrap()..usize::try_from(begin + length).unwrap())
            };
            assert_eq!(bytes(&file, before.byte_range()), bytes(&output, after.byte_range()));
        }
    }
}

#[test]
fn columns_in_a_codec_of_earlier_versions_are_encoded_again() {
    let file = rows_file(&rows(30, &[]), 12, Compression::LZ4_RAW);
    let result = reader(&joined(&file, &[3], false).1);
    let columns = result.metadata().row_groups().iter().flat_map(|group| group.columns());
    assert!(columns.into_iter().all(|column| column.compression() == Compression::SNAPPY));
    assert_eq!(result.num_row_groups(), 1);
}

#[test]
fn ids_lose_their_suffix_though_columns_could_be_taken_over() {
    let rows = rows(3, &[]);
    let ids: StringArray = ["a-001", "a-002", "b-000"].into_iter().map(Some).collect();
    let mut columns = rows.columns().to_vec();
    columns[0] = Arc::new(ids);
    let rows = RecordBatch::try_new(rows.schema(), columns).unwrap();
    let table = table(&joined(&rows_file(&rows, 12, Compression::SNAPPY), &[], true).1);
    let ids: Vec<&str> = table.column(0).as_string::<i32>().iter().flatten().collect();
    assert_eq!(ids, ["a", "a", "b"]);
}

#[test]
fn a_column_that_lies_outside_of_its_file_is_an_error() {
    let file = rows_file(&rows(4000, &[]), 1000, Compression::SNAPPY);
    // Only the footer remains, which is found from the end.
    let length = u32::from_le_bytes(file[file.len() - 8..][..4].try_into().unwrap()) as usize;
    let cut = Bytes::copy_from_slice(&file[file.len() - 8 - length..]);
    let columns = EncodedColumns::open_of_run(cut, "rows", |name| name == "text").unwrap().unwrap();
    let schema = output_schema(columns.schema().fields(), &Vec::new(), &[]);
    let mut result = ExtendedParquetFile::create(Vec::new(), schema, &columns).unwrap();
    let written = (0..columns.group_rows().len()).try_for_each(|_| result.end_group(&columns));
    let message = written.unwrap_err().to_string();
    assert!(message.contains("rows cannot be read as Parquet: Parquet error: a column lies outside"), "{message}");
}

fn reader(file: &Bytes) -> SerializedFileReader<Bytes> {
    SerializedFileReader::new(file.clone()).unwrap()
}
